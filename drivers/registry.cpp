#include "drivers/registry.hpp"

#include "drivers/idq3p/server.hpp"
#include "drivers/qkd_emulator/qkd_emulator.hpp"
#include "drivers/qkd_etsi014/qkd_etsi014.hpp"
#include "drivers/qkd_idq3p/qkd_idq3p.hpp"
#include "drivers/switch_openflow/switch_openflow.hpp"
#include "drivers/switch_restconf/switch_restconf.hpp"
#include "drivers/switch_scpi/switch_scpi.hpp"
#include "drivers/vim_docker/vim_docker.hpp"
#include "drivers/vim_emulator/vim_emulator.hpp"

#include <algorithm>

namespace qnfv {

namespace {

template <class F, class Config>
driver_start starter(caf::actor_system& system, environment_ptr env, F behaviour, Config config) {
  return [&system, env, behaviour, config] {
    return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(system, env, behaviour, config));
  };
}

/// A device that draws its keys from a key server of another make.
result<driver_start> drawn_source(caf::actor_system& system, environment_ptr env,
                                  const qkd_source_settings& x) {
  qkd_drawn_config config;
  config.device = x.device;
  config.end = x.end;
  config.link = x.link;
  config.peer_site = x.peer_site;
  config.peer = x.peer;
  config.owner = x.owner;
  // A block must fit into the smallest of pools.
  config.block_keys_max = std::max(block_keys_min, std::min(config.block_keys_max, x.pool_keys_max / 4));
  config.key_pool = x.key_pool;
  config.pool_keys_enough = x.pool_keys_max;
  status ready = done{};
  if (x.driver == "qkd_idq3p") {
    idq3p_client_settings client;
    client.server = x.server;
    ready = use_idq3p(config, env, client);
  } else {
    kme_client_settings client;
    client.kme = x.server;
    client.expected_name = x.kme;
    client.other_sae = x.other_sae;
    auto stem = x.certificates + "/" + x.sae;
    client.tls = {x.certificates + "/ca.pem", stem + ".pem", stem + ".key"};
    ready = use_etsi014(config, env, client);
  }
  if (!ready)
    return ready.error();
  return starter(system, std::move(env), qkd_drawn, config);
}

/// A switch that only answers.
result<driver_start> polled_switch(caf::actor_system& system, environment_ptr env,
                                   const switch_driver_settings& x) {
  switch_polled_config config;
  config.name = x.name;
  config.size = x.size;
  config.owner = x.owner;
  status ready = done{};
  auto patience = std::chrono::milliseconds{x.request_timeout_ms};
  if (x.driver == "switch_scpi") {
    scpi_client_settings client;
    client.server = x.address;
    client.connect_timeout = client.answer_timeout = patience;
    ready = use_scpi(config, env, client);
  } else {
    restconf_settings client;
    client.server = x.address;
    client.security = x.plain ? http_security::plain : http_security::server_tls;
    client.ca = x.ca;
    client.expected_name = x.certificate_name;
    client.user = x.user;
    client.password = x.password;
    client.connect_timeout = client.answer_timeout = patience;
    ready = use_restconf(config, env, client);
  }
  if (!ready)
    return ready.error();
  return starter(system, std::move(env), switch_polled, config);
}

status check_size(const switch_id& name, port_number size) {
  if (size >= 1 && size <= crossbar_size_max)
    return done{};
  return {ec::bad_config, "switch " + name.value + ": its size is 1 to "
                            + std::to_string(crossbar_size_max) + ", not " + std::to_string(size)};
}

} // namespace

result<driver_start> qkd_source_driver(caf::actor_system& system, environment_ptr env,
                                       qkd_source_settings x) {
  if (x.driver == "qkd_idq3p" || x.driver == "qkd_etsi014")
    return drawn_source(system, std::move(env), x);
  if (x.driver != "qkd_emulator")
    return {ec::bad_config, "no QKD source driver is called " + x.driver};
  if (x.seed.size() < 32)
    return {ec::bad_config, "link " + x.link.value + " is emulated: its devices need a seed of 32 "
                                                     "bytes (qnfv node --emulator-seed FILE)"};
  qkd_emulator_config config;
  config.device = x.device;
  config.end = x.end;
  config.link = x.link;
  config.length_km = x.length_km;
  config.extra_loss_db = x.extra_loss_db;
  config.switches = x.switches;
  config.seed = x.seed;
  config.peer_site = x.peer_site;
  config.peer = x.peer;
  config.owner = x.owner;
  config.request_timeout_ms = x.request_timeout_ms;
  config.block_keys_max =
    std::max(block_keys_min, std::min(config.block_keys_max, x.pool_keys_max / 4));
  return starter(system, std::move(env), qkd_emulator, config);
}

result<driver_start> idq3p_driver(caf::actor_system& system, environment_ptr env,
                                  const key_server_settings& x) {
  idq3p_port_settings port;
  port.listen = x.listen;
  port.beyond_loopback = x.beyond_loopback;
  port.answer_damaged = x.answer_damaged;
  port.tap = env->tap();
  auto opened = open_idq3p_port(env->io->context(), port);
  if (!opened)
    return opened.error();
  idq3p_server_config config;
  config.link = x.link;
  config.peer = x.peer;
  config.key_pool = x.key_pool;
  config.port = *opened;
  return starter(system, std::move(env), idq3p_server, config);
}

result<driver_start> vim_driver(caf::actor_system& system, environment_ptr env,
                                const std::string& name, const std::string& socket) {
  if (name == "vim_emulator")
    return starter(system, std::move(env), vim_emulator, vim_emulator_config{});
  if (name == "vim_docker") {
    vim_docker_config config;
    config.socket = socket;
    return starter(system, std::move(env), vim_docker, config);
  }
  return {ec::bad_config, "no VIM driver is called " + name};
}

result<driver_start> switch_driver(caf::actor_system& system, environment_ptr env,
                                   const switch_driver_settings& x) {
  if (x.driver == "switch_scpi" || x.driver == "switch_restconf")
    return polled_switch(system, std::move(env), x);
  if (auto ok = check_size(x.name, x.size); !ok)
    return ok.error();
  if (x.driver == "switch_emulator") {
    switch_emulator_config config;
    config.name = x.name;
    config.size = x.size;
    config.owner = x.owner;
    config.links = x.links;
    config.settle_ms = x.settle_ms;
    config.request_timeout_ms = x.request_timeout_ms;
    return starter(system, std::move(env), switch_emulator, config);
  }
  if (x.driver == "switch_openflow") {
    openflow_listener_settings door;
    door.listen = x.address;
    door.beyond_loopback = x.beyond_loopback;
    door.tap = env->tap();
    auto opened = listen_openflow(env->io->context(), door);
    if (!opened)
      return opened.error();
    switch_openflow_config config;
    config.name = x.name;
    config.size = x.size;
    config.datapath = x.datapath;
    config.listener = *opened;
    config.owner = x.owner;
    config.request_timeout_ms = x.request_timeout_ms;
    return starter(system, std::move(env), switch_openflow, config);
  }
  return {ec::bad_config, "no switch driver is called " + x.driver};
}

result<driver_start> emulated_switch(caf::actor_system& system, environment_ptr env,
                                     const emulated_switch_settings& x) {
  if (auto ok = check_size(x.name, x.size); !ok)
    return ok.error();
  auto servers = switch_servers(system, env, x.servers);
  if (!servers)
    return servers.error();
  switch_emulator_config config;
  config.name = x.name;
  config.size = x.size;
  config.links = x.links;
  config.servers = *servers;
  config.settle_ms = x.settle_ms;
  config.request_timeout_ms = 0;
  return starter(system, std::move(env), switch_emulator, config);
}

} // namespace qnfv
