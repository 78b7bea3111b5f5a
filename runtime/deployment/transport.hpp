#pragma once

#include "runtime/base/ids.hpp"

#include <caf/node_id.hpp>

namespace qnfv {

/// How a node reaches other nodes: TLS connections between hosts (gateway), or handles passed
/// around in a simulation. Proves names before it delivers anything. Any thread; never blocks.
class transport {
public:
  virtual ~transport() = default;
  /// The node hears peer_reached or peer_lost.
  virtual void dial(const site_id&) = 0;
  /// Ends every connection with that site. The node need not hear of it.
  virtual void drop(const site_id&) = 0;
  /// Ends all connections with that site but the one of process `node`: it has joined anew.
  virtual void keep(const site_id&, const caf::node_id& node) = 0;
};

} // namespace qnfv
