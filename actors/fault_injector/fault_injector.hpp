#pragma once

#include "runtime/faults/board.hpp"
#include "runtime/messages/faults.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/messages/paths.hpp"
#include "runtime/system/gate.hpp"

#include <map>

namespace qnfv {

struct fault_injector_config {
  std::shared_ptr<fault_board> board;
  site_id orchestrator; ///< Besides operators, whose word counts.
  std::map<site_id, fault_injector_actor> others; ///< Of the sites that this one talks to.
  std::map<link_id, site_id> links;               ///< Where its Bob is.
  std::map<link_id, qkd_device_actor> bobs;       ///< Those of this site.
  std::map<switch_id, site_id> switches;          ///< Where it is emulated.
  std::map<switch_id, switch_driver_actor> glass; ///< Those of this site.
  std::vector<site_id> data_centres;              ///< Sites with a VIM.
  std::shared_ptr<qnfv::gates> gates;
  /// Breaks the connection with a site.
  std::function<void(const site_id&)> disconnect;
  /// Crash, power_cut or freeze of this site, for so long.
  std::function<void(fault_kind, duration)> strike;
  uint32_t request_timeout_ms = 2000;
};

struct fault_injector_state {
  ~fault_injector_state() {
    if (config.board)
      config.board->forget_listeners();
  }
  static inline const char* name = "fault_injector";
  struct entry {
    fault what;
    bool waiting = false;
    time_point ends{}; ///< Zero: until it is cleared.
  };
  fault_injector_config config;
  uint64_t last = 0;
  std::map<uint64_t, entry> entries;
};

/// The line of a link on which all these faults are at once. `flood` and `mismatch` too.
line_conditions line_under(const std::vector<fault>&);

/// What a fault of a port is to the emulated switch.
switch_fault glass_fault(const fault&, port_number port);

/// The FAULT INJECTOR: makes things go wrong at its site, on an operator's word or a plan's. It passes
/// on what concerns other sites. Each fault leaves a note "fault" in the trace when it begins and
/// "fault_over" when it ends.
fault_injector_actor::behavior_type
fault_injector(stateful<fault_injector_actor, fault_injector_state>* self, fault_injector_config config);

} // namespace qnfv
