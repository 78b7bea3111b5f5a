#pragma once

#include "drivers/openflow/connection.hpp"
#include "drivers/switch_emulator/switch_emulator.hpp"

namespace qnfv {

/// As in the paper's Fig. 12.
constexpr uint64_t openflow_datapath_default = 0x51e;

struct openflow_agent_config {
  switch_driver_actor glass; ///< The switch that it speaks for.
  boost::asio::ip::tcp::endpoint controller;
  uint64_t datapath = openflow_datapath_default;
  uint32_t dial_timeout_ms = 3000;
  uint32_t again_ms = 100;      ///< From a broken connection to the next try; doubles
  uint32_t again_ms_max = 5000; ///< up to this while the controller is away.
  uint32_t inbox_max = 256;     ///< Messages that wait; more are not read.
  /// For the switch to carry out one command: above its slowest mirrors.
  uint32_t command_timeout_ms = crossbar_settle_ms_max + 10000;
};

using openflow_agent_actor = actor_of<caf::result<void>(switch_event), caf::result<void>(tick),
                                      caf::result<void>(continuation)>;

struct openflow_agent_state {
  static inline const char* name = "openflow_agent";
  openflow_agent_config config;
  std::shared_ptr<openflow_connection> connection; ///< Null while it dials or waits.
  uint64_t serial = 0;                             ///< Of the connection or of the try.
  uint32_t again_ms = 0;
  std::deque<bytes> inbox;
  bool reading = false;      ///< The connection reads on by itself.
  bool busy = false;         ///< With the first message that left the inbox.
  bool command_lost = false; ///< Since the last barrier: the barrier is lost with it.
  port_number size = 0;      ///< Of the switch; 0: not known yet.
  openflow_config settings;
  uint32_t xid = 0; ///< Of what it says unasked.
};

/// Makes the emulated switch an OpenFlow switch: dials the controller, again and again, and gives
/// the switch what the controller orders, message by message. A barrier is answered when everything
/// before it has been, so after the mirrors have settled; an ECHO at once.
openflow_agent_actor::behavior_type
openflow_agent(stateful<openflow_agent_actor, openflow_agent_state>* self,
               openflow_agent_config config);

} // namespace qnfv
