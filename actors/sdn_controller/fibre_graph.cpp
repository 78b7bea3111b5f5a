#include "actors/sdn_controller/fibre_graph.hpp"

#include <algorithm>
#include <cmath>
#include <queue>
#include <tuple>

namespace qnfv {

namespace {

bool crosses(const path_hop& hop, const switch_port& x) {
  return hop.name == x.at && (hop.ports.in == x.port || hop.ports.out == x.port);
}

/// A way that has come to `at`, or, without a port, to its end.
struct partial {
  uint32_t poor = 0;
  fibre_graph::way way;
  switch_port at;
  uint64_t number = 0; ///< The earlier one wins, so that the choice repeats.
};

struct worse {
  bool operator()(const partial& a, const partial& b) const {
    return std::make_tuple(a.poor, a.way.length_km, a.way.hops.size(), a.number)
           > std::make_tuple(b.poor, b.way.length_km, b.way.hops.size(), b.number);
  }
};

} // namespace

result<fibre_graph> fibre_graph::make(std::map<switch_id, uint16_t> sizes,
                                      std::vector<fibre> fibres) {
  fibre_graph out;
  out.sizes_ = std::move(sizes);
  out.fibres_ = std::move(fibres);
  for (auto& [name, size] : out.sizes_)
    if (name.empty() || size == 0 || size > 0x7FFF)
      return {ec::bad_config, "switch '" + name.value + "' of " + std::to_string(size) + " x "
                                + std::to_string(size)};
  for (size_t i = 0; i < out.fibres_.size(); ++i) {
    auto& x = out.fibres_[i];
    auto wrong = [i](const std::string& what) {
      return failure{ec::bad_config, "fibre " + std::to_string(i + 1) + ": " + what};
    };
    if (!std::isfinite(x.length_km) || x.length_km < 0)
      return wrong("a length of " + std::to_string(x.length_km) + " km");
    auto between = x.end.empty();
    if (between && x.port.at == x.far.at)
      return wrong("joins " + x.port.at.value + " to itself");
    for (auto* port : {&x.port, between ? &x.far : nullptr}) {
      if (!port)
        continue;
      auto size = out.sizes_.find(port->at);
      if (size == out.sizes_.end())
        return wrong("no switch named '" + port->at.value + "'");
      if (port->port < 1 || port->port > 2u * size->second)
        return wrong(to_string(*port) + " is no port of 1 to " + std::to_string(2u * size->second));
      if (!out.at_port_.emplace(*port, i).second)
        return wrong(to_string(*port) + " has a fibre already");
    }
    if (!between)
      out.of_end_[x.end].push_back(i);
  }
  return out;
}

bool fibre_graph::has_end(const std::string& end) const {
  return of_end_.count(end) > 0;
}

const fibre* fibre_graph::fibre_at(const switch_port& x) const {
  auto i = at_port_.find(x);
  return i == at_port_.end() ? nullptr : &fibres_[i->second];
}

std::string fibre_graph::behind(const switch_port& x) const {
  auto* f = fibre_at(x);
  if (!f)
    return {};
  if (!f->end.empty())
    return f->end;
  return to_string(f->port == x ? f->far : f->port);
}

cross_connection fibre_graph::across(const switch_id& at, port_number a, port_number b) const {
  return a <= sizes_.at(at) ? cross_connection{a, b} : cross_connection{b, a};
}

std::optional<fibre_graph::way>
fibre_graph::find(const std::string& from, const std::string& to,
                  const std::function<port_use(const switch_port&)>& use) const {
  std::priority_queue<partial, std::vector<partial>, worse> open;
  uint64_t number = 0;
  // The way comes to `port`, over a fibre.
  auto arrive = [&](partial x, const switch_port& port, double km) {
    auto how = use(port);
    if (how == port_use::closed)
      return;
    x.poor += how == port_use::poor ? 1 : 0;
    x.way.length_km += km;
    x.at = port;
    x.number = ++number;
    open.push(std::move(x));
  };
  if (auto i = of_end_.find(from); i != of_end_.end() && from != to)
    for (auto f : i->second)
      arrive({}, fibres_[f].port, fibres_[f].length_km);
  for (size_t looks = 0; !open.empty() && looks < looks_max; ++looks) {
    auto x = open.top();
    open.pop();
    if (x.at.port == 0)
      return x.way;
    if (x.way.hops.size() == hops_max)
      continue;
    auto side = ingress(x.at);
    for (auto i = at_port_.lower_bound({x.at.at, 0}); i != at_port_.end() && i->first.at == x.at.at;
         ++i) {
      auto& exit = i->first;
      auto used = [&](const switch_port& y) {
        return std::any_of(x.way.hops.begin(), x.way.hops.end(),
                           [&](auto& hop) { return crosses(hop, y); });
      };
      auto how = use(exit);
      if (ingress(exit) == side || how == port_use::closed || used(exit) || used(x.at))
        continue;
      auto& f = fibres_[i->second];
      auto next = x;
      next.poor += how == port_use::poor ? 1 : 0;
      next.way.hops.push_back({x.at.at, across(x.at.at, x.at.port, exit.port)});
      if (f.end == to) {
        next.way.length_km += f.length_km;
        next.at = {};
        next.number = ++number;
        open.push(std::move(next));
      } else if (f.end.empty()) {
        arrive(std::move(next), f.port == exit ? f.far : f.port, f.length_km);
      }
    }
  }
  return std::nullopt;
}

fibre_graph::reached fibre_graph::follow(switch_port entered, const crossbars& joined) const {
  reached out;
  auto* first = fibre_at(entered);
  out.length_km = first ? first->length_km : 0;
  for (size_t i = 0; i <= fibres_.size(); ++i) {
    auto bar = joined.find(entered.at);
    if (bar == joined.end()) {
      out.why_none = entered.at.value + " does not say where " + to_string(entered) + " leads";
      return out;
    }
    auto in = ingress(entered);
    auto hop = std::find_if(bar->second.begin(), bar->second.end(),
                            [&](auto& x) { return (in ? x.in : x.out) == entered.port; });
    if (hop == bar->second.end()) {
      out.why_none = to_string(entered) + " leads nowhere";
      return out;
    }
    out.hops.push_back({entered.at, *hop});
    switch_port exit{entered.at, in ? hop->out : hop->in};
    auto* f = fibre_at(exit);
    if (!f) {
      out.why_none = to_string(exit) + " has no fibre";
      return out;
    }
    out.length_km += f->length_km;
    if (!f->end.empty()) {
      out.end = f->end;
      return out;
    }
    entered = f->port == exit ? f->far : f->port;
  }
  out.why_none = "the light goes in circles";
  return out;
}

std::vector<switch_port> fibre_graph::entries_of(const std::string& end) const {
  std::vector<switch_port> out;
  if (auto i = of_end_.find(end); i != of_end_.end())
    for (auto f : i->second)
      out.push_back(fibres_[f].port);
  return out;
}

switch_port fibre_graph::entry_of(const way& x, const std::string& from) const {
  auto& hop = x.hops.front();
  switch_port in{hop.name, hop.ports.in};
  return behind(in) == from ? in : switch_port{hop.name, hop.ports.out};
}

} // namespace qnfv
