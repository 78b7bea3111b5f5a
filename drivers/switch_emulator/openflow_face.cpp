#include "drivers/switch_emulator/openflow_face.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace qnfv {

namespace {

openflow_cport cport_of(port_number port, port_number size, bool dark) {
  openflow_cport x;
  x.port = port;
  // Locally administered, and the port's number.
  x.address = {2, 0, 0, 0, static_cast<uint8_t>(port >> 8), static_cast<uint8_t>(port)};
  x.name = (port <= size ? "in" : "out") + std::to_string(port);
  x.state = dark ? openflow::no_light : 0;
  x.current = x.supported = openflow::any_fibre;
  x.kinds = openflow::fibre_switching;
  x.bandwidth = {openflow::fibre_switch};
  return x;
}

openflow_error refusal(uint16_t code) {
  return {openflow::circuit_failed, code, {}};
}

bool is_removal(circuit_command x) {
  return x == circuit_command::remove || x == circuit_command::remove_strict
         || x == circuit_command::drop;
}

circuit_plan no(uint16_t code) {
  circuit_plan out;
  out.refused = refusal(code);
  return out;
}

circuit_plan parting(const openflow_cflow_mod& x, const std::vector<cross_connection>& joined) {
  circuit_plan out;
  if (!x.in_ports.empty() && !x.out_ports.empty()) {
    for (size_t i = 0; i < x.in_ports.size(); ++i)
      out.steps.push_back({false, {x.in_ports[i], x.out_ports[i]}});
    return out;
  }
  for (auto& ports : joined)
    if (std::count(x.in_ports.begin(), x.in_ports.end(), ports.in) > 0
        || std::count(x.out_ports.begin(), x.out_ports.end(), ports.out) > 0)
      out.steps.push_back({false, ports});
  return out;
}

} // namespace

openflow_features features_of(uint64_t datapath, const switch_status& x) {
  openflow_features out;
  out.datapath = datapath;
  for (port_number port = 1; port <= 2 * x.size; ++port)
    out.cports.push_back(
      cport_of(port, x.size, std::count(x.dark.begin(), x.dark.end(), port) > 0));
  for (auto& ports : x.joined) {
    auto& in = out.cports.at(ports.in - 1u);
    auto& egress = out.cports.at(ports.out - 1u);
    in.peer_port = ports.out;
    egress.peer_port = ports.in;
    in.peer_datapath = egress.peer_datapath = datapath;
  }
  return out;
}

openflow_cport_status port_changed(port_number size, const switch_event& x) {
  openflow_cport_status out;
  out.reason =
    x.what == switch_event::kind::port_failed ? cport_reason::remove : cport_reason::modify;
  out.port = cport_of(x.port, size, x.what != switch_event::kind::light_back);
  return out;
}

std::vector<openflow_cport_status> circuits_changed(uint64_t datapath, const switch_status& x) {
  std::vector<openflow_cport_status> out;
  for (auto& port : features_of(datapath, x).cports) {
    out.push_back({cport_reason::modify, port});
    out.back().port.peer_datapath = datapath;
  }
  return out;
}

circuit_plan plan_of(const openflow_cflow_mod& x, const std::vector<cross_connection>& joined) {
  auto removal = is_removal(x.command);
  auto both = x.wildcards == openflow::fibre_form;
  auto one = removal
             && (x.wildcards == (openflow::fibre_form | openflow::no_in_port)
                 || x.wildcards == (openflow::fibre_form | openflow::no_out_port));
  auto known = removal || x.command == circuit_command::add || x.command == circuit_command::modify
               || x.command == circuit_command::modify_strict;
  if (x.count == 0 || !(both || one) || !known || (!removal && x.hard_timeout_s != 0))
    return no(openflow::mismatch);
  if (removal)
    return parting(x, joined);
  circuit_plan out;
  std::map<port_number, port_number> at;
  for (auto& ports : joined)
    at[ports.in] = ports.out;
  if (x.command != circuit_command::add)
    for (size_t i = 0; i < x.in_ports.size(); ++i)
      if (auto old = at.find(x.in_ports[i]); old != at.end() && old->second != x.out_ports[i]) {
        out.steps.push_back({false, {old->first, old->second}});
        at.erase(old);
      }
  std::set<port_number> ins, outs;
  for (size_t i = 0; i < x.in_ports.size(); ++i) {
    cross_connection wanted{x.in_ports[i], x.out_ports[i]};
    out.steps.push_back({true, wanted});
    auto twice = !ins.insert(wanted.in).second || !outs.insert(wanted.out).second;
    auto elsewhere = std::any_of(at.begin(), at.end(), [&](auto& y) {
      return (y.first == wanted.in) != (y.second == wanted.out);
    });
    // Of a single one the switch itself is the judge.
    if (x.in_ports.size() > 1 && (twice || elsewhere))
      return no(openflow::overlap);
  }
  return out;
}

std::optional<openflow_error> error_of(ec x) {
  switch (x) {
  case ec::maybe_executed:
    return std::nullopt;
  case ec::busy:
    return refusal(openflow::overlap);
  case ec::invalid_argument:
    return refusal(openflow::mismatch);
  default:
    // The addendum has no word for a mirror that does not move.
    return openflow_error{openflow::bad_request, openflow::not_permitted, {}};
  }
}

} // namespace qnfv
