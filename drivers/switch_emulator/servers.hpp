#pragma once

#include "drivers/switch_emulator/openflow_agent.hpp"

namespace qnfv {

/// The protocols of an emulated switch. Empty: not that one.
struct switch_server_settings {
  std::string openflow; ///< The controller that it dials, "127.0.0.1:6633".
  uint64_t datapath = openflow_datapath_default;
};

/// One server per protocol, for `switch_emulator_config::servers`. They may be started again with
/// the switch. Errors: bad_config (no address).
result<std::vector<switch_server>> switch_servers(caf::actor_system&, environment_ptr,
                                                  const switch_server_settings&);

} // namespace qnfv
