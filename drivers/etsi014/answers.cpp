#include "drivers/etsi014/codec.hpp"
#include "drivers/http/json.hpp"
#include "runtime/base/base64.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstring>

namespace qnfv {

namespace {

using writer = rapidjson::Writer<rapidjson::StringBuffer>;

void put(writer& to, const char* name, const std::string& value) {
  to.Key(name);
  to.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

void put(writer& to, const char* name, uint64_t value) {
  to.Key(name);
  to.Uint64(value);
}

secret body_of(const rapidjson::StringBuffer& x) {
  return secret{byte_view{std::string_view{x.GetString(), x.GetSize()}}};
}

/// Counts what a container needs, so that it is written into one secret of the right size.
class counter {
public:
  void text(std::string_view x) { size += x.size(); }
  void base64(byte_view x) { size += base64_size(x.size()); }
  size_t size = 0;
};

class filler {
public:
  explicit filler(uint8_t* to) : to_(to) {}
  void text(std::string_view x) {
    std::memcpy(to_, x.data(), x.size());
    to_ += x.size();
  }
  void base64(byte_view x) {
    write_base64(x, to_);
    to_ += base64_size(x.size());
  }

private:
  uint8_t* to_;
};

/// Key ids and names of sites need no escapes.
template <class Sink>
void write_container(Sink& to, const key_grants& x) {
  to.text(R"({"keys":[)");
  bool first = true;
  for (auto& key : x.keys) {
    to.text(std::exchange(first, false) ? R"({"key_ID":")" : R"(,{"key_ID":")");
    to.text(to_string(key.id));
    to.text(R"(","key":")");
    to.base64(key.material.view());
    to.text("\"");
    if (!key.exposed_to.empty()) {
      to.text(R"(,"key_extension":{"qnfv_exposed_to":[)");
      for (auto& site : key.exposed_to) {
        to.text(&site == &key.exposed_to.front() ? "\"" : ",\"");
        to.text(site.value);
        to.text("\"");
      }
      to.text("]}");
    }
    to.text("}");
  }
  to.text("]}");
}

result<key_grant> parse_key(const rapidjson::Value& x) {
  failure bad{ec::invalid_argument, "a key without key_ID and key"};
  if (!x.IsObject() || !x.HasMember("key_ID") || !x["key_ID"].IsString() || !x.HasMember("key")
      || !x["key"].IsString())
    return bad;
  auto id = parse_uuid(text_of(x["key_ID"]));
  auto bits = from_base64(text_of(x["key"]));
  if (!id || !bits)
    return bad;
  key_grant out{{*id}, std::move(*bits), {}};
  if (!x.HasMember("key_extension") || !x["key_extension"].IsObject()
      || !x["key_extension"].HasMember("qnfv_exposed_to"))
    return out;
  auto& sites = x["key_extension"]["qnfv_exposed_to"];
  if (!sites.IsArray())
    return {ec::invalid_argument, "qnfv_exposed_to is not an array"};
  for (auto& site : sites.GetArray()) {
    if (!site.IsString())
      return {ec::invalid_argument, "qnfv_exposed_to does not hold names"};
    out.exposed_to.push_back(site_id{std::string{text_of(site)}});
  }
  return out;
}

} // namespace

etsi014_error error_for(const failure& why, bool fetching, const etsi014_compat& compat) {
  switch (why.code) {
  case ec::not_allowed:
    return {401, "the certificate does not allow this", {}, {}};
  case ec::invalid_argument:
    return {400, why.text, {}, {}};
  case ec::unknown_key:
    if (fetching) // Literal, whatever the pool says.
      return {compat.unknown_key_status, "one or more keys specified are not found on KME", {}, {}};
    break;
  case ec::key_exhausted:
    return {503, "not enough keys; try again later", 0, {}};
  default:
    break;
  }
  return {
      503, "no keys can be delivered now (" + to_string(why.code) + "); try again later", {}, {}};
}

http_response answer(const etsi014_error& x) {
  rapidjson::StringBuffer buffer;
  writer out{buffer};
  out.StartObject();
  put(out, "message", x.message);
  if (x.stored_key_count) {
    out.Key("details");
    out.StartArray();
    out.StartObject();
    put(out, "stored_key_count", *x.stored_key_count);
    out.EndObject();
    out.EndArray();
  }
  out.EndObject();
  http_response response;
  response.status = x.status;
  response.body = body_of(buffer);
  if (!x.allow.empty())
    response.headers.emplace_back("Allow", x.allow);
  return response;
}

http_response answer(const application_status& x) {
  rapidjson::StringBuffer buffer;
  writer out{buffer};
  out.StartObject();
  put(out, "source_KME_ID", x.source.value);
  put(out, "target_KME_ID", x.target.value);
  put(out, "master_SAE_ID", x.master);
  put(out, "slave_SAE_ID", x.slave);
  put(out, "key_size", x.key_size_bits);
  put(out, "stored_key_count", x.stored_keys);
  put(out, "max_key_count", x.stored_keys_max);
  put(out, "max_key_per_request", x.keys_per_request_max);
  put(out, "max_key_size", x.key_size_bits_max);
  put(out, "min_key_size", x.key_size_bits_min);
  put(out, "max_SAE_ID_count", x.additional_slaves_max);
  out.EndObject();
  http_response response;
  response.body = body_of(buffer);
  return response;
}

http_response answer(const key_grants& x) {
  counter needed;
  write_container(needed, x);
  http_response response;
  response.body = secret{needed.size};
  filler out{response.body.data()};
  write_container(out, x);
  return response;
}

result<key_grants> parse_key_container(secret body) {
  secret text{body.size() + 1};
  if (!body.empty())
    std::memcpy(text.data(), body.view().data(), body.size());
  auto parsed = parse_object_in_place(reinterpret_cast<char*>(text.data()));
  if (!parsed)
    return parsed.error();
  // The table of the standard prints "Keys", its examples "keys".
  auto* name = parsed->HasMember("keys") ? "keys" : "Keys";
  if (!parsed->HasMember(name) || !(*parsed)[name].IsArray())
    return {ec::invalid_argument, "no array of keys"};
  key_grants out;
  for (auto& x : (*parsed)[name].GetArray()) {
    auto key = parse_key(x);
    if (!key)
      return key.error();
    out.keys.push_back(std::move(*key));
  }
  return out;
}

} // namespace qnfv
