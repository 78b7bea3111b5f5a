#pragma once

#include "actors/key_server/directory.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv {

struct key_server_config {
  site_id site;
  std::vector<application> applications; ///< Of the whole lab.
  key_limits limits;
  key_pool_actor key_pool;
  uint32_t request_timeout_ms = 2000; ///< For the pool's status. Whoever asks for keys has its own.
};

struct key_server_state {
  static inline const char* name = "key_server";
  key_server_config config;
  qnfv::directory directory;
};

/// The KEY SERVER of a site: lets its applications, and nobody else, at the keys of its pool. It
/// never sees a key: the pool answers whoever asked.
key_server_actor::behavior_type key_server(stateful<key_server_actor, key_server_state>* self,
                                           key_server_config config);

} // namespace qnfv
