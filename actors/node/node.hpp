#pragma once

#include "runtime/deployment/peers.hpp"
#include "runtime/deployment/transport.hpp"
#include "runtime/supervision/restarts.hpp"
#include "runtime/system/gate.hpp"

#include <functional>
#include <set>

namespace qnfv {

/// Counts a start of the site; the number is durable when it answers. Before anything is sent or
/// recorded: without it this start could not be told from an older one. File: "epoch".
result<uint64_t> begin_epoch(storage&);

struct node_config {
  site_id site;
  uint64_t epoch = 0;   ///< From begin_epoch().
  std::string topology; ///< Digest of the topology.
  /// Started in this order; they end with the node.
  std::vector<child_spec> roles;
  /// What peers and operators may talk to; names of `roles`.
  std::set<std::string> roles_for_peers;
  std::set<std::string> roles_for_operators;
  std::vector<site_id> peers;  ///< Sites next to this one.
  std::set<site_id> dials;     ///< Those of them that this site calls; the others call it.
  std::shared_ptr<qnfv::gates> gates;
  std::shared_ptr<qnfv::transport> transport;
  /// What ends the process, in order, after an operator's shutdown_site.
  std::function<void()> on_shutdown;
  uint32_t heartbeat_ms = 500;
  uint32_t heartbeats_missed = 3;
  restart_policy::settings restarts;
};

/// One supervised role.
struct role_entry {
  child_spec spec;
  restart_policy policy;
  caf::strong_actor_ptr handle; ///< Null while it waits to be restarted, or after giving up.
  bool given_up = false;
};

struct node_state {
  static inline const char* name = "node";
  node_config config;
  time_point started{};
  uint64_t heartbeats = 0;
  std::vector<role_entry> roles;
  std::unique_ptr<peer_table> peers;
  std::set<site_id> dialling;

  /// The roles end with their node. Not by links: an actor that is killed would take its linked node
  /// along, whatever the node's exit handler says.
  ~node_state();
};

/// The NODE: supervisor of one site. Starts the roles, restarts what dies, joins the other sites and
/// watches their heartbeats. Its death ends every role. File: "peer-SITE.epoch".
node_actor::behavior_type node(stateful<node_actor, node_state>* self, node_config config);

} // namespace qnfv
