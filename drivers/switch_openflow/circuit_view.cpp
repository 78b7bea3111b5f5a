#include "drivers/switch_openflow/circuit_view.hpp"

#include <algorithm>

namespace qnfv {

result<circuit_view> circuit_view::of(const openflow_features& x) {
  circuit_view out;
  out.datapath_ = x.datapath;
  failure bad{ec::device_failed, datapath_text(x.datapath) + " has "
                                   + std::to_string(x.cports.size())
                                   + " circuit ports that are not numbered 1 to 2N"};
  if (x.cports.empty() || x.cports.size() % 2 != 0)
    return bad;
  out.size_ = static_cast<port_number>(x.cports.size() / 2);
  std::set<port_number> seen;
  for (auto& port : x.cports) {
    if (port.port == 0 || port.port > 2 * out.size_ || !seen.insert(port.port).second)
      return bad;
    if ((port.state & openflow::no_light) != 0)
      out.dark_.insert(port.port);
    cross_connection ports{port.port, port.peer_port};
    if (port.peer_datapath == x.datapath && out.has(ports))
      out.joined_.push_back(ports);
  }
  std::sort(out.joined_.begin(), out.joined_.end());
  return out;
}

std::optional<switch_event> circuit_view::update(const openflow_cport_status& x) {
  auto port = x.port.port;
  if (port == 0 || port > 2 * size_)
    return std::nullopt;
  if (x.reason == cport_reason::remove) {
    failed_.insert(port);
    return switch_event{switch_event::kind::port_failed, port, "the switch took the port away"};
  }
  failed_.erase(port);
  if ((x.port.state & openflow::no_light) != 0) {
    if (dark_.insert(port).second)
      return switch_event{switch_event::kind::light_lost, port, "no light"};
  } else if (dark_.erase(port) != 0) {
    return switch_event{switch_event::kind::light_back, port, "light is back"};
  }
  return std::nullopt;
}

openflow_cflow_mod circuit_of(const cross_connection& x, bool join) {
  openflow_cflow_mod out;
  out.command = join ? circuit_command::add : circuit_command::remove_strict;
  out.count = 1;
  out.in_ports = {x.in};
  out.out_ports = {x.out};
  return out;
}

failure failure_of(const openflow_error& x, const std::string& who, const cross_connection& ports) {
  auto text = who + ": " + std::to_string(ports.in) + "->" + std::to_string(ports.out)
              + ": the switch says " + to_string(x);
  if (x.type == openflow::circuit_failed && x.code == openflow::overlap)
    return {ec::busy, text};
  if (x.type == openflow::circuit_failed && x.code == openflow::mismatch)
    return {ec::invalid_argument, text};
  return {ec::device_failed, text};
}

} // namespace qnfv
