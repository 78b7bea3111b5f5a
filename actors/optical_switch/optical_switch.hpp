#pragma once

#include "actors/optical_switch/switch_command.hpp"
#include "runtime/storage/epoch_fence.hpp"
#include "runtime/system/actor.hpp"

#include <deque>
#include <map>

namespace qnfv {

struct optical_switch_config {
  switch_id name;
  uint16_t size = 24;      ///< N of N x N.
  site_id controller_site; ///< Whose sdn_controller commands it; besides the operator.
  switch_driver_actor driver;
  sdn_controller_actor controller;    ///< Hears the switch's events; null: nobody does.
  uint32_t request_timeout_ms = 2000; ///< For each of the driver's answers, of which a command may
                                      ///< take up to seven: two writes, an undo, and the readings.
  uint32_t queue_max = 64;            ///< Commands that wait; more are refused (busy).
  uint32_t late_check_ms = 10000;     ///< Between looks for what a slow switch joins after all.
  uint32_t late_checks = 60;          ///< So often; the mirrors must have settled by then.
};

struct optical_switch_state {
  static inline const char* name = "optical_switch";

  struct job {
    switch_command::kind what = switch_command::kind::read;
    cross_connection ports;
    uint64_t epoch = 0;
    std::function<void(const switch_command&)> answer;
  };

  optical_switch_config config;
  epoch_fence fence;
  std::deque<job> queue;
  bool at_work = false;
  switch_command command; ///< Of the job at work.
  /// What may be joined against everybody's will, and how often it is still looked for.
  std::map<cross_connection, uint32_t> doubtful;
  bool late_check_is_due = false;
  uint64_t commands = 0;
  uint64_t mismatches = 0;
  uint64_t refused_events = 0;
};

/// The OPTICAL SWITCH: owns one switch driver. Commands run one at a time, in the order they come:
/// look, write, read back, compare. What was joined wrongly is parted, a command of unknown outcome
/// is looked after and given once more, and what a slow switch joins after all is parted when it
/// shows. Remembers the highest epoch in the file "epochs/switch-NAME".
optical_switch_actor::behavior_type
optical_switch(stateful<optical_switch_actor, optical_switch_state>* self,
               optical_switch_config config);

} // namespace qnfv
