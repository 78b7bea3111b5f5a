#include "drivers/etsi014/codec.hpp"
#include "drivers/http/json.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace qnfv {

namespace {

constexpr std::string_view prefix = "/api/v1/keys/";
constexpr std::string_view application_uri = "qnfv:application:";
constexpr size_t sae_id_bytes_max = 255;

etsi014_error bad(std::string message) {
  return {400, std::move(message), {}, {}};
}

int hex_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/// RFC 3986, 2.1. Nothing if a % is not followed by two hexadecimal digits.
std::optional<std::string> url_decoded(std::string_view x) {
  std::string out;
  out.reserve(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] != '%') {
      out += x[i];
      continue;
    }
    if (x.size() - i < 3 || hex_value(x[i + 1]) < 0 || hex_value(x[i + 2]) < 0)
      return std::nullopt;
    out += static_cast<char>(hex_value(x[i + 1]) * 16 + hex_value(x[i + 2]));
    i += 2;
  }
  return out;
}

struct parameter {
  std::string name;
  std::string value;
};

std::optional<std::vector<parameter>> parse_query(std::string_view x) {
  std::vector<parameter> out;
  while (!x.empty()) {
    auto part = x.substr(0, x.find('&'));
    x.remove_prefix(std::min(part.size() + 1, x.size()));
    if (part.empty())
      continue;
    auto name = part.substr(0, part.find('='));
    part.remove_prefix(std::min(name.size() + 1, part.size()));
    auto name_text = url_decoded(name);
    auto value = url_decoded(part);
    if (!name_text || !value)
      return std::nullopt;
    out.push_back({std::move(*name_text), std::move(*value)});
  }
  return out;
}

/// A whole number of at most 32 bits. Larger ones become the largest: no bound is as high.
std::optional<uint32_t> whole_number(std::string_view x) {
  if (x.empty() || x.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  uint32_t out = 0;
  auto parsed = std::from_chars(x.data(), x.data() + x.size(), out);
  return parsed.ec == std::errc::result_out_of_range ? UINT32_MAX : out;
}

std::optional<uint32_t> whole_number(const rapidjson::Value& x) {
  if (!x.IsUint64())
    return std::nullopt;
  return static_cast<uint32_t>(std::min<uint64_t>(x.GetUint64(), UINT32_MAX));
}

etsi014_error not_whole(const std::string& name) {
  return bad(name + " shall be a whole number");
}

// -- enc_keys
// --------------------------------------------------------------------------------------

etsi014_call get_enc_keys(draw_keys out, const std::vector<parameter>& query) {
  bool has_number = false, has_size = false;
  for (auto& x : query) {
    auto& seen = x.name == "number" ? has_number : has_size;
    if (x.name != "number" && x.name != "size")
      return bad("only number and size are parameters of a GET; anything else needs a POST");
    if (std::exchange(seen, true))
      return bad(x.name + " is there twice");
    auto value = whole_number(x.value);
    if (!value)
      return not_whole(x.name);
    (x.name == "number" ? out.number : out.size_bits) = *value;
  }
  return out;
}

etsi014_call post_enc_keys(draw_keys out, const std::string& text) {
  auto body = parse_object(text);
  if (!body)
    return bad(body.error().text);
  for (auto [name, to] :
       {std::make_pair("number", &out.number), std::make_pair("size", &out.size_bits)}) {
    if (!body->HasMember(name))
      continue;
    auto value = whole_number((*body)[name]);
    if (!value)
      return not_whole(name);
    *to = *value;
  }
  if (body->HasMember("additional_slave_SAE_IDs")) {
    auto& slaves = (*body)["additional_slave_SAE_IDs"];
    if (!slaves.IsArray())
      return bad("additional_slave_SAE_IDs shall be an array");
    for (auto& x : slaves.GetArray()) {
      if (!x.IsString() || x.GetStringLength() > sae_id_bytes_max)
        return bad("additional_slave_SAE_IDs shall hold SAE ids");
      out.additional_slaves.emplace_back(text_of(x));
    }
  }
  for (auto* name : {"extension_mandatory", "extension_optional"})
    if (body->HasMember(name) && !(*body)[name].IsArray())
      return bad(std::string{name} + " shall be an array");
  if (body->HasMember("extension_mandatory") && !(*body)["extension_mandatory"].Empty())
    return bad("not all extension_mandatory parameters are supported"); // Literal.
  return out;
}

// -- dec_keys
// --------------------------------------------------------------------------------------

etsi014_error no_uuid() {
  return bad("key_ID shall be a UUID");
}

etsi014_call get_dec_keys(fetch_keys out, const std::vector<parameter>& query) {
  if (query.size() != 1 || query[0].name != "key_ID")
    return bad("a GET names one key by key_ID; anything else needs a POST");
  auto id = parse_uuid(query[0].value);
  if (!id)
    return no_uuid();
  out.keys.push_back({*id});
  return out;
}

etsi014_call post_dec_keys(fetch_keys out, const std::string& text) {
  auto body = parse_object(text);
  if (!body)
    return bad(body.error().text);
  if (!body->HasMember("key_IDs") || !(*body)["key_IDs"].IsArray())
    return bad("key_IDs shall be an array");
  for (auto& x : (*body)["key_IDs"].GetArray()) {
    if (!x.IsObject() || !x.HasMember("key_ID") || !x["key_ID"].IsString())
      return bad("key_IDs shall hold objects with a key_ID");
    auto id = parse_uuid(text_of(x["key_ID"]));
    if (!id)
      return no_uuid();
    out.keys.push_back({*id});
  }
  return out;
}

} // namespace

std::optional<identity_rule> parse_identity_rule(std::string_view x) {
  if (x == "cn")
    return identity_rule::common_name;
  if (x == "dns")
    return identity_rule::dns;
  if (x == "uri")
    return identity_rule::uri;
  return std::nullopt;
}

proven_names names_of(const caller_names& x, identity_rule rule) {
  if (rule == identity_rule::common_name)
    return x.common_name.empty() ? proven_names{} : proven_names{x.common_name};
  if (rule == identity_rule::dns)
    return x.dns;
  proven_names out;
  for (auto& uri : x.uris) {
    out.push_back(uri);
    if (uri.compare(0, application_uri.size(), application_uri) == 0)
      out.push_back(uri.substr(application_uri.size()));
  }
  return out;
}

etsi014_call parse_call(const http_request& x, const etsi014_compat& compat) {
  std::string_view path = x.target, query;
  if (auto mark = path.find('?'); mark != std::string_view::npos) {
    query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  etsi014_error nothing_here{404, "no such path; see ETSI GS QKD 014, clause 5", {}, {}};
  if (path.substr(0, prefix.size()) != prefix)
    return nothing_here;
  path.remove_prefix(prefix.size());
  auto slash = path.find('/');
  if (slash == std::string_view::npos || slash == 0)
    return nothing_here;
  auto method = path.substr(slash + 1);
  if (method != "status" && method != "enc_keys" && method != "dec_keys")
    return nothing_here;
  bool post = x.method == "POST";
  if (!post && x.method != "GET")
    return etsi014_error{405, "no such method", {}, method == "status" ? "GET" : "GET, POST"};
  if (post && method == "status")
    return etsi014_error{405, "no such method", {}, "GET"};
  auto sae = url_decoded(path.substr(0, slash));
  if (!sae || sae->size() > sae_id_bytes_max)
    return bad("the SAE id in the path is not URL-encoded, or too long");
  if (method == "status")
    return application_status_query{{}, std::move(*sae)};
  auto parameters = parse_query(query);
  if (!parameters)
    return bad("the parameters are not URL-encoded");
  if (post && !parameters->empty())
    return bad("a POST has its parameters in the body");
  if (method == "dec_keys") {
    fetch_keys out{{}, std::move(*sae), {}};
    return post ? post_dec_keys(std::move(out), x.body) : get_dec_keys(std::move(out), *parameters);
  }
  draw_keys out;
  out.slave = std::move(*sae);
  if (!post)
    return get_enc_keys(std::move(out), *parameters);
  if (!x.body.empty())
    return post_enc_keys(std::move(out), x.body);
  if (!compat.post_without_body)
    return bad("a POST has a body");
  return out;
}

} // namespace qnfv
