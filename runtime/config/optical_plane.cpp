#include "runtime/config/optical_plane.hpp"

#include <algorithm>
#include <map>

namespace qnfv {

const switch_config* optical_plane::find(const switch_id& x) const {
  auto i = std::find_if(switches.begin(), switches.end(), [&](auto& at) { return at.name == x; });
  return i == switches.end() ? nullptr : &*i;
}

namespace {

/// Where the light of `end` comes to over its fibres.
std::vector<std::pair<fibre_end, double>> over_fibre(const optical_plane& plane, const fibre_end& end) {
  std::vector<std::pair<fibre_end, double>> out;
  for (auto& fibre : plane.fibres) {
    if (fibre.from.name == end.name && fibre.from.port == end.port)
      out.emplace_back(fibre.to, fibre.length_km);
    if (fibre.to.name == end.name && fibre.to.port == end.port)
      out.emplace_back(fibre.from, fibre.length_km);
  }
  return out;
}

} // namespace

std::optional<double> shortest_km(const optical_plane& plane, const std::string& a,
                                  const std::string& b) {
  // Dijkstra over ends and sides of switches: what enters on one side leaves on the other.
  using place = std::pair<std::string, bool>;
  std::map<place, double> open{{{a, false}, 0}};
  std::map<place, double> closed;
  while (!open.empty()) {
    auto nearest = std::min_element(open.begin(), open.end(),
                                    [](auto& x, auto& y) { return x.second < y.second; });
    auto [here, km] = *nearest;
    open.erase(nearest);
    closed[here] = km;
    auto& [name, entered_ingress] = here;
    if (name == b)
      return km;
    std::vector<fibre_end> exits;
    if (auto* at = plane.find(switch_id{name})) {
      auto first = entered_ingress ? at->size + 1u : 1u;
      for (auto port = first; port < first + at->size; ++port)
        exits.push_back({name, static_cast<port_number>(port)});
    } else if (name == a) {
      exits.push_back({name, 0});
    }
    for (auto& exit : exits)
      for (auto& [next, length] : over_fibre(plane, exit)) {
        auto* at = plane.find(switch_id{next.name});
        place there{next.name, at && next.port <= at->size};
        if (closed.count(there) == 0) {
          auto known = open.emplace(there, km + length);
          known.first->second = std::min(known.first->second, km + length);
        }
      }
  }
  return std::nullopt;
}

std::string to_string(const fibre_end& x) {
  return x.port == 0 ? x.name : x.name + ":" + std::to_string(x.port);
}

std::optional<fibre_end> parse_fibre_end(const std::string& text) {
  auto colon = text.find(':');
  if (colon == std::string::npos)
    return fibre_end{text, 0};
  auto digits = text.substr(colon + 1);
  if (digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  auto port = std::stoul(digits);
  if (port == 0 || port > 65535)
    return std::nullopt;
  return fibre_end{text.substr(0, colon), static_cast<port_number>(port)};
}

} // namespace qnfv
