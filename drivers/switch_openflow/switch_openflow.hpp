#pragma once

#include "drivers/switch_openflow/circuit_view.hpp"
#include "drivers/switch_openflow/openflow_listener.hpp"
#include "runtime/system/actor.hpp"

#include <deque>
#include <map>

namespace qnfv {

struct switch_openflow_config {
  switch_id name;
  port_number size = 0; ///< Another switch is refused; 0: whatever the switch has.
  uint64_t datapath = 0;
  std::shared_ptr<openflow_listener> listener; ///< Outlives the actor, and serves the next one.
  optical_switch_actor owner;                  ///< Null: nobody.
  port_padding padding = port_padding::none;
  /// False: a switch that does not name the peers of its ports. Then what it acknowledged since it
  /// connected is what it is said to have joined.
  bool names_peers = true;
  // All in real time.
  uint32_t request_timeout_ms = 2000;
  uint32_t handshake_timeout_ms = 5000; ///< From a connection to its FEATURES_REPLY.
  uint32_t echo_ms = 2000;              ///< Between two questions whether the switch lives.
  uint32_t silent_ms_max = 6000;        ///< Without a word of it: the switch is gone.
  uint32_t commands_max = 256;          ///< Waiting; more are refused as busy.
  uint32_t strangers_max = 8;           ///< Connections that have not said who they are.
};

struct switch_openflow_state {
  static inline const char* name = "switch_openflow";
  enum class deed { connect, disconnect, read };
  struct command {
    uint64_t number = 0;
    deed what = deed::read;
    cross_connection ports;
    caf::response_promise answer;
    uint32_t xid = 0;     ///< Of its CFLOW_MOD.
    uint32_t end_xid = 0; ///< Of the BARRIER or FEATURES_REQUEST whose reply ends this step.
    std::optional<openflow_error> refused;
  };
  struct peer {
    std::shared_ptr<openflow_connection> connection;
    bool asked = false; ///< For its features.
  };

  switch_openflow_config config;
  std::map<uint64_t, peer> peers; ///< Connections, by number.
  uint64_t current = 0;           ///< The switch among them; 0: it is not there.
  uint64_t last_peer = 0;
  circuit_view view;
  std::set<cross_connection> acknowledged; ///< Since the switch connected.
  time_point heard;                        ///< From the switch, the last time.
  std::deque<command> waiting;
  std::optional<command> active;
  uint64_t last_command = 0;
  uint32_t xid = 0;
  uint64_t commands = 0;
  uint64_t ignored = 0;
  std::string trouble = "the switch has not connected yet";
};

/// The SWITCH DRIVER over OpenFlow 1.0 with circuit ports: we are the controller. The switch dials
/// us; the one with the configured datapath id is ours, a second connection of it replaces the
/// first (the switch knows better that the first is dead), others are sent away.
///
///   cross_connect           CFLOW_MOD ADD, BARRIER_REQUEST; answered at BARRIER_REPLY
///   disconnect              CFLOW_MOD DELETE_STRICT, the same way
///   read_cross_connections  FEATURES_REQUEST; a port's peer_port is what it is joined with
///
/// OpenFlow 1.0 and the addendum cannot list circuits. They can name a port's peer, and a switch
/// that puts there the port it joined it with, in its own datapath, can be read back truly; for
/// others see `names_peers`. One that says so in a CPORT_STATUS has changed by itself: the owner hears
/// `connected`, and reads it. After an ERROR the same question decides: if it is as it was ordered
/// all the same (a repeated command), that is a success.
switch_driver_actor::behavior_type
switch_openflow(stateful<switch_driver_actor, switch_openflow_state>* self,
                switch_openflow_config config);

} // namespace qnfv
