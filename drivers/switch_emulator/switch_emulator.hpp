#pragma once

// An emulated optical circuit switch (a Polatis-like N x N crossbar). It stands at either side of
// the seam:
//
//   optical_switch --cross_connect--> switch_emulator                       (a simulation: no sockets)
//   optical_switch --> switch_openflow ==OpenFlow==> openflow_agent --> switch_emulator      (a lab)
//
// Behind a protocol it is the same actor: each of its `servers` speaks one protocol of a real switch
// and gives it the commands that arrive, over the SWITCH DRIVER interface.

#include "drivers/switch_emulator/crossbar.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/system/actor.hpp"

#include <deque>

namespace qnfv {

/// Whoever hears what a switch says by itself: its optical_switch, and its servers.
using switch_watcher = actor_of<caf::result<void>(switch_event)>;

/// Starts an actor that serves the switch over some protocol.
using switch_server = std::function<switch_watcher(const switch_driver_actor&)>;

/// A link whose light crosses this switch.
struct crossing_link {
  link_id link;
  /// All of them must be truly joined, and none of their ports dark, for its light to pass; it goes
  /// both ways through each.
  std::vector<cross_connection> ports;
  qkd_source_actor bob; ///< The emulator of Bob's end, told with fibre_light.
};

struct switch_emulator_config {
  switch_id name;
  port_number size = 24; ///< N of N x N, 1 to crossbar_size_max.
  uint32_t settle_ms = 25; ///< Until a switch_fault says otherwise.
  std::string model = "qnfv emulated switch";
  switch_watcher owner; ///< Null: nobody.
  std::vector<crossing_link> links;
  std::vector<switch_server> servers;
  uint32_t repeat_light_ms = 10000; ///< To emulators that may have restarted. 0: never.
  uint32_t commands_max = 256;      ///< Waiting; more are refused as busy.
  /// Real time until a command that is not done, or was lost, is answered with maybe_executed, as a
  /// driver must. 0: never, for a switch behind servers, whose controllers have their own patience;
  /// there maybe_executed says at once that a command was lost and wants no answer.
  uint32_t request_timeout_ms = 2000;
};

struct switch_emulator_state {
  static inline const char* name = "switch_emulator";
  enum class deed { connect, disconnect, read };
  struct command {
    deed what = deed::read;
    cross_connection ports;
    caf::response_promise answer;
  };

  switch_emulator_config config;
  std::unique_ptr<crossbar> glass;
  std::vector<switch_watcher> watchers;
  std::map<uint64_t, command> asked; ///< Not answered yet, by their number.
  std::deque<uint64_t> waiting;      ///< Not begun yet.
  uint64_t last = 0;                 ///< Number of the last command.
  uint64_t moving = 0;               ///< The command whose mirrors move; 0: none.
  uint64_t commands = 0;
  std::vector<bool> passes; ///< By link, as last told.
};

/// The SWITCH DRIVER of an emulated switch. Mirrors settle in real time, as those of a switch would.
switch_driver_actor::behavior_type
switch_emulator(stateful<switch_driver_actor, switch_emulator_state>* self,
                switch_emulator_config config);

} // namespace qnfv
