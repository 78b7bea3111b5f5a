#include "runtime/tracing/w3c.hpp"

#include "runtime/crypto/sha256.hpp"

#include <algorithm>
#include <optional>

namespace qnfv {

namespace {

constexpr size_t trace_digits = 32;
constexpr size_t parent_digits = 16;
constexpr size_t traceparent_size = 2 + 1 + trace_digits + 1 + parent_digits + 1 + 2;
constexpr std::string_view our_key = "qnfv=";

bool is_hex(std::string_view x) {
  return std::all_of(x.begin(), x.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// As W3C names it, in so many digits: what is an id there stays it.
event_id id_of(std::string_view kind, std::string_view lab, const event_id& x, size_t digits) {
  auto name = to_string(x);
  if (x.epoch == 0 && name.size() == digits)
    return x;
  std::string text;
  for (auto part : {kind, lab, std::string_view{name}})
    text.append(part).append(1, '\n');
  auto digest = sha256::of(byte_view{std::string_view{text}});
  return parse_event_id(to_hex(byte_view{digest}.part(0, digits / 2))).value_or(event_id{});
}

/// The context as others see it.
trace_context seen_by_others(const trace_context& x, std::string_view lab) {
  return {id_of("trace", lab, x.trace ? x.trace : x.cause, trace_digits),
          id_of("event", lab, x.cause, parent_digits)};
}

std::optional<trace_context> parse_traceparent(std::string_view x) {
  if (x.size() < traceparent_size)
    return std::nullopt;
  auto version = x.substr(0, 2);
  auto longer = x.size() > traceparent_size;
  if (!is_hex(version) || version == "ff" || (longer && (version == "00" || x[traceparent_size] != '-')))
    return std::nullopt;
  if (x[2] != '-' || x[3 + trace_digits] != '-' || x[traceparent_size - 3] != '-'
      || !is_hex(x.substr(traceparent_size - 2, 2)))
    return std::nullopt;
  // A name of ours can be as long as an id: from a stranger it is none.
  auto trace = x.substr(3, trace_digits), parent = x.substr(3 + trace_digits + 1, parent_digits);
  if (!is_hex(trace) || !is_hex(parent))
    return std::nullopt;
  auto trace_id = parse_event_id(trace), parent_id = parse_event_id(parent);
  return trace_id && parent_id ? std::optional{trace_context{*trace_id, *parent_id}} : std::nullopt;
}

std::string_view trimmed(std::string_view x) {
  auto begin = x.find_first_not_of(" \t");
  return begin == std::string_view::npos ? "" : x.substr(begin, x.find_last_not_of(" \t") + 1 - begin);
}

/// Our member of a tracestate; nothing if there is none.
std::optional<trace_context> parse_tracestate(std::string_view x) {
  while (!x.empty()) {
    auto comma = x.find(',');
    auto member = trimmed(x.substr(0, comma));
    x = comma == std::string_view::npos ? "" : x.substr(comma + 1);
    auto slash = member.find('/');
    if (member.substr(0, our_key.size()) != our_key || slash == std::string_view::npos)
      continue;
    auto trace = parse_event_id(member.substr(our_key.size(), slash - our_key.size()));
    auto cause = parse_event_id(member.substr(slash + 1));
    if (trace && cause && *cause)
      return trace_context{*trace, *cause};
  }
  return std::nullopt;
}

} // namespace

w3c_headers to_w3c(const trace_context& x, std::string_view lab) {
  if (!x.cause)
    return {};
  auto seen = seen_by_others(x, lab);
  return {"00-" + to_string(seen.trace) + "-" + to_string(seen.cause) + "-01",
          std::string{our_key} + to_string(x.trace) + "/" + to_string(x.cause)};
}

trace_context from_w3c(const w3c_headers& x, std::string_view lab) {
  auto given = parse_traceparent(x.traceparent);
  if (!given)
    return {};
  if (auto ours = parse_tracestate(x.tracestate)) {
    auto seen = seen_by_others(*ours, lab);
    if (seen.trace == given->trace && seen.cause == given->cause)
      return *ours;
  }
  return *given;
}

} // namespace qnfv
