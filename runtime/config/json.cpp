#include "runtime/config/json.hpp"

#include "runtime/base/closest_word.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/pointer.h>
#include <rapidjson/reader.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

namespace qnfv {

namespace {

constexpr size_t max_bytes = 1u << 20;
constexpr size_t max_depth = 32;

std::string escaped(const std::string& key) {
  std::string out;
  for (char c : key)
    out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

constexpr unsigned parse_flags =
  rapidjson::kParseCommentsFlag | rapidjson::kParseIterativeFlag
  | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;

int line_at(std::string_view text, size_t offset) {
  auto end = text.begin() + static_cast<long>(std::min(offset, text.size()));
  return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
}

/// Passes each event on to the document and objects to repeated keys, depth and numbers out of range.
class checker : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, checker> {
public:
  explicit checker(rapidjson::Document& to) : to_(to) {}

  std::string problem;

  bool Null() { return to_.Null(); }
  bool Bool(bool x) { return to_.Bool(x); }
  /// RapidJSON's own exact reading of a zero like 0e-30 is undefined.
  bool RawNumber(const char* x, rapidjson::SizeType n, bool) {
    auto is = [&](auto& number) {
      auto [end, error] = std::from_chars(x, x + n, number);
      return error == std::errc{} && end == x + n;
    };
    uint64_t natural;
    int64_t whole;
    double real;
    if (is(natural))
      return to_.Uint64(natural);
    if (is(whole))
      return to_.Int64(whole);
    if (is(real))
      return to_.Double(real);
    problem = "the number is too large or too small";
    return false;
  }
  bool String(const char* x, rapidjson::SizeType n, bool copy) { return to_.String(x, n, copy); }
  bool StartObject() { return open() && to_.StartObject(); }
  bool Key(const char* x, rapidjson::SizeType n, bool copy) {
    auto [key, is_new] = levels_.back().emplace(x, n);
    if (!is_new) {
      problem = "the key \"" + *key + "\" is there twice";
      return false;
    }
    return to_.Key(x, n, copy);
  }
  bool EndObject(rapidjson::SizeType n) { return close() && to_.EndObject(n); }
  bool StartArray() { return open() && to_.StartArray(); }
  bool EndArray(rapidjson::SizeType n) { return close() && to_.EndArray(n); }

private:
  bool open() {
    if (levels_.size() >= max_depth) {
      problem = "more than " + std::to_string(max_depth) + " levels";
      return false;
    }
    levels_.emplace_back();
    return true;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  rapidjson::Document& to_;
  std::vector<std::set<std::string>> levels_; ///< The keys of each open object.
};

/// Finds the value of a JSON pointer, or the innermost one around it that there is.
class finder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, finder> {
public:
  finder(const rapidjson::MemoryStream& in, const std::string& pointer) : in_(in) {
    for (auto at = pointer.find('/'); at != std::string::npos;) {
      auto end = pointer.find('/', at + 1);
      steps_.push_back(pointer.substr(at + 1, end == std::string::npos ? end : end - at - 1));
      at = end;
    }
  }

  size_t offset = 0;

  bool Default() {
    value();
    return true;
  }
  bool Key(const char* x, rapidjson::SizeType n, bool) {
    levels_.back().key.assign(x, n);
    return true;
  }
  bool StartObject() { return open('{'); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() { return open('['); }
  bool EndArray(rapidjson::SizeType) { return close(); }

private:
  struct level {
    char kind;
    std::string key;
    size_t index = 0;
  };

  /// True if it is on the way to the pointer.
  bool value() {
    auto depth = levels_.size();
    auto here = depth == on_the_way_ && depth <= steps_.size();
    if (depth > 0) {
      auto& x = levels_.back();
      auto index = x.index++;
      here = here && (x.kind == '{' ? escaped(x.key) : std::to_string(index)) == steps_[depth - 1];
    }
    if (here)
      offset = in_.Tell();
    return here;
  }

  bool open(char kind) {
    if (value())
      ++on_the_way_;
    levels_.push_back({kind, {}});
    return true;
  }

  bool close() {
    levels_.pop_back();
    on_the_way_ = std::min(on_the_way_, levels_.size());
    return true;
  }

  const rapidjson::MemoryStream& in_;
  std::vector<std::string> steps_;
  std::vector<level> levels_;
  size_t on_the_way_ = 0; ///< Open values that are, from the outermost.
};

std::string text_of(const rapidjson::Pointer& pointer) {
  rapidjson::StringBuffer buffer;
  pointer.Stringify(buffer);
  return {buffer.GetString(), buffer.GetSize()};
}

const char* type_in_words(const std::string& type) {
  if (type == "object")
    return "an object { }";
  if (type == "array")
    return "a list [ ]";
  if (type == "string")
    return "a text in quotes";
  if (type == "integer")
    return "a whole number without unit";
  if (type == "number")
    return "a number without unit";
  return "true or false";
}

std::string number(const rapidjson::Value& x) {
  char out[32];
  std::snprintf(out, sizeof out, "%.15g", x.GetDouble());
  return out;
}

std::vector<std::string> keys_of(const rapidjson::Value& object) {
  std::vector<std::string> out;
  for (auto& member : object.GetObject())
    out.emplace_back(member.name.GetString(), member.name.GetStringLength());
  return out;
}

std::string list_of(const rapidjson::Value& array) {
  std::string out;
  for (auto& x : array.GetArray())
    out += (out.empty() ? "" : ", ")
           + (x.IsString() ? "\"" + std::string{x.GetString()} + "\"" : number(x));
  return out;
}

/// What is wrong with `value`, by the rule that failed.
failure explain(const json_file& file, const std::string& pointer, const rapidjson::Value& value,
                const std::string& rule, const rapidjson::Value& schema) {
  auto wrong = [&](const std::string& problem) { return file.error_at(pointer, problem); };
  if (rule == "type" && schema["type"].IsString())
    return wrong(std::string{"expected "} + type_in_words(schema["type"].GetString()));
  if (rule == "required")
    for (auto& x : schema["required"].GetArray())
      if (!value.HasMember(x))
        return wrong("the key \"" + std::string{x.GetString()} + "\" is missing");
  if (rule == "enum")
    return wrong("expected one of " + list_of(schema["enum"]));
  if (rule == "minimum")
    return wrong("must be " + std::string{schema.HasMember("exclusiveMinimum") ? "more than "
                                                                                : "at least "}
                 + number(schema["minimum"]));
  if (rule == "maximum")
    return wrong("must be at most " + number(schema["maximum"]));
  if (rule == "minItems")
    return wrong("needs at least " + number(schema["minItems"]) + " entries");
  if (rule == "minLength")
    return wrong("must not be empty");
  return wrong("does not fit (" + rule + ")");
}

/// The pointer of the first key that `schema` does not know; empty if there is none. RapidJSON finds
/// them too, but does not say which keys would have been right.
std::string unknown_key(const rapidjson::Value& schema, const rapidjson::Value& value,
                        const std::string& pointer, std::string& problem) {
  if (value.IsArray() && schema.HasMember("items"))
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
      auto found = unknown_key(schema["items"], value[i], pointer + "/" + std::to_string(i), problem);
      if (!found.empty())
        return found;
    }
  if (!value.IsObject() || !schema.HasMember("properties"))
    return {};
  auto& properties = schema["properties"];
  for (auto& member : value.GetObject()) {
    std::string key{member.name.GetString(), member.name.GetStringLength()};
    auto below = pointer + "/" + escaped(key);
    if (!properties.HasMember(member.name)) {
      auto meant = closest_word(key, keys_of(properties));
      problem = "unknown key \"" + key + "\""
                + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?");
      return below;
    }
    auto found = unknown_key(properties[member.name], member.value, below, problem);
    if (!found.empty())
      return found;
  }
  return {};
}

} // namespace

failure json_file::error_at(const std::string& pointer, const std::string& problem) const {
  rapidjson::MemoryStream in{text.data(), text.size()};
  finder place{in, pointer};
  rapidjson::Reader{}.Parse<parse_flags>(in, place);
  return {ec::bad_config, name + ":" + std::to_string(line_at(text, place.offset)) + ": "
                            + (pointer.empty() ? "/" : pointer) + ": " + problem};
}

result<json_file> parse_json(std::string_view text, const std::string& name) {
  if (text.size() > max_bytes)
    return {ec::bad_config, name + ": larger than " + std::to_string(max_bytes) + " bytes"};
  json_file out;
  out.name = name;
  out.text = text;
  rapidjson::MemoryStream in{text.data(), text.size()};
  rapidjson::ParseResult parsed;
  std::string problem;
  auto generate = [&](rapidjson::Document& to) {
    checker handler{to};
    parsed = rapidjson::Reader{}.Parse<parse_flags>(in, handler);
    problem = handler.problem;
    return !parsed.IsError();
  };
  out.value.Populate(generate);
  if (!parsed.IsError())
    return out;
  auto at = problem.empty() ? parsed.Offset() : in.Tell();
  if (problem.empty())
    problem = rapidjson::GetParseError_En(parsed.Code());
  return {ec::bad_config, name + ":" + std::to_string(line_at(text, at)) + ": " + problem};
}

result<json_file> load_json(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  if (in.peek() != std::ifstream::traits_type::eof()) // An empty file is read, too.
    text << in.rdbuf();
  if (!in.is_open() || in.bad() || !text)
    return {ec::bad_config, path + ": " + std::strerror(errno ? errno : EISDIR)};
  return parse_json(text.str(), path);
}

status check_schema(const json_file& file, std::string_view schema_text) {
  rapidjson::Document schema;
  schema.Parse(schema_text.data(), schema_text.size());
  if (schema.HasParseError())
    return {ec::internal, std::string{"the schema itself: "}
                            + rapidjson::GetParseError_En(schema.GetParseError())};
  std::string problem;
  auto unknown = unknown_key(schema, file.value, "", problem);
  if (!unknown.empty())
    return file.error_at(unknown, problem);
  rapidjson::SchemaDocument rules{schema};
  rapidjson::SchemaValidator validator{rules};
  if (file.value.Accept(validator))
    return done{};
  auto pointer = text_of(validator.GetInvalidDocumentPointer());
  auto* value = rapidjson::Pointer{pointer.c_str(), pointer.size()}.Get(file.value);
  auto* rule = validator.GetInvalidSchemaPointer().Get(schema);
  if (!value || !rule || !rule->IsObject())
    return file.error_at(pointer, "does not fit the schema");
  return explain(file, pointer, *value, validator.GetInvalidSchemaKeyword(), *rule);
}

} // namespace qnfv
