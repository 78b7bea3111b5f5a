#pragma once

// What the SWITCH DRIVERs share that speak a protocol in which the switch only answers: switch_scpi
// and switch_restconf differ in their client only.

#include "drivers/switch_polled/switch_client.hpp"
#include "runtime/system/actor.hpp"

#include <deque>

namespace qnfv {

struct switch_polled_config {
  switch_id name;
  port_number size = 0;       ///< Another switch is refused; 0: whatever the switch has.
  optical_switch_actor owner; ///< Gets the events; null: nobody does.
  /// Makes the client; it does not connect yet. Failure: bad_config.
  std::function<result<std::shared_ptr<switch_client>>()> connect;
  uint32_t poll_ms = 1000;       ///< Between two looks at connections and ports.
  uint32_t retry_first_ms = 250; ///< After the connection broke; doubles with each try,
  uint32_t retry_max_ms = 10000; ///< up to this.
  uint32_t commands_max = 64;    ///< That wait; more are refused (busy).
};

struct switch_polled_state {
  static inline const char* name = "switch_driver";
  switch_polled_config config;
  std::shared_ptr<switch_client> client;
  switch_status status;
  bool joined_is_known = false; ///< Read since it was reached.
  std::vector<port_state> ports;             ///< As last told to the owner.
  std::deque<std::function<void()>> waiting; ///< Commands, in the order they came.
  bool working = false;                      ///< On one of them.
  uint32_t retry_ms = 0;
  uint64_t generation = 0; ///< Of the tick that counts.
};

/// The SWITCH DRIVER over such a protocol. Before a command it reads what is joined: what is so
/// already is not said again, and a port that is joined elsewhere is not touched. After it, it
/// reads again. Between commands it looks at ports and connections and tells its owner what changed:
/// connections that nobody ordered by `connected`.
switch_driver_actor::behavior_type
switch_polled(stateful<switch_driver_actor, switch_polled_state>* self,
              switch_polled_config config);

} // namespace qnfv
