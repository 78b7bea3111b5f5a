#include "drivers/switch_emulator/servers.hpp"

#include "drivers/http/basic_auth.hpp"

namespace qnfv {

namespace {

result<switch_server> serve_scpi(caf::actor_system& system, const environment_ptr& env,
                                 const switch_server_settings& x) {
  scpi_port_settings settings;
  settings.listen = x.scpi;
  settings.tap = env->tap();
  settings.beyond_loopback = x.beyond_loopback;
  auto port = scpi_port::open(env->io->context(), settings);
  if (!port)
    return port.error();
  scpi_server_config config;
  config.port = *port;
  return switch_server{[&system, env, config](const switch_driver_actor& glass) {
    auto mine = config;
    mine.glass = glass;
    return switch_watcher{spawn_at(system, env, scpi_server, mine)};
  }};
}

result<switch_server> serve_restconf(caf::actor_system& system, const environment_ptr& env,
                                     const switch_server_settings& x) {
  auto settings = restconf_http(x.restconf);
  settings.plain_beyond_loopback = x.beyond_loopback;
  settings.tracing = {env->lab, env->tap(), restconf_shown};
  auto door = http_door::open(env->io->context(), settings);
  if (!door)
    return door.error();
  restconf_server_config config;
  config.door = *door;
  if (!x.user.empty())
    config.authorization = basic_authorization(x.user, x.password);
  return switch_server{[&system, env, config](const switch_driver_actor& glass) {
    auto mine = config;
    mine.glass = glass;
    return switch_watcher{spawn_at(system, env, restconf_server, mine)};
  }};
}

} // namespace

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
  for (auto& [listen, serve] :
       {std::pair{x.scpi, serve_scpi}, std::pair{x.restconf, serve_restconf}}) {
    if (listen.empty())
      continue;
    auto server = serve(system, env, x);
    if (!server)
      return server.error();
    out.push_back(*server);
  }
  return out;
}

} // namespace qnfv
