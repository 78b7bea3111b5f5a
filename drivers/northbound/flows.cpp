#include "drivers/northbound/flows.hpp"

#include "drivers/http/json.hpp"
#include "drivers/northbound/elements.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <charconv>

namespace qnfv {

namespace {

using writer = rapidjson::Writer<rapidjson::StringBuffer>;

failure wrong(std::string text) {
  return {ec::invalid_argument, std::move(text)};
}

int digit(char x) {
  if (x >= '0' && x <= '9')
    return x - '0';
  if (x >= 'a' && x <= 'f')
    return x - 'a' + 10;
  return x >= 'A' && x <= 'F' ? x - 'A' + 10 : -1;
}

/// RFC 3986; false for a '%' that is followed by no byte, or by a zero.
bool percent_decode(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    auto high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
    auto low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0)
      return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

bool take_number(std::string_view text, uint16_t& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

/// A value as Hydrogen writes it: a string.
std::string word(const rapidjson::Value& x) {
  if (x.IsString())
    return std::string{text_of(x)};
  if (x.IsUint())
    return std::to_string(x.GetUint());
  return x.IsBool() ? x.GetBool() ? "true" : "false" : "";
}

std::string word(const rapidjson::Value& object, const char* name) {
  auto x = object.FindMember(name);
  return x == object.MemberEnd() ? std::string{} : word(x->value);
}

/// What both forms say.
struct raw_flow {
  std::string name, type, id, ingress, priority, install;
  std::vector<std::string> actions;
};

result<flow_config> check(const raw_flow& x) {
  flow_config out;
  out.name = x.name;
  out.type = x.type;
  out.id = x.id;
  if (x.type.empty() || x.id.empty())
    return wrong("the node is missing: its type and its id");
  if (!take_number(x.ingress, out.ingress) || out.ingress == 0)
    return wrong("ingressPort must be a port number");
  if (!x.priority.empty() && !take_number(x.priority, out.priority))
    return wrong("priority must be 0 to 65535");
  if (!x.install.empty() && x.install != "true" && x.install != "false")
    return wrong("installInHw must be true or false");
  out.install = x.install != "false";
  constexpr std::string_view output = "OUTPUT=";
  if (x.actions.size() != 1 || x.actions[0].compare(0, output.size(), output) != 0
      || !take_number(std::string_view{x.actions[0]}.substr(output.size()), out.egress)
      || out.egress == 0)
    return wrong("actions must be [\"OUTPUT=PORT\"]: a circuit switch can do one thing only");
  return out;
}

void put(writer& out, const char* name, const std::string& text) {
  out.Key(name);
  out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void put(writer& out, const flow_config& x) {
  out.StartObject();
  put(out, "installInHw", x.install ? "true" : "false");
  put(out, "name", x.name);
  out.Key("node");
  out.StartObject();
  put(out, "type", x.type);
  put(out, "id", x.id);
  out.EndObject();
  put(out, "ingressPort", std::to_string(x.ingress));
  put(out, "priority", std::to_string(x.priority));
  out.Key("actions");
  out.StartArray();
  auto action = "OUTPUT=" + std::to_string(x.egress);
  out.String(action.data(), static_cast<rapidjson::SizeType>(action.size()));
  out.EndArray();
  out.EndObject();
}

} // namespace

flow_target parse_flow_target(std::string_view target) {
  using depth = flow_target::depth;
  std::string_view prefix = northbound_prefix;
  if (target.substr(0, prefix.size()) != prefix)
    return {};
  target.remove_prefix(prefix.size());
  std::vector<std::string> parts;
  while (!target.empty() && parts.size() <= 6) {
    if (target.front() != '/')
      return {};
    target.remove_prefix(1);
    auto end = std::min(target.find('/'), target.size());
    parts.emplace_back();
    if (!percent_decode(target.substr(0, end), parts.back()) || parts.back().empty())
      return {};
    target.remove_prefix(end);
  }
  flow_target out;
  auto n = parts.size();
  if (!target.empty() || (n != 1 && n != 4 && n != 6) || (n > 1 && parts[1] != "node")
      || (n > 4 && parts[4] != "staticFlow"))
    return {};
  out.level = n == 1 ? depth::container : n == 4 ? depth::node : depth::flow;
  out.container = parts[0];
  if (n > 1) {
    out.type = parts[2];
    out.id = parts[3];
  }
  if (n > 4)
    out.name = parts[5];
  return out;
}

result<flow_config> parse_flow_json(std::string_view body) {
  auto in = parse_object(body);
  if (!in)
    return in.error();
  raw_flow x;
  x.name = word(*in, "name");
  x.ingress = word(*in, "ingressPort");
  x.priority = word(*in, "priority");
  x.install = word(*in, "installInHw");
  auto node = in->FindMember("node");
  if (node != in->MemberEnd() && node->value.IsObject()) {
    x.type = word(node->value, "type");
    x.id = word(node->value, "id");
  }
  auto actions = in->FindMember("actions");
  if (actions != in->MemberEnd() && actions->value.IsArray()) {
    for (auto& action : actions->value.GetArray())
      if (x.actions.size() < 2)
        x.actions.push_back(word(action));
  } else if (actions != in->MemberEnd()) {
    x.actions.push_back(word(actions->value));
  }
  return check(x);
}

result<flow_config> parse_flow_xml(std::string_view body) {
  auto elements = parse_elements(body);
  if (!elements)
    return elements.error();
  raw_flow x;
  for (auto& [path, text] : *elements) {
    if (path == "/flowConfig/name")
      x.name = text;
    else if (path == "/flowConfig/ingressPort")
      x.ingress = text;
    else if (path == "/flowConfig/priority")
      x.priority = text;
    else if (path == "/flowConfig/installInHw")
      x.install = text;
    else if (path == "/flowConfig/node/type")
      x.type = text;
    else if (path == "/flowConfig/node/id")
      x.id = text;
    else if (path == "/flowConfig/actions" && x.actions.size() < 2)
      x.actions.push_back(text);
  }
  return check(x);
}

std::string print_flow(const flow_config& x) {
  rapidjson::StringBuffer to;
  writer out{to};
  put(out, x);
  return {to.GetString(), to.GetSize()};
}

std::string print_flows(const std::vector<flow_config>& flows) {
  rapidjson::StringBuffer to;
  writer out{to};
  out.StartObject();
  out.Key("flowConfig");
  out.StartArray();
  for (auto& x : flows)
    put(out, x);
  out.EndArray();
  out.EndObject();
  return {to.GetString(), to.GetSize()};
}

uint16_t northbound_status(ec code) {
  switch (code) {
  case ec::busy:
  case ec::already_exists:
    return 409;
  case ec::not_found:
    return 404;
  case ec::invalid_argument:
    return 400;
  case ec::site_unreachable:
  case ec::maybe_executed:
    return 503;
  default:
    return 500;
  }
}

} // namespace qnfv
