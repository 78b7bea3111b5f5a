#include "actors/sdn_controller/reservations.hpp"

#include <algorithm>

namespace qnfv {

bool operator==(const path_hop& a, const path_hop& b) {
  return a.name == b.name && a.ports == b.ports;
}

std::string text_of(const path_hop& x) {
  return x.name.value + " " + std::to_string(x.ports.in) + " to " + std::to_string(x.ports.out);
}

held_path* reservations::find(const std::string& path) {
  auto i = paths_.find(path);
  return i == paths_.end() ? nullptr : &i->second;
}

std::string reservations::holder(const switch_port& port) const {
  if (auto i = holder_.find(port); i != holder_.end())
    return i->second;
  for (auto& x : leftovers_)
    if (x.hop.name == port.at && (x.hop.ports.in == port.port || x.hop.ports.out == port.port))
      return "what is left of " + x.path + (x.why.empty() ? "" : " (" + x.why + ")");
  return {};
}

std::set<std::string> reservations::holders(const std::vector<path_hop>& hops,
                                            const std::string& path) const {
  std::set<std::string> out;
  for (auto& hop : hops)
    for (auto port : {hop.ports.in, hop.ports.out})
      if (auto who = holder({hop.name, port}); !who.empty() && who != path)
        out.insert(who);
  return out;
}

bool reservations::explains(const path_hop& hop) const {
  auto i = holder_.find({hop.name, hop.ports.in});
  if (i == holder_.end())
    return false;
  auto& hops = paths_.at(i->second).path.hops;
  return std::find(hops.begin(), hops.end(), hop) != hops.end();
}

status reservations::hold(held_path x) {
  auto& name = x.path.path;
  if (auto* old = find(name); old && !(old->path.hops == x.path.hops))
    return {ec::busy, name + " stands on other ports"};
  if (auto others = holders(x.path.hops, name); !others.empty()) {
    std::string text;
    for (auto& who : others)
      text += (text.empty() ? "held by " : ", ") + who;
    return {ec::busy, text};
  }
  for (auto& hop : x.path.hops)
    for (auto port : {hop.ports.in, hop.ports.out})
      holder_[{hop.name, port}] = name;
  auto key = name;
  paths_[key] = std::move(x);
  return done{};
}

void reservations::give_up(const std::string& path) {
  auto i = paths_.find(path);
  if (i == paths_.end())
    return;
  for (auto& hop : i->second.path.hops) {
    holder_.erase({hop.name, hop.ports.in});
    holder_.erase({hop.name, hop.ports.out});
    leftovers_.push_back({path, hop});
  }
  paths_.erase(i);
}

void reservations::parted(const path_hop& hop) {
  leftovers_.erase(
    std::remove_if(leftovers_.begin(), leftovers_.end(), [&](auto& x) { return x.hop == hop; }),
    leftovers_.end());
}

void reservations::not_parted(const path_hop& hop, const std::string& why) {
  for (auto& x : leftovers_)
    if (x.hop == hop)
      x.why = why;
}

std::vector<path_hop> reservations::left_of(const std::string& path) const {
  std::vector<path_hop> out;
  for (auto& x : leftovers_)
    if (x.path == path)
      out.push_back(x.hop);
  return out;
}

} // namespace qnfv
