#include "drivers/http/json.hpp"
#include "drivers/restconf/codec.hpp"

#include <algorithm>
#include <charconv>

namespace qnfv {

namespace {

using value = rapidjson::Value;

/// "pair" of "optical-switch:pair".
std::string_view local_name(std::string_view x) {
  auto colon = x.rfind(':');
  return colon == std::string_view::npos ? x : x.substr(colon + 1);
}

const value* member(const value& object, std::string_view name) {
  for (auto& x : object.GetObject())
    if (local_name(text_of(x.name)) == name)
      return &x.value;
  return nullptr;
}

/// 0: no port.
uint16_t port_in(const value* x) {
  if (!x)
    return 0;
  if (x->IsUint())
    return x->GetUint() <= 65535 ? static_cast<uint16_t>(x->GetUint()) : 0;
  if (!x->IsString())
    return 0;
  auto text = text_of(*x);
  uint16_t out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() ? out : 0;
}

std::string words(const value* x) {
  if (!x || !x->IsString())
    return {};
  std::string out{text_of(*x).substr(0, 128)};
  for (auto& c : out)
    if (c < ' ' || c > '~')
      c = '?';
  return out;
}

failure wrong(std::string text) {
  return {ec::invalid_argument, std::move(text)};
}

/// The list of one of these names, at the top or in its container. The document must outlive it.
result<const value*> find_list(const rapidjson::Document& in, std::string_view container,
                               std::initializer_list<std::string_view> names) {
  const value* level = &in;
  if (auto* below = member(in, container); below && below->IsObject())
    level = below;
  for (auto name : names)
    if (auto* list = member(*level, name)) {
      if (!list->IsArray())
        return wrong("\"" + std::string(name) + "\" is not a list");
      if (list->Size() > restconf_entries_max)
        return wrong("\"" + std::string(name) + "\" has too many entries");
      return list;
    }
  // An empty container.
  static const value nothing{rapidjson::kArrayType};
  if (level != &in)
    return &nothing;
  return wrong("the list \"" + std::string(*names.begin()) + "\" is missing");
}

/// Numbers of a list; nothing if one is none.
result<std::vector<uint16_t>> ports_in(const value* list) {
  std::vector<uint16_t> out;
  if (!list)
    return out;
  if (!list->IsArray() || list->Size() > restconf_entries_max)
    return wrong("expected a list of port numbers");
  for (auto& x : list->GetArray()) {
    out.push_back(port_in(&x));
    if (out.back() == 0)
      return wrong("a port number is none");
  }
  return out;
}

} // namespace

result<restconf_pairs> parse_restconf_pairs(std::string_view body) {
  auto in = parse_object(body);
  if (!in)
    return in.error();
  auto list = find_list(*in, "cross-connects", {"pair", "pairs"});
  if (!list)
    return list.error();
  restconf_pairs out;
  for (auto& x : (*list)->GetArray()) {
    if (!x.IsObject())
      return wrong("an entry of \"pair\" is no object");
    restconf_pair pair{port_in(member(x, "ingress")), port_in(member(x, "egress"))};
    if (pair.ingress == 0 || pair.egress == 0)
      return wrong("an entry of \"pair\" has no ingress or no egress from 1 to 65535");
    out.push_back(pair);
  }
  return out;
}

result<std::vector<restconf_port>> parse_restconf_ports(std::string_view body) {
  auto in = parse_object(body);
  if (!in)
    return in.error();
  auto list = find_list(*in, "port-config", {"port", "ports"});
  if (!list)
    return list.error();
  std::vector<restconf_port> out;
  for (auto& x : (*list)->GetArray()) {
    if (!x.IsObject())
      return wrong("an entry of \"port\" is no object");
    restconf_port port{port_in(member(x, "port-id")), restconf_state::unsupported};
    if (port.id == 0)
      return wrong("an entry of \"port\" has no port-id from 1 to 65535");
    auto state = words(member(x, "status"));
    if (state == "ENABLED")
      port.state = restconf_state::enabled;
    else if (state == "DISABLED")
      port.state = restconf_state::disabled;
    else if (state == "FAILED")
      port.state = restconf_state::failed;
    out.push_back(port);
  }
  return out;
}

result<restconf_product> parse_restconf_product(std::string_view body) {
  auto in = parse_object(body);
  if (!in)
    return in.error();
  const value* level = member(*in, "product-information");
  if (level && !level->IsObject())
    return wrong("\"product-information\" is no object");
  if (!level)
    level = &*in;
  restconf_product out;
  out.manufacturer = words(member(*level, "manufacturer"));
  out.serial_number = words(member(*level, "serial-number"));
  out.model_name = words(member(*level, "model-name"));
  out.software_version = words(member(*level, "software-version"));
  if (out.manufacturer.empty() && out.model_name.empty())
    return wrong("neither a manufacturer nor a model-name");
  return out;
}

result<restconf_port_change> parse_restconf_port_change(std::string_view body) {
  auto in = parse_object(body);
  if (!in)
    return in.error();
  auto* input = member(*in, "input");
  if (!input || !input->IsObject())
    return wrong("the object \"input\" is missing");
  auto enable = ports_in(member(*input, "port-enab"));
  auto disable = ports_in(member(*input, "port-disab"));
  if (!enable || !disable)
    return enable ? disable.error() : enable.error();
  return restconf_port_change{std::move(*enable), std::move(*disable)};
}

restconf_error parse_restconf_error(std::string_view body) {
  auto in = parse_object(body);
  if (!in)
    return {};
  auto* level = member(*in, "errors");
  if (level && level->IsObject())
    level = member(*level, "error");
  if (level && level->IsArray())
    level = level->Empty() ? nullptr : &(*level)[0];
  if (!level || !level->IsObject())
    return {{}, words(member(*in, "message"))};
  return {words(member(*level, "error-tag")), words(member(*level, "error-message"))};
}

} // namespace qnfv
