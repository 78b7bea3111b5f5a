#include "drivers/switch_polled/rules.hpp"

#include <algorithm>

namespace qnfv {

namespace {

std::string text(const cross_connection& x) {
  return std::to_string(x.in) + " to " + std::to_string(x.out);
}

/// How `x`'s ports are joined, for people.
std::string found(const joined_ports& now, const cross_connection& x) {
  for (auto& y : now)
    if (y.in == x.in || y.out == x.out)
      return text(y) + " is joined";
  return text(x) + " is not joined";
}

} // namespace

status check_ports(const cross_connection& x, uint16_t size) {
  if (x.in >= 1 && x.in <= size && x.out > size && x.out <= 2 * size)
    return done{};
  return {ec::invalid_argument, text(x) + ": the ingress ports are 1 to " + std::to_string(size)
                                  + ", the egress ports follow up to " + std::to_string(2 * size)};
}

bool is_joined(const joined_ports& now, const cross_connection& x) {
  return std::find(now.begin(), now.end(), x) != now.end();
}

result<bool> before_join(const joined_ports& now, const cross_connection& x) {
  if (is_joined(now, x))
    return true;
  for (auto& y : now)
    if (y.in == x.in || y.out == x.out)
      return {ec::busy, text(x) + ": " + text(y) + " is joined"};
  return false;
}

status after_join(const joined_ports& now, const cross_connection& x) {
  if (is_joined(now, x))
    return done{};
  return {ec::device_failed, "asked to join " + text(x) + ", but " + found(now, x)};
}

status after_part(const joined_ports& now, const cross_connection& x) {
  if (!is_joined(now, x))
    return done{};
  return {ec::device_failed, "asked to part " + text(x) + ", but it is joined still"};
}

std::vector<switch_event> port_changes(const std::vector<port_state>& before,
                                       const std::vector<port_state>& now) {
  using kind = switch_event::kind;
  std::vector<switch_event> out;
  for (size_t i = 0; i < now.size(); ++i) {
    auto was = i < before.size() ? before[i] : port_state::enabled;
    if (was == now[i])
      continue;
    switch_event x;
    x.port = static_cast<port_number>(i + 1);
    x.what = now[i] == port_state::failed     ? kind::port_failed
             : now[i] == port_state::disabled ? kind::light_lost
                                              : kind::light_back;
    out.push_back(x);
  }
  return out;
}

} // namespace qnfv
