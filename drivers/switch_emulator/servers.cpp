#include "drivers/switch_emulator/servers.hpp"

namespace qnfv {

result<std::vector<switch_server>> switch_servers(caf::actor_system& system, environment_ptr env,
                                                  const switch_server_settings& x) {
  std::vector<switch_server> out;
  if (!x.openflow.empty()) {
    auto controller = parse_openflow_endpoint(x.openflow);
    if (!controller)
      return controller.error();
    openflow_agent_config config;
    config.controller = *controller;
    config.datapath = x.datapath;
    out.push_back([&system, env, config](const switch_driver_actor& glass) {
      auto mine = config;
      mine.glass = glass;
      return switch_watcher{spawn_at(system, env, openflow_agent, mine)};
    });
  }
  return out;
}

} // namespace qnfv
