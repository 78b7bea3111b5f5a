#pragma once

#include "runtime/messages/vnfs.hpp"
#include "runtime/system/actor.hpp"

#include <map>

namespace qnfv {

struct vim_actor_config {
  /// Which driver runs images of a kind.
  std::map<image_kind, vim_actor> drivers;
};

struct vim_state {
  static inline const char* name = "vim";
  vim_actor_config config;
};

/// The VIM of one data centre: containers to one driver, virtual machines to another.
vim_actor::behavior_type vim(stateful<vim_actor, vim_state>* self, vim_actor_config config);

} // namespace qnfv
