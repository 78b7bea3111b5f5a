#include "runtime/tracing/event.hpp"

#include "runtime/base/names.hpp"
#include "runtime/base/utf8.hpp"
#include "runtime/tracing/sixteen.hpp"

#include <rapidjson/document.h>

#include <charconv>
#include <cstring>
#include <iterator>
#include <limits>

namespace qnfv {

namespace {
constexpr const char* kinds[] = {"send", "receive", "reply", "note", "drop"};
constexpr int64_t earliest_ns = -(int64_t{1} << 61);
constexpr int64_t latest_ns = int64_t{1} << 62;

constexpr size_t escaped_max = 6; ///< Bytes that one becomes.

template <size_t N>
char* put(char* to, const char (&literal)[N]) {
  std::memcpy(to, literal, N - 1);
  return to + N - 1;
}

template <class T>
char* put_number(char* to, T x) {
  return std::to_chars(to, to + std::numeric_limits<T>::digits10 + 2, x).ptr;
}

/// As RFC 8259 wants it.
char* put_escaped_byte(char* to, char x) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  constexpr std::string_view short_forms = "btn?fr"; // Of 8 to 13; 11 has none.
  auto c = static_cast<unsigned char>(x);
  *to++ = '\\';
  if (c >= 0x20)
    *to++ = x;
  else if (c >= 8 && c <= 13 && c != 11)
    *to++ = short_forms[c - 8u];
  else
    for (char y : {'u', '0', '0', hex[c >> 4], hex[c & 15]})
      *to++ = y;
  return to;
}

/// Which bytes must be escaped.
struct special_table {
  bool at[256]{};
  constexpr special_table() {
    for (size_t i = 0; i < 256; ++i)
      at[i] = i < 0x20 || i == '"' || i == '\\';
  }
};
constexpr special_table special;

char* put_bytes(char* to, std::string_view x) {
  for (auto c : x) {
    *to = c;
    if (special.at[static_cast<unsigned char>(c)])
      to = put_escaped_byte(to, c);
    else
      ++to;
  }
  return to;
}

char* put_escaped(char* to, std::string_view x) {
  for (; x.size() >= sixteen::size; x.remove_prefix(sixteen::size)) {
    sixteen some{x.data()};
    if (some.has_control() || some.has_any_of('"', '\\')) {
      to = put_bytes(to, x.substr(0, sixteen::size));
    } else {
      some.write(to);
      to += sixteen::size;
    }
  }
  return put_bytes(to, x);
}

trace_view view_of(const trace_event& x) {
  return {x.unix_ns, x.site, x.epoch, x.sequence, x.kind, x.trace, x.cause, x.from, x.to, x.message, x.text};
}
} // namespace

std::string to_string(trace_kind x) {
  return name_in(kinds, x);
}

size_t json_room(const trace_view& x) {
  constexpr size_t keys_and_numbers = 200;
  return keys_and_numbers
         + escaped_max * (x.site.size() + x.trace.size() + x.cause.size() + x.from.size() + x.to.size()
                          + x.message.size() + x.text.size());
}

char* write_json(char* to, const trace_view& x) {
  auto text = [&](const auto& key, std::string_view value) {
    if (value.empty())
      return;
    to = put_escaped(put(to, key), value);
    *to++ = '"';
  };
  to = put_number(put(to, "{\"t\":"), x.unix_ns);
  text(",\"site\":\"", x.site);
  to = put_number(put(to, ",\"epoch\":"), x.epoch);
  to = put_number(put(to, ",\"seq\":"), x.sequence);
  text(",\"kind\":\"", kinds[static_cast<size_t>(x.kind)]);
  text(",\"trace\":\"", x.trace);
  text(",\"cause\":\"", x.cause);
  text(",\"from\":\"", x.from);
  text(",\"to\":\"", x.to);
  text(",\"msg\":\"", x.message);
  text(",\"text\":\"", x.text);
  *to++ = '}';
  return to;
}

std::string to_json(const trace_event& event) {
  auto x = view_of(event);
  std::string out(json_room(x), '\0');
  out.resize(static_cast<size_t>(write_json(out.data(), x) - out.data()));
  return out;
}

std::optional<trace_event> parse_trace_event(std::string_view json) {
  rapidjson::Document doc;
  doc.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (doc.HasParseError() || !doc.IsObject())
    return std::nullopt;
  trace_event x;
  auto text = [&](const char* key, std::string& to) {
    auto i = doc.FindMember(key);
    if (i == doc.MemberEnd())
      return true;
    if (!i->value.IsString())
      return false;
    to = as_utf8({i->value.GetString(), i->value.GetStringLength()});
    return true;
  };
  std::string kind;
  if (!doc.HasMember("t") || !doc["t"].IsInt64() || !doc.HasMember("epoch")
      || !doc["epoch"].IsUint() || !doc.HasMember("seq") || !doc["seq"].IsUint64()
      || !text("site", x.site) || !text("kind", kind) || !text("trace", x.trace)
      || !text("cause", x.cause) || !text("from", x.from) || !text("to", x.to)
      || !text("msg", x.message) || !text("text", x.text))
    return std::nullopt;
  x.unix_ns = doc["t"].GetInt64();
  x.epoch = doc["epoch"].GetUint();
  if (x.unix_ns < earliest_ns || x.unix_ns > latest_ns || !valid_name(x.site) || x.site.size() > max_site_name)
    return std::nullopt;
  x.sequence = doc["seq"].GetUint64();
  for (size_t i = 0; i < std::size(kinds); ++i)
    if (kind == kinds[i]) {
      x.kind = static_cast<trace_kind>(i);
      return x;
    }
  return std::nullopt;
}

} // namespace qnfv
