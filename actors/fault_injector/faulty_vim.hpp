#pragma once

#include "runtime/faults/board.hpp"
#include "runtime/messages/vnfs.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv {

struct faulty_vim_config {
  vim_actor inner;
  std::shared_ptr<fault_board> board;
};

struct faulty_vim_state {
  static inline const char* name = "vim";
  faulty_vim_config config;
};

/// A VIM before another: loads, creations and starts fail or hang as the board says. Stopping,
/// unloading and looking always work, as one wants of what must clean up.
vim_actor::behavior_type faulty_vim(stateful<vim_actor, faulty_vim_state>* self, faulty_vim_config config);

} // namespace qnfv
