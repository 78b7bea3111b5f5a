#pragma once

#include "drivers/vim_docker/docker_codec.hpp"
#include "runtime/messages/vnfs.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv {

struct vim_docker_config {
  std::string socket = "/var/run/docker.sock";
  uint32_t request_timeout_ms = 30000; ///< For the engine's answer to one request.
  uint32_t load_idle_ms = 300000;      ///< For each step of a load.
  uint32_t stop_grace_s = 1;           ///< Between TERM and KILL.
  docker::container_settings container;
};

struct vim_docker_state {
  static inline const char* name = "vim_docker";
  vim_docker_config config;
};

/// The VIM driver for the Docker Engine API over its unix socket. Containers are named "qnfv-VNF" and
/// labelled "qnfv.vnf=VNF"; nothing else of the engine is touched.
vim_actor::behavior_type vim_docker(stateful<vim_actor, vim_docker_state>* self,
                                    vim_docker_config config);

} // namespace qnfv
