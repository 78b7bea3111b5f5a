#include "drivers/northbound/elements.hpp"

#include "runtime/base/utf8.hpp"

#include <algorithm>

namespace qnfv {

namespace {

constexpr size_t name_max = 40;

bool is_blank(char x) {
  return x == ' ' || x == '\t' || x == '\r' || x == '\n';
}

bool is_name(std::string_view x) {
  return !x.empty() && x.size() <= name_max && std::all_of(x.begin(), x.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-' || c == '.' || c == ':';
  });
}

std::string_view trimmed(std::string_view x) {
  while (!x.empty() && is_blank(x.front()))
    x.remove_prefix(1);
  while (!x.empty() && is_blank(x.back()))
    x.remove_suffix(1);
  return x;
}

bool decode(std::string_view x, std::string& out) {
  struct entity {
    std::string_view name;
    char value;
  };
  static constexpr entity entities[] = {
    {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  while (!x.empty()) {
    if (x.front() != '&') {
      out += x.front();
      x.remove_prefix(1);
      continue;
    }
    auto known = std::find_if(std::begin(entities), std::end(entities),
                              [&](auto& y) { return x.substr(0, y.name.size()) == y.name; });
    if (known == std::end(entities))
      return false;
    out += known->value;
    x.remove_prefix(known->name.size());
  }
  return true;
}

/// The length of a tag's inside up to its '>', which may stand in an attribute's value, too.
size_t tag_end(std::string_view x) {
  char quote = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (quote != 0)
      quote = x[i] == quote ? 0 : quote;
    else if (x[i] == '"' || x[i] == '\'')
      quote = x[i];
    else if (x[i] == '>')
      return i;
  }
  return std::string_view::npos;
}

} // namespace

result<std::vector<xml_leaf>> parse_elements(std::string_view text) {
  auto wrong = [](const char* why) {
    return failure{ec::invalid_argument, std::string{"the body is not the XML of a flow: "} + why};
  };
  std::vector<xml_leaf> out;
  std::vector<std::string> open;
  bool leaf = false, begun = false;
  auto path = [&] {
    std::string whole;
    for (auto& x : open)
      whole += "/" + x;
    return whole;
  };
  auto close = [&](std::string_view content) {
    if (leaf) {
      if (out.size() == xml_leaves_max)
        return false;
      out.push_back({path(), {}});
      if (!decode(trimmed(content), out.back().text))
        return false;
    }
    leaf = false;
    open.pop_back();
    return true;
  };
  if (!is_utf8(text))
    return wrong("it is not UTF-8");
  text = trimmed(text);
  if (text.substr(0, 5) == "<?xml")
    text.remove_prefix(std::min(text.size(), text.find("?>") + 2));
  text = trimmed(text);
  while (!text.empty()) {
    auto begin = text.find('<');
    auto content = text.substr(0, begin);
    if (begin == std::string_view::npos || (!leaf && !trimmed(content).empty()))
      return wrong("text where none belongs");
    text.remove_prefix(begin + 1);
    auto end = tag_end(text);
    if (end == std::string_view::npos)
      return wrong("a tag does not end");
    auto tag = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (!tag.empty() && tag.front() == '/') {
      if (open.empty() || trimmed(tag.substr(1)) != open.back())
        return wrong("an end without its beginning");
      if (!close(content))
        return wrong("too much, or a '&' that is none");
      if (open.empty() && !trimmed(text).empty())
        return wrong("something follows it");
      continue;
    }
    if (leaf && !trimmed(content).empty())
      return wrong("text beside elements");
    auto empty = !tag.empty() && tag.back() == '/';
    if (empty)
      tag.remove_suffix(1);
    auto name = tag.substr(0, tag.find_first_of(" \t\r\n"));
    if (!is_name(name) || open.size() == xml_depth_max || (open.empty() && begun))
      return wrong("a tag that is not expected");
    begun = true;
    open.emplace_back(name);
    leaf = true;
    if (empty && !close({}))
      return wrong("too many elements");
  }
  if (!open.empty() || !begun)
    return wrong("it does not end");
  return out;
}

} // namespace qnfv
