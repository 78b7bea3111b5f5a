#pragma once

#include "drivers/http/door.hpp"
#include "drivers/northbound/flows.hpp"
#include "runtime/messages/paths.hpp"
#include "runtime/system/actor.hpp"

#include <map>

namespace qnfv {

struct northbound_config {
  std::shared_ptr<http_door> door;
  sdn_controller_actor controller;
  std::map<uint64_t, switch_id> nodes; ///< By datapath id.
  secret authorization;                ///< What basic_authorization() makes of name and password.
  uint32_t request_timeout_ms = 70000; ///< Of the controller: mirrors may take a minute.
  size_t flows_max = 1024;             ///< Remembered; no more are taken (503).
};

struct northbound_state {
  ~northbound_state() {
    if (config.door)
      config.door->leave(service);
  }
  static inline const char* name = "northbound";
  using key = std::pair<switch_id, std::string>;

  northbound_config config;
  uint64_t service = 0;
  /// What the controller does not know of a flow: its priority, and those that are not installed.
  /// Gone with the actor.
  std::map<key, flow_config> known;
};

/// Bounds of the port: bodies of 1 MiB with 32 levels, 10 s for a request; HTTP without TLS on
/// loopback only.
http_server_settings northbound_http(const std::string& listen = "127.0.0.1:8080");

using northbound_actor = actor_of<caf::result<void>(continuation)>;

/// The flow programmer of OpenDaylight's northbound (Hydrogen, AD-SAL), as the paper's orchestrator
/// uses it: a static flow from an ingress to an egress port is a cross-connection.
///
///   PUT     201 it is new, 200 it replaces; 400 what is sent is none; 405 the path says something
///           else than the body; 409 its ports or its name are taken; 415 neither JSON nor XML
///   GET     200; of a flow, a node or the container
///   DELETE  204
///   POST    200; an installed flow is taken out of the switch and remembered, or put in again
///
/// 401 without name and password, 404 for an unknown container, node or flow, and
/// northbound_status(). The container "default" is the only one and always enabled, so nobody is
/// answered 406.
northbound_actor::behavior_type northbound(stateful<northbound_actor, northbound_state>* self,
                                           northbound_config config);

} // namespace qnfv
