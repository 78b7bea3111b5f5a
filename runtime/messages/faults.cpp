#include "runtime/messages/faults.hpp"

#include <cstdio>
#include <iterator>

namespace qnfv {

namespace {

using kind = fault_kind;
using place = fault_place;

constexpr fault_traits table[] = {
  {kind::drop, "drop", place::edge, nullptr, 0, 10, "messages get lost, each with the probability"},
  {kind::delay, "delay", place::edge, "delay_ms", 200, 10, "messages and bytes are late, in order"},
  {kind::duplicate, "duplicate", place::edge, "delay_ms", 200, 10, "messages arrive again, within this time"},
  {kind::reorder, "reorder", place::edge, "delay_ms", 100, 10, "messages overtake each other"},
  {kind::corrupt, "corrupt", place::edge, nullptr, 0, 10,
   "bits flip: TLS breaks the connection, image bytes are refused"},
  {kind::one_way, "one_way", place::edge, nullptr, 0, 10, "nothing passes in this direction"},
  {kind::partition, "partition", place::edge, nullptr, 0, 10, "nothing passes, new connections fail"},
  {kind::half_open, "half_open", place::edge, nullptr, 0, 30,
   "nothing passes until a new connection is made, and nobody is told"},
  {kind::slow_link, "slow_link", place::edge, "rate_kbps", 64, 10, "the line carries so little"},
  {kind::crash, "crash", place::site, nullptr, 0, 3, "kill -9; started again after the time"},
  {kind::power_cut, "power_cut", place::site, nullptr, 0, 3,
   "as crash; in a simulation writes that were not synced are lost or torn"},
  {kind::freeze, "freeze", place::site, nullptr, 0, 5, "SIGSTOP; SIGCONT after the time"},
  {kind::disk_full, "disk_full", place::site, nullptr, 0, 10, "files cannot grow"},
  {kind::failed_sync, "failed_sync", place::site, nullptr, 0, 5, "fdatasync fails"},
  {kind::slow_disk, "slow_disk", place::site, "delay_ms", 50, 10, "each piece of disk work takes longer"},
  {kind::clock_jump, "clock_jump", place::site, "jump_s", 3600, 30, "wall time is wrong by so much"},
  {kind::clock_drift, "clock_drift", place::site, "drift_ppm", 500, 60, "time runs faster"},
  {kind::restart, "restart", place::role, nullptr, 0, 0, "the role dies; its node restarts it"},
  {kind::poison, "poison", place::role, "doses", 1, 0, "the role dies of a message, so many times"},
  {kind::flood, "flood", place::role, "messages", 10000, 0, "its mailbox gets so much ballast"},
  {kind::qber_rise, "qber_rise", place::link, "qber_percent", 12, 600, "the line is that bad"},
  {kind::eavesdropper, "eavesdropper", place::link, "share", 0.5, 600,
   "Eve intercepts this share of the pulses and resends them"},
  {kind::loss_of_sync, "loss_of_sync", place::link, nullptr, 0, 60, "the light is gone"},
  {kind::init_failure, "init_failure", place::link, nullptr, 0, 1800, "initialisation never ends well"},
  {kind::key_mismatch, "key_mismatch", place::link, nullptr, 0, 600,
   "the two ends' copies of a block differ by a bit, with the probability"},
  {kind::device_flood, "device_flood", place::link, "factor", 100, 300, "so many times the keys"},
  {kind::stuck_port, "stuck_port", place::port, nullptr, 0, 60, "refuses to move: an error"},
  {kind::wrong_port, "wrong_port", place::port, nullptr, 0, 60,
   "joins to the next egress port, and reports so"},
  {kind::silent_port, "silent_port", place::port, nullptr, 0, 60, "says yes and does nothing"},
  {kind::lying_port, "lying_port", place::port, nullptr, 0, 60,
   "says yes, does nothing, and reports what it was asked for"},
  {kind::dark_port, "dark_port", place::port, nullptr, 0, 60, "the port loses its light"},
  {kind::lost_flow_mod, "lost_flow_mod", place::port, nullptr, 0, 60, "commands never arrive"},
  {kind::slow_switch, "slow_switch", place::port, "settle_ms", 5000, 60, "mirrors take so long"},
  {kind::vim_failure, "vim_failure", place::vim, nullptr, 0, 30, "loads and starts fail"},
  {kind::vim_hang, "vim_hang", place::vim, nullptr, 0, 30, "requests get no answer"},
};
static_assert(std::size(table) == fault_kind_count, "describe every kind of fault");

constexpr const char* places[] = {"edge", "site", "role", "link", "port", "vim"};

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", x);
  return text;
}

failure not_a_place(fault_place sort, const std::string& where) {
  constexpr const char* examples[] = {"\"co>dc1\" or \"co<>dc1\"", "\"dc1\"", "\"dc1/key_pool\"",
                                      "\"bob1/alice1\"", "\"polatis1:3\" or \"polatis1\"", "\"dc1\""};
  return {ec::invalid_argument, "\"" + where + "\" is no " + to_string(sort) + "; write "
                                  + examples[static_cast<size_t>(sort)]};
}

} // namespace

const fault_traits& traits(fault_kind x) {
  return table[static_cast<size_t>(x)];
}

bool counts_hits(fault_kind x) {
  auto place = traits(x).place;
  return place == fault_place::edge || place == fault_place::vim || x == fault_kind::disk_full
         || x == fault_kind::failed_sync || x == fault_kind::slow_disk;
}

std::string to_string(fault_kind x) {
  return static_cast<size_t>(x) < fault_kind_count ? traits(x).name : "?";
}

std::string to_string(fault_place x) {
  return places[static_cast<size_t>(x)];
}

std::optional<fault_kind> parse_fault_kind(std::string_view word) {
  for (auto& x : table)
    if (word == x.name)
      return x.kind;
  return std::nullopt;
}

std::string describe(const fault& x) {
  auto& about = traits(x.what);
  auto out = std::string{about.name} + " " + x.where;
  if (about.amount)
    out += ", " + std::string{about.amount} + " " + number(x.amount);
  if (x.probability < 1)
    out += ", probability " + number(x.probability);
  if (x.for_s > 0)
    out += ", for " + number(x.for_s) + " s";
  if (!x.message.empty())
    out += ", when " + x.message + " number " + std::to_string(x.nth) + " arrives";
  return out;
}

result<fault_target> parse_fault_place(fault_place sort, const std::string& where) {
  fault_target out;
  auto split = [&](std::string_view at) {
    auto i = where.find(at);
    if (i == std::string::npos)
      return false;
    out.first = where.substr(0, i);
    out.second = where.substr(i + at.size());
    return !out.first.empty() && !out.second.empty();
  };
  switch (sort) {
    case place::edge:
      out.both_ways = where.find("<>") != std::string::npos;
      if (!split(out.both_ways ? "<>" : ">") || out.first == out.second
          || out.second.find_first_of("<>") != std::string::npos)
        return not_a_place(sort, where);
      return out;
    case place::role:
      if (!split("/"))
        return not_a_place(sort, where);
      return out;
    case place::port: {
      auto colon = where.rfind(':');
      out.first = where.substr(0, colon);
      if (colon != std::string::npos) {
        auto digits = where.substr(colon + 1);
        if (digits.empty() || digits.size() > 5
            || digits.find_first_not_of("0123456789") != std::string::npos || std::stoul(digits) > 65535
            || std::stoul(digits) == 0)
          return not_a_place(sort, where);
        out.port = static_cast<port_number>(std::stoul(digits));
      }
      break;
    }
    default:
      out.first = where;
  }
  if (out.first.empty())
    return not_a_place(sort, where);
  return out;
}

} // namespace qnfv
