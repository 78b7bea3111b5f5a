#pragma once

#include "runtime/faults/board.hpp"
#include "runtime/messages/channels.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv {

struct faulty_channel_config {
  channel_actor inner;
  std::shared_ptr<fault_board> board;
  uint32_t timeout_ms = 20000; ///< The inner driver has its own, shorter ones.
};

struct faulty_channel_state {
  static inline const char* name = "channel";
  faulty_channel_config config;
};

/// A CHANNEL driver before another: what this site sends suffers what the board says of its edges.
channel_actor::behavior_type faulty_channel(stateful<channel_actor, faulty_channel_state>* self,
                                            faulty_channel_config config);

} // namespace qnfv
