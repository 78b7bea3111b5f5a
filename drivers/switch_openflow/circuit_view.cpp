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

std::vector<switch_event> circuit_view::update(const openflow_cport_status& x) {
  std::vector<switch_event> out;
  auto port = x.port.port;
  if (port == 0 || port > 2 * size_)
    return out;
  if (x.reason == cport_reason::remove) {
    failed_.insert(port);
    out.push_back({switch_event::kind::port_failed, port, "the switch took the port away"});
    return out;
  }
  failed_.erase(port);
  if (x.port.peer_datapath == datapath_ && rejoin(port, x.port.peer_port))
    out.push_back({switch_event::kind::connected, 0,
                   "port " + std::to_string(port) + " is joined otherwise than it was"});
  if ((x.port.state & openflow::no_light) != 0) {
    if (dark_.insert(port).second)
      out.push_back({switch_event::kind::light_lost, port, "no light"});
  } else if (dark_.erase(port) != 0) {
    out.push_back({switch_event::kind::light_back, port, "light is back"});
  }
  return out;
}

bool circuit_view::rejoin(port_number port, port_number peer) {
  auto now = port <= size_ ? cross_connection{port, peer} : cross_connection{peer, port};
  auto uses = [&](auto& y) { return y.in == now.in || y.out == now.out; };
  auto was = std::count(joined_.begin(), joined_.end(), now) > 0;
  if (was || (!has(now) && std::none_of(joined_.begin(), joined_.end(), uses)))
    return false;
  joined_.erase(std::remove_if(joined_.begin(), joined_.end(), uses), joined_.end());
  if (has(now))
    joined_.insert(std::upper_bound(joined_.begin(), joined_.end(), now), now);
  return true;
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
