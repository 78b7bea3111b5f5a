#include "drivers/registry.hpp"

#include "drivers/idq3p/server.hpp"
#include "drivers/qkd_emulator/qkd_emulator.hpp"
#include "drivers/qkd_etsi014/qkd_etsi014.hpp"
#include "drivers/qkd_idq3p/qkd_idq3p.hpp"
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
  config.pool_keys_enough = x.pool_keys_max - config.block_keys_max;
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
  config.seed = x.seed;
  config.peer_site = x.peer_site;
  config.peer = x.peer;
  config.owner = x.owner;
  config.request_timeout_ms = x.request_timeout_ms;
  return starter(system, std::move(env), qkd_emulator, config);
}

result<driver_start> idq3p_driver(caf::actor_system& system, environment_ptr env,
                                  const key_server_settings& x) {
  idq3p_port_settings port;
  port.listen = x.listen;
  port.beyond_loopback = x.beyond_loopback;
  port.answer_damaged = x.answer_damaged;
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

} // namespace qnfv
