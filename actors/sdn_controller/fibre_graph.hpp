#pragma once

// Where the fibres lie, which way light can go, and where it goes.
//
// Light is reversible: a cross-connection (in, out) leads what enters at `in` to `out`, and what
// enters at `out` to `in`. A way between two ends therefore crosses each switch from one side to the
// other, in either direction: at its ports p and q, of which one is an ingress port, it needs the
// cross-connection (ingress of both, egress of both). So (from, to) and (to, from) are the same way,
// and two ends on the same side of one switch cannot be joined by that switch alone.

#include "runtime/base/result.hpp"
#include "runtime/messages/paths.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace qnfv {

struct switch_port {
  switch_id at;
  port_number port = 0;

  friend bool operator==(const switch_port& a, const switch_port& b) {
    return a.at == b.at && a.port == b.port;
  }
  friend bool operator<(const switch_port& a, const switch_port& b) {
    return a.at != b.at ? a.at < b.at : a.port < b.port;
  }
  /// "polatis1:25"
  friend std::string to_string(const switch_port& x) {
    return x.at.value + ":" + std::to_string(x.port);
  }
};

/// From an end to `port`; or, without an end, from `port` to the port `far` of another switch.
struct fibre {
  std::string end; ///< A device, "bob1", or a site for its data channel. May have several fibres.
  switch_port port;
  switch_port far;
  double length_km = 0;
};

/// All that is joined, as the switches were read. A switch that is not in it did not answer.
using crossbars = std::map<switch_id, std::vector<cross_connection>>;

/// How a port may be used by a new way.
enum class port_use : uint8_t {
  good,
  poor,   ///< It failed lately: only if there is no other way.
  closed, ///< Somebody holds it, or it is broken.
};

class fibre_graph {
public:
  struct way {
    std::vector<path_hop> hops; ///< In the order from `from` to `to`.
    double length_km = 0;
  };

  /// What light that enters a port from its fibre comes to.
  struct reached {
    std::string end;      ///< Empty: no end.
    std::string why_none; ///< "polatis1:25 leads nowhere"
    std::vector<path_hop> hops;
    double length_km = 0; ///< Of all fibres on the way, the first one included.
  };

  fibre_graph() = default;
  /// `sizes`: N of each N x N switch. Failure bad_config, with the fibre's number.
  static result<fibre_graph> make(std::map<switch_id, uint16_t> sizes, std::vector<fibre> fibres);

  bool has_end(const std::string&) const;
  bool has_switch(const switch_id& x) const { return sizes_.count(x) > 0; }
  /// Of a switch of this graph.
  uint16_t size_of(const switch_id& x) const { return sizes_.at(x); }
  /// What the fibre at this port comes from: an end, "polatis2:3", or nothing.
  std::string behind(const switch_port&) const;
  /// The cross-connection between two ports on different sides of a switch.
  cross_connection across(const switch_id&, port_number a, port_number b) const;

  /// The way with the fewest poor ports, then the least length, then the fewest switches, then the
  /// smallest port numbers. Nothing: there is none, of at most `hops_max` switches, that was found in
  /// `looks_max` steps.
  std::optional<way> find(const std::string& from, const std::string& to,
                          const std::function<port_use(const switch_port&)>& use) const;

  reached follow(switch_port entered, const crossbars&) const;
  /// The switch ports that the fibres of an end lead to.
  std::vector<switch_port> entries_of(const std::string& end) const;
  /// Where the way begins, seen from its first end.
  switch_port entry_of(const way&, const std::string& from) const;

  static constexpr size_t hops_max = 8;
  static constexpr size_t looks_max = 20000;

private:
  bool ingress(const switch_port& x) const { return x.port <= sizes_.at(x.at); }
  /// The other side of a fibre that is known to be at this port.
  const fibre* fibre_at(const switch_port&) const;

  std::map<switch_id, uint16_t> sizes_;
  std::vector<fibre> fibres_;
  std::map<switch_port, size_t> at_port_;
  std::map<std::string, std::vector<size_t>> of_end_;
};

} // namespace qnfv
