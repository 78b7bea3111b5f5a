#pragma once

// The composition root: from a topology and a site's name to the roles of that site, with the
// drivers that the topology names. The only code besides drivers/registry that knows drivers.

#include "actors/key_pool/key_store.hpp"
#include "actors/node/node.hpp"
#include "drivers/prometheus/prometheus.hpp"
#include "runtime/base/secret.hpp"
#include "runtime/config/topology.hpp"
#include "runtime/faults/board.hpp"
#include "runtime/faults/plan.hpp"
#include "runtime/messages/applications.hpp"
#include "runtime/messages/paths.hpp"

#include <functional>
#include <memory>

namespace qnfv {

/// Roles whose driver differs between a lab and a simulation.
struct world_drivers {
  /// Bulk bytes: sockets in a lab, memory in a simulation. Starts the channel driver of the site.
  std::function<caf::strong_actor_ptr()> start_channel;
  /// Where the channel driver of another site is reached.
  std::function<std::string(const site_config&)> data_address;
  /// Orders and catalogue: a database in a lab, records in memory in a simulation.
  std::function<caf::strong_actor_ptr()> start_store;
  /// Lets applications at the key server over HTTPS; empty: nobody listens, as in a simulation.
  std::function<caf::strong_actor_ptr(const key_server_actor&)> start_etsi014 = {};
  /// Takes cross-connections by HTTP; empty: nobody listens.
  std::function<caf::strong_actor_ptr(const sdn_controller_actor&)> start_northbound = {};
  /// Lets Prometheus in; empty: nobody listens.
  std::function<caf::strong_actor_ptr(prometheus_config)> start_prometheus = {};
};

/// What protects the keys of a site.
struct key_secrets {
  secret seal_key; ///< Of its key journals.
  /// Issue and keys of a link's initial authentication secret; issue 0: there is none.
  std::function<std::pair<uint32_t, secret>(const link_id&)> link_secret;
};

struct site_parts {
  caf::actor_system& system;
  environment_ptr env;
  uint64_t epoch = 0; ///< Of this start of the site (actors/node).
  std::shared_ptr<gates> all_gates;
  std::shared_ptr<qnfv::transport> transport;
  world_drivers drivers;
  /// What the emulated QKD devices of this lab derive their keys from.
  secret emulation_seed;
  key_secrets keys;
  std::function<void()> on_shutdown;
  /// Null: no faults can be injected. Else it is the environment's network too.
  std::shared_ptr<fault_board> faults = nullptr;
  /// Crash, power cut or freeze of this site, for so long.
  std::function<void(fault_kind, duration)> strike = {};
  /// Puts a witness before the store of a link's keys; empty: none.
  std::function<std::unique_ptr<key_store>(const link_id&, link_end, std::unique_ptr<key_store>)>
    watch_store = {};
};

/// The node of `site`, ready to be spawned. Failure: bad_config (a driver that does not exist, a
/// device in two links).
result<node_config> compose_site(const topology&, const site_id&, site_parts);

/// How many segments a link's key journal has: enough for all unused keys that a pool may hold, however
/// they lie among spent ones.
uint32_t journal_segments(const limits_config&);

/// Everything of the lab that a fault plan may name.
fault_places places_of(const topology&);

/// Which sites `site` talks to: the orchestrator with every data centre, and the ends of each link.
std::vector<site_id> neighbours(const topology&, const site_id&);

} // namespace qnfv
