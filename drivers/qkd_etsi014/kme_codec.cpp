#include "drivers/qkd_etsi014/kme_codec.hpp"

#include "runtime/base/base64.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cctype>
#include <cstring>
#include <set>

namespace qnfv {

namespace {

/// Parsed in place: texts of the document are views of `memory`, which is wiped with it. UTF-8 is not
/// validated: RapidJSON's validation reads past the end of a text that breaks off inside a character,
/// and nothing but printable ASCII is taken out of it.
struct secret_json {
  secret memory;
  rapidjson::Document value;

  explicit secret_json(const secret& body) : memory(body.size() + 1) {
    if (!body.empty())
      std::memcpy(memory.data(), body.view().data(), body.size());
    auto* text = reinterpret_cast<char*>(memory.data());
    // A NUL would end the text early, and what follows would be nobody's.
    whole_ = std::memchr(text, 0, body.size()) == nullptr;
    if (whole_)
      value.ParseInsitu<rapidjson::kParseIterativeFlag>(text);
  }
  bool is_object() const { return whole_ && !value.HasParseError() && value.IsObject(); }

private:
  bool whole_ = false;
};

std::string_view text_of(const rapidjson::Value& x) {
  return {x.GetString(), x.GetStringLength()};
}

/// Not there: stays as it is.
bool read_number(const rapidjson::Value& object, const char* key, uint32_t& to) {
  auto x = object.FindMember(key);
  if (x == object.MemberEnd())
    return true;
  if (!x->value.IsUint64())
    return false;
  to = static_cast<uint32_t>(std::min<uint64_t>(x->value.GetUint64(), UINT32_MAX));
  return true;
}

failure bad(const std::string& what) {
  return {ec::device_failed, "the KME's answer is none: " + what};
}

} // namespace

result<kme_status> parse_kme_status(const secret& body) {
  secret_json json{body};
  if (!json.is_object())
    return bad("no JSON object");
  kme_status out;
  for (auto [key, to] :
       {std::pair{"stored_key_count", &out.stored_keys},
        std::pair{"max_key_per_request", &out.keys_per_request},
        std::pair{"min_key_size", &out.key_bits_min}, std::pair{"max_key_size", &out.key_bits_max}})
    if (!read_number(json.value, key, *to))
      return bad(std::string{key} + " is no number");
  return out;
}

result<std::vector<drawn_key>> parse_key_container(secret body, size_t keys_max) {
  secret_json json{body};
  if (!json.is_object())
    return bad("no JSON object");
  auto list = json.value.FindMember("keys");
  if (list == json.value.MemberEnd())
    list = json.value.FindMember("Keys");
  if (list == json.value.MemberEnd() || !list->value.IsArray())
    return bad("no list of keys");
  if (list->value.Size() > keys_max)
    return bad(std::to_string(list->value.Size()) + " keys where " + std::to_string(keys_max)
               + " were asked for");
  std::vector<drawn_key> out;
  std::set<std::string> names;
  for (auto& x : list->value.GetArray()) {
    auto at = "key " + std::to_string(out.size());
    if (!x.IsObject())
      return bad(at + " is no object");
    auto name = x.FindMember("key_ID");
    auto text = x.FindMember("key");
    if (name == x.MemberEnd() || !name->value.IsString() || text == x.MemberEnd()
        || !text->value.IsString())
      return bad(at + " has no key_ID or no key");
    drawn_key key;
    key.name = std::string{text_of(name->value)};
    if (!good_key_name(key.name))
      return bad(at + " has a key_ID that is none");
    auto bits = from_base64(text_of(text->value));
    if (!bits)
      return bad(at + " is not Base64");
    if (bits->size() != key_bytes)
      return bad(at + " has " + std::to_string(8 * bits->size()) + " bits");
    key.bits = *bits;
    if (!names.insert(key.name).second)
      return bad(at + " has the key_ID of another one");
    out.push_back(std::move(key));
  }
  return out;
}

std::string kme_message(const secret& body) {
  secret_json json{body};
  if (!json.is_object())
    return {};
  for (auto* key : {"message", "detail", "error"}) {
    auto x = json.value.FindMember(key);
    if (x == json.value.MemberEnd() || !x->value.IsString())
      continue;
    std::string out{text_of(x->value).substr(0, 200)};
    for (auto& c : out)
      if (c < ' ' || c > '~')
        c = '?';
    return out;
  }
  return {};
}

std::string kme_path(const std::string& sae, const std::string& method) {
  std::string out = "/api/v1/keys/";
  for (unsigned char c : sae) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += static_cast<char>(c);
      continue;
    }
    static const char* digits = "0123456789ABCDEF";
    out += '%';
    out += digits[c >> 4];
    out += digits[c & 15];
  }
  return out + "/" + method;
}

std::string enc_keys_body(uint32_t number) {
  return "{\"number\":" + std::to_string(number) + ",\"size\":" + std::to_string(key_bits) + "}";
}

std::string dec_keys_body(const std::vector<std::string>& names) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> out{buffer};
  out.StartObject();
  out.Key("key_IDs");
  out.StartArray();
  for (auto& x : names) {
    out.StartObject();
    out.Key("key_ID");
    out.String(x.data(), static_cast<rapidjson::SizeType>(x.size()));
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

} // namespace qnfv
