#pragma once

#include "drivers/switch_emulator/openflow_agent.hpp"
#include "drivers/switch_emulator/restconf_server.hpp"
#include "drivers/switch_emulator/scpi_server.hpp"

namespace qnfv {

/// The protocols of an emulated switch. Empty: not that one.
struct switch_server_settings {
  std::string openflow; ///< The controller that it dials, "127.0.0.1:6633".
  uint64_t datapath = openflow_datapath_default;
  std::string scpi;     ///< Where it listens, "127.0.0.1:5025".
  std::string restconf; ///< Where it listens, "127.0.0.1:8008"; HTTP without TLS.
  std::string user;     ///< Of RESTCONF; empty: nobody is asked.
  secret password;
  bool beyond_loopback = false; ///< May it listen there?
};

/// One server per protocol, for `switch_emulator_config::servers`. They may be started again with
/// the switch; what listens keeps its port meanwhile. Errors: bad_config (no address),
/// site_unreachable (a port is taken).
result<std::vector<switch_server>> switch_servers(caf::actor_system&, environment_ptr,
                                                  const switch_server_settings&);

} // namespace qnfv
