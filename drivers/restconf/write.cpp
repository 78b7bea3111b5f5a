#include "drivers/restconf/codec.hpp"

#include "runtime/base/bytes.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <charconv>

namespace qnfv {

namespace {

using buffer = rapidjson::StringBuffer;
using writer = rapidjson::Writer<buffer>;

void put(writer& out, const char* name, const std::string& text) {
  out.Key(name);
  out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

std::string text_in(const buffer& x) {
  return {x.GetString(), x.GetSize()};
}

const char* name_of(restconf_state x) {
  switch (x) {
  case restconf_state::enabled:
    return "ENABLED";
  case restconf_state::disabled:
    return "DISABLED";
  case restconf_state::failed:
    return "FAILED";
  default:
    return "UNSUPPORTED";
  }
}

/// Takes `x` from the front of `text`, with or without the module's name before it.
bool take(std::string_view& text, std::string_view x) {
  auto rest = text;
  constexpr std::string_view module = "optical-switch:";
  if (rest.substr(0, module.size()) == module)
    rest.remove_prefix(module.size());
  if (rest.substr(0, x.size()) != x)
    return false;
  text = rest.substr(x.size());
  return true;
}

} // namespace

std::string print_restconf(const restconf_pairs& pairs, const std::string& list) {
  buffer to;
  writer out{to};
  out.StartObject();
  out.Key(list.data(), static_cast<rapidjson::SizeType>(list.size()));
  out.StartArray();
  for (auto& x : pairs) {
    out.StartObject();
    out.Key("ingress");
    out.Uint(x.ingress);
    out.Key("egress");
    out.Uint(x.egress);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return text_in(to);
}

std::string print_restconf(const std::vector<restconf_port>& ports) {
  buffer to;
  writer out{to};
  out.StartObject();
  out.Key("optical-switch:port");
  out.StartArray();
  for (auto& x : ports) {
    out.StartObject();
    out.Key("port-id");
    out.Uint(x.id);
    out.Key("status");
    out.String(name_of(x.state));
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return text_in(to);
}

std::string print_restconf(const restconf_product& x) {
  buffer to;
  writer out{to};
  out.StartObject();
  out.Key("optical-switch:product-information");
  out.StartObject();
  put(out, "manufacturer", x.manufacturer);
  put(out, "serial-number", x.serial_number);
  put(out, "model-name", x.model_name);
  put(out, "software-version", x.software_version);
  out.EndObject();
  out.EndObject();
  return text_in(to);
}

std::string print_restconf(const restconf_error& x) {
  buffer to;
  writer out{to};
  out.StartObject();
  out.Key("ietf-restconf:errors");
  out.StartObject();
  out.Key("error");
  out.StartArray();
  out.StartObject();
  put(out, "error-type", "application");
  put(out, "error-tag", x.tag);
  put(out, "error-message", x.message);
  out.EndObject();
  out.EndArray();
  out.EndObject();
  out.EndObject();
  return text_in(to);
}

restconf_target parse_restconf_target(std::string_view path) {
  using resource = restconf_target::resource;
  restconf_target out;
  auto list = [&](resource what, std::string_view name) {
    if (!take(path, name))
      return false;
    if (path.empty()) {
      out.what = what;
      return true;
    }
    if (path.front() != '=')
      return false;
    path.remove_prefix(1);
    auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), out.key);
    if (error == std::errc{} && end == path.data() + path.size() && out.key > 0)
      out.what = what;
    return true;
  };
  if (take(path, "/api/operations/")) {
    if (take(path, "port-set-state") && path.empty())
      out.what = resource::port_set_state;
    return out;
  }
  if (!take(path, "/api/data/"))
    return out;
  if (take(path, "product-information")) {
    if (path.empty())
      out.what = resource::product;
    return out;
  }
  auto crossings = take(path, "cross-connects");
  if (!crossings && !take(path, "port-config"))
    return out;
  auto all = crossings ? resource::pairs : resource::ports;
  if (path.empty()) {
    out.what = all;
    out.container = true;
    return out;
  }
  if (path.front() != '/')
    return out;
  path.remove_prefix(1);
  if (!crossings) {
    list(all, "port");
  } else if (auto before = path; take(before, "pairs")) {
    out.list = "pairs";
    list(all, "pairs");
  } else {
    list(all, "pair");
  }
  return out;
}

std::string restconf_etag(std::string_view body) {
  uint64_t hash = 0xcbf29ce484222325; // FNV-1a
  for (auto c : body)
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  std::array<uint8_t, 8> out{};
  store_be64(out.data(), hash);
  return "\"" + to_hex(out) + "\"";
}

bool names_etag(std::string_view field, std::string_view etag) {
  while (!field.empty()) {
    auto comma = field.find(',');
    auto one = field.substr(0, comma);
    field = comma == std::string_view::npos ? std::string_view{} : field.substr(comma + 1);
    while (!one.empty() && one.front() == ' ')
      one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ')
      one.remove_suffix(1);
    if (one.substr(0, 2) == "W/")
      one.remove_prefix(2);
    if (one == "*" || one == etag)
      return true;
  }
  return false;
}

} // namespace qnfv
