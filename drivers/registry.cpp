#include "drivers/registry.hpp"

#include "drivers/qkd_emulator/qkd_emulator.hpp"
#include "drivers/vim_docker/vim_docker.hpp"
#include "drivers/vim_emulator/vim_emulator.hpp"

namespace qnfv {

namespace {

template <class F, class Config>
driver_start starter(caf::actor_system& system, environment_ptr env, F behaviour, Config config) {
  return [&system, env, behaviour, config] {
    return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(system, env, behaviour, config));
  };
}

} // namespace

result<driver_start> qkd_source_driver(caf::actor_system& system, environment_ptr env,
                                       qkd_source_settings x) {
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
