#pragma once

// Who a node is for CAF. CAF 0.17.6 makes a node id of the host's network cards, its file systems
// and the process number; two containers can get the same. Ours is the site's name and a random
// number: a restart is a new node, and the receiver of a message can tell which site sent it.

#include "runtime/base/ids.hpp"
#include "runtime/deployment/vet.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/node_id.hpp>

namespace qnfv {

/// Must be called before the actor system of `config` is made. A name longer than 20 bytes is cut.
/// A system without it is "unnamed" and refused by every gateway.
void use_site_name_as_node_id(caf::actor_system_config& config, const site_id& site);

/// All zero for a node id of another kind.
node_bytes bytes_of(const caf::node_id&);

} // namespace qnfv
