#pragma once

// The one listening port of a node. Strangers get no further than here: TLS 1.3 with certificates
// of the lab, a deadline, a name that is in the topology, and frames that are vetted; only then
// does CAF get one end of a socket pair. Without certificates a gateway serves loopback only, and
// anybody on this host may claim any name.

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/units.hpp"
#include "runtime/tls/context.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/node_id.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qnfv {

/// Before the actor system of a node or an operator is made: loads CAF's network, names the node
/// after the site, and lets CAF make no connections; its heartbeats are off unless asked for.
/// register_wire comes besides.
void configure_network(caf::actor_system_config&, const site_id&);

struct gateway_settings {
  site_id site;       ///< Our own name; with certificates, the one in ours.
  std::string listen; ///< "HOST:PORT", port 0 for any free one; empty: only dials.
  std::optional<tls_files> tls;
  /// Who may enter besides "operator".
  std::vector<site_id> peers;
  duration connect_timeout = std::chrono::seconds(3);
  /// From the TCP connection until the peer's node id is known.
  duration handshake_timeout = std::chrono::seconds(5);
  uint32_t payload_max_bytes = 1u << 20;
  /// Connections whose name is proved. More are refused.
  uint32_t connections_max = 64;
  /// Of these, of one name: a site cannot lock out the others.
  uint32_t connections_per_name_max = 16;
  /// Accepted connections that have not proved a name yet. More push out the oldest.
  uint32_t handshakes_max = 64;
  /// One line for each connection that was refused or broke. On the gateway's thread.
  std::function<void(const std::string&)> log;
};

struct gateway_counters {
  uint64_t accepted = 0;       ///< TCP connections.
  uint64_t admitted = 0;       ///< Connections, either way, that CAF got.
  uint64_t refused = 0;        ///< Accepted, ended before CAF got them.
  uint64_t vetting_failed = 0; ///< Closed for what the peer sent.
  uint64_t open = 0;           ///< Now, in any state.
};

class gateway {
public:
  /// `root` is published to everybody who enters. `events` gets peer_reached and peer_lost
  /// (messages/admin.hpp) without a sender; both may be null.
  /// Errors: bad_config (bad address, bad certificates, no certificates but not loopback),
  /// site_unreachable (cannot listen).
  static result<std::unique_ptr<gateway>> open(caf::actor_system&, gateway_settings,
                                               caf::strong_actor_ptr root,
                                               caf::strong_actor_ptr events);

  /// Stops.
  ~gateway();

  /// Connects to a site at "HOST:PORT". The answer is one peer_reached or peer_lost, none if the
  /// site is closed meanwhile. After peer_reached comes one peer_lost when the connection breaks.
  /// An accepted peer is reported by its own `join` alone; peer_lost comes when it breaks.
  /// While another connection of the same site stands, the end of one is not reported.
  ///
  /// A node that dials again replaces its own older connection. So of two sites only one may dial
  /// the other: two dials that cross would replace each other.
  void dial(const site_id&, const std::string& address);

  /// Dials and waits for the site's root actor: for main() of a command, never for an actor.
  /// Errors: bad_config, site_unreachable, not_allowed.
  result<caf::strong_actor_ptr> connect(const site_id&, const std::string& address);

  /// Ends all connections of a site, and attempts to dial it. Reports nothing.
  void close(const site_id&);
  /// The same for all but the connection of node `keep`: the older start of a site that joined
  /// anew.
  void close_others(const site_id&, const caf::node_id& keep);

  /// 0 if it does not listen.
  uint16_t port() const;
  gateway_counters counters() const;

  /// Ends everything and waits until CAF has let go of it, a second at most. After the node actor
  /// ended and before the actor system goes. Reports nothing.
  void stop();

private:
  class core;
  explicit gateway(std::shared_ptr<core>);
  std::shared_ptr<core> core_;
};

} // namespace qnfv
