#include "runtime/config/json.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/pointer.h>
#include <rapidjson/reader.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <cstdio>
#include <set>
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

/// Passes each event on to the document and notes where its value stood.
class locator {
public:
  using Ch = char;

  locator(rapidjson::Document& to, const rapidjson::MemoryStream& in, std::string_view text,
          std::map<std::string, int>& lines)
    : to_(to), in_(in), text_(text), lines_(lines) {}

  std::string problem;

  bool Null() { return value() && to_.Null(); }
  bool Bool(bool x) { return value() && to_.Bool(x); }
  bool Int(int x) { return value() && to_.Int(x); }
  bool Uint(unsigned x) { return value() && to_.Uint(x); }
  bool Int64(int64_t x) { return value() && to_.Int64(x); }
  bool Uint64(uint64_t x) { return value() && to_.Uint64(x); }
  bool Double(double x) { return value() && to_.Double(x); }
  bool RawNumber(const char* x, rapidjson::SizeType n, bool copy) {
    return value() && to_.RawNumber(x, n, copy);
  }
  bool String(const char* x, rapidjson::SizeType n, bool copy) {
    return value() && to_.String(x, n, copy);
  }
  bool StartObject() { return open('{') && to_.StartObject(); }
  bool Key(const char* x, rapidjson::SizeType n, bool copy) {
    auto& level = levels_.back();
    level.key.assign(x, n);
    if (!level.keys.insert(level.key).second) {
      problem = "the key \"" + level.key + "\" is there twice";
      return false;
    }
    return to_.Key(x, n, copy);
  }
  bool EndObject(rapidjson::SizeType n) { return close() && to_.EndObject(n); }
  bool StartArray() { return open('[') && to_.StartArray(); }
  bool EndArray(rapidjson::SizeType n) { return close() && to_.EndArray(n); }

  int line() const {
    auto at = std::min(in_.Tell(), text_.size());
    return 1 + static_cast<int>(std::count(text_.begin(), text_.begin() + static_cast<long>(at), '\n'));
  }

private:
  struct level {
    char kind;
    std::string path;
    std::string key;
    std::set<std::string> keys;
    size_t index = 0;
  };

  std::string next_path() {
    if (levels_.empty())
      return "";
    auto& x = levels_.back();
    return x.path + "/" + (x.kind == '{' ? escaped(x.key) : std::to_string(x.index++));
  }

  bool value() {
    lines_[next_path()] = line();
    return true;
  }

  bool open(char kind) {
    if (levels_.size() >= max_depth) {
      problem = "more than " + std::to_string(max_depth) + " levels";
      return false;
    }
    auto path = next_path();
    lines_[path] = line();
    levels_.push_back({kind, path, {}, {}, 0});
    return true;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  rapidjson::Document& to_;
  const rapidjson::MemoryStream& in_;
  std::string_view text_;
  std::map<std::string, int>& lines_;
  std::vector<level> levels_;
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
  auto where = lines.find(pointer);
  for (auto p = pointer; where == lines.end() && !p.empty(); where = lines.find(p))
    p = p.substr(0, p.rfind('/'));
  auto line = where == lines.end() ? 1 : where->second;
  return {ec::bad_config, name + ":" + std::to_string(line) + ": "
                            + (pointer.empty() ? "/" : pointer) + ": " + problem};
}

result<json_file> parse_json(std::string_view text, const std::string& name) {
  if (text.size() > max_bytes)
    return {ec::bad_config, name + ": larger than " + std::to_string(max_bytes) + " bytes"};
  json_file out;
  out.name = name;
  rapidjson::MemoryStream in{text.data(), text.size()};
  rapidjson::ParseResult parsed;
  std::string problem;
  int line = 1;
  constexpr unsigned flags = rapidjson::kParseCommentsFlag | rapidjson::kParseIterativeFlag
                             | rapidjson::kParseFullPrecisionFlag
                             | rapidjson::kParseValidateEncodingFlag;
  auto generate = [&](rapidjson::Document& to) {
    locator handler{to, in, text, out.lines};
    rapidjson::Reader reader;
    parsed = reader.Parse<flags>(in, handler);
    problem = handler.problem;
    line = handler.line();
    return !parsed.IsError();
  };
  out.value.Populate(generate);
  if (!parsed.IsError())
    return out;
  if (problem.empty()) {
    auto at = std::min(parsed.Offset(), text.size());
    line = 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<long>(at), '\n'));
    problem = rapidjson::GetParseError_En(parsed.Code());
  }
  return {ec::bad_config, name + ":" + std::to_string(line) + ": " + problem};
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

std::string closest_word(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = std::min<size_t>(3, word.size() / 2 + 1);
  for (auto& candidate : known) {
    // Levenshtein, one row at a time.
    std::vector<size_t> row(candidate.size() + 1);
    for (size_t j = 0; j < row.size(); ++j)
      row[j] = j;
    for (size_t i = 1; i <= word.size(); ++i) {
      auto diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j < row.size(); ++j) {
        auto above = row[j];
        row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (word[i - 1] != candidate[j - 1])});
        diagonal = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

} // namespace qnfv
