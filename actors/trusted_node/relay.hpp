#pragma once

// The actor half: one relay, step by step; the origin of a virtual link; its far end.

#include "actors/trusted_node/trusted_node.hpp"

namespace qnfv {

using trusted_node_ptr = stateful<trusted_node_actor, trusted_node_state>*;

// -- relay.cpp: one relay at one site -----------------------------------------------------------

/// The origin begins: draws the pads of the first hop.
void begin_relay(trusted_node_ptr self, relay_route route);
/// A neighbour asks.
caf::result<wrapped_keys> take_relay(trusted_node_ptr self, const relay_keys& ask);
/// The far end: all is in the pool, or waits for other shares.
void acknowledge(trusted_node_ptr self, const relay_id& id);
/// Ends a relay; both its neighbours hear of it and spend its pads. `hop`: which one failed.
void fail_relay(trusted_node_ptr self, const relay_id& id, const failure& why, size_t hop);
/// A neighbour says that a relay has failed.
caf::result<accepted> take_drop(trusted_node_ptr self, const drop_relay& x);
/// Tells again those who did not hear.
void send_drops(trusted_node_ptr self);
std::chrono::milliseconds pool_timeout(trusted_node_ptr self);
/// For a relay that has so many hops before it.
std::chrono::milliseconds relay_timeout(trusted_node_ptr self, size_t hops);

// -- supply.cpp: the origin of a virtual link ---------------------------------------------------

/// A share is here, or has failed.
void share_arrived(trusted_node_ptr self, const relay_route& route,
                   const std::vector<secret>& keys);
void share_failed(trusted_node_ptr self, const relay_route& route, const failure& why, size_t hop);
/// Looks at the stocks, then does what is due.
void look_around(trusted_node_ptr self);
relay_status status_of(trusted_node_ptr self);

// -- arrival.cpp: its far end -------------------------------------------------------------------

/// Whether a relay is of the session that the origin announced.
status may_arrive(trusted_node_ptr self, const relay_route& route);
/// The keys of a share. Acknowledges or fails the relay.
void deliver_share(trusted_node_ptr self, const relay_route& route,
                   const std::vector<secret>& keys);
/// A share that came is worth nothing any more.
void forget_share(trusted_node_ptr self, const relay_id& id);
void forget_old_shares(trusted_node_ptr self);
caf::result<session_announced> take_announcement(trusted_node_ptr self, const announce_session& x);

// -- arrival.cpp: what both ends do -------------------------------------------------------------

/// The trusted nodes of a session.
std::vector<site_id> exposure_of(const std::vector<site_path>& paths);
/// The block that all its shares make; the shares are gone afterwards.
secret block_of(block_gathering& x);
void wipe(block_gathering& x);
/// Gives a block to this site's pool and tells whether the pool took it; null: it did not answer.
void store(trusted_node_ptr self, const block_id& block, secret material,
           const std::vector<site_path>& paths,
           std::function<void(bool taken, const pool_status*)> then);

} // namespace qnfv
