#pragma once

// Conversation: from "these two ends shall see each other's light" to glass that is joined.
//
//   link, orchestrator --connect_path--> sdn_controller       (which way? who holds the ports?)
//   northbound --put_flow--------------> sdn_controller       (an operator's or OpenDaylight's word)
//   sdn_controller --cross_connect-----> optical_switch       (per switch on the way, in order)
//   optical_switch --cross_connect-----> driver --(OpenFlow, SCPI, RESTCONF)--> the switch
//   driver --switch_event--------------> optical_switch --> sdn_controller --path_lost--> link
//   switch_emulator --fibre_light------> qkd_emulator          (what the true light does)

#include "runtime/base/ids.hpp"
#include "runtime/messages/admin.hpp"

#include <vector>

namespace qnfv {

/// Light that enters at `in` leaves at `out`. At all times an ingress port leads to one egress port
/// at most, and an egress port comes from one ingress port at most.
struct cross_connection {
  port_number in = 0;
  port_number out = 0;

  friend bool operator==(const cross_connection& a, const cross_connection& b) {
    return a.in == b.in && a.out == b.out;
  }
  friend bool operator!=(const cross_connection& a, const cross_connection& b) { return !(a == b); }
  friend bool operator<(const cross_connection& a, const cross_connection& b) {
    return a.in != b.in ? a.in < b.in : a.out < b.out;
  }
};
QNFV_FIELDS(cross_connection, in, out)

// -- one switch
// ---------------------------------------------------------------------------------------

/// Joins two ports. The answer comes when the mirrors have settled (25 ms on a Polatis) and the
/// switch has said so. Repeating it changes nothing. A command of an older epoch is refused.
struct cross_connect {
  cross_connection ports;
  uint64_t epoch = 0; ///< Of the scheduler on whose word it is done; 0: nobody's.
};
QNFV_MESSAGE(cross_connect, ports, epoch)

/// Parts two ports. Parting what is not joined changes nothing.
struct disconnect {
  cross_connection ports;
  uint64_t epoch = 0;
};
QNFV_MESSAGE(disconnect, ports, epoch)

/// What is joined now, asked of the switch itself, not remembered.
struct read_cross_connections {};
QNFV_SIGNAL(read_cross_connections)

struct cross_connections {
  std::vector<cross_connection> joined; ///< Ascending.
};
QNFV_MESSAGE(cross_connections, joined)

/// What a switch says by itself.
struct switch_event {
  enum class kind : uint8_t {
    connected, ///< The control connection stands; what was joined before may be gone.
    gone,      ///< The control connection broke.
    light_lost,
    light_back,
    port_failed,
  };
  kind what = kind::connected;
  port_number port = 0; ///< Of the last three.
  std::string text;
  switch_id at{};       ///< Filled in by the optical_switch on its way to the controller.
};
std::string to_string(switch_event::kind);
QNFV_MESSAGE(switch_event, what, port, text, at)

struct switch_status_query {};
QNFV_SIGNAL(switch_status_query)

struct switch_status {
  switch_id name;
  bool reachable = false;
  std::string model; ///< "Polatis I-OST-24x24", as the switch says.
  uint16_t size = 0; ///< N of N x N.
  std::vector<cross_connection> joined;
  std::vector<port_number> dark; ///< Ports without light, as far as the switch reports it.
  std::vector<port_number> failed;
  uint64_t commands = 0;   ///< Since its start.
  uint64_t mismatches = 0; ///< Times that what was read back was not what was written.
  uint64_t ignored = 0;    ///< Messages of the switch that meant nothing.
  std::string trouble;     ///< Why it is not reachable.
};
QNFV_MESSAGE(switch_status, name, reachable, model, size, joined, dark, failed, commands,
             mismatches, ignored, trouble)

/// What can be wrong with an emulated switch. `port` 0: every port.
struct switch_fault {
  enum class kind : uint8_t {
    none,   ///< Ends the faults of the port.
    stuck,  ///< Refuses to move: an error.
    wrong,  ///< Joins to the egress port after the one asked for; says and reports so.
    silent, ///< Says yes and does nothing; reports the truth when read.
    lying,  ///< Says yes, does nothing, and reports what it was asked for.
    lost,   ///< The command never arrives; neither answer nor effect.
    dark,   ///< The port loses its light.
  };
  kind what = kind::none;
  port_number port = 0;
  uint32_t settle_ms = 25; ///< Of every movement from now on; 60000: very slow.
  uint32_t times = 0;      ///< Commands that it hits; 0: until further notice.
};
std::string to_string(switch_fault::kind);
QNFV_MESSAGE(switch_fault, what, port, settle_ms, times)

/// The SWITCH DRIVER interface. Promises, tested by tests/conformance/switch_test.cpp on every
/// driver:
///  - an answered cross_connect is true: read_cross_connections shows it (unless the switch lies);
///  - repeating a command changes nothing; existing connections of other ports stay untouched;
///  - a port that is joined elsewhere is refused (busy), also by the switch itself;
///  - commands are carried out in the order they come;
///  - a switch that does not answer within the request timeout is site_unreachable; a command that
///  may
///    have reached it is maybe_executed;
///  - unknown or malformed words of the switch are counted and ignored.
/// A driver sends switch_event to the optical_switch that owns it.
using switch_driver_actor = actor_of<
  // Errors: invalid_argument (no such port), busy (a port is joined elsewhere), device_failed (the
  // switch refused or failed), site_unreachable, maybe_executed.
  caf::result<accepted>(cross_connect),
  caf::result<accepted>(disconnect),
  caf::result<cross_connections>(read_cross_connections),
  caf::result<switch_status>(switch_status_query),
  // Emulators only; others answer invalid_argument.
  caf::result<accepted>(switch_fault),
  caf::result<void>(tick), caf::result<void>(continuation),
  caf::result<void>(peer_up), caf::result<void>(peer_down)>;

/// The OPTICAL SWITCH interface: owns one driver; one command at a time, each read back.
using optical_switch_actor = actor_of<
  // As the driver, and: device_failed if what is read back is not what was asked for; stale_epoch;
  // not_allowed (another site than the controller's).
  caf::result<accepted>(cross_connect),
  caf::result<accepted>(disconnect),
  caf::result<cross_connections>(read_cross_connections),
  caf::result<switch_status>(switch_status_query),
  caf::result<accepted>(switch_fault),
  // From its driver.
  caf::result<void>(switch_event),
  caf::result<void>(continuation),
  caf::result<void>(peer_up), caf::result<void>(peer_down)>;

// -- paths through all switches
// -------------------------------------------------------------------------

/// A way of light from one end to another, for one purpose.
struct connect_path {
  std::string path; ///< What it is for, and its name: "bob1/alice2", "data co/dc1".
  std::string from; ///< An end of a fibre: a device, or a site for its data channel.
  std::string to;
  uint64_t epoch = 0;
};
QNFV_MESSAGE(connect_path, path, from, to, epoch)

struct path_hop {
  switch_id name;
  cross_connection ports;
};
QNFV_FIELDS(path_hop, name, ports)

/// The path stands. `from` and `to` are what the switches say when they are read back and the light
/// is followed fibre by fibre; never what was asked for.
struct path_ready {
  std::string path;
  std::string from;
  std::string to;
  double length_km = 0; ///< Of all fibres on the way.
  std::vector<path_hop> hops;
};
QNFV_MESSAGE(path_ready, path, from, to, length_km, hops)

/// Parts what `connect_path` joined. Repeating it, or releasing what was never connected, changes
/// nothing.
struct release_path {
  std::string path;
  uint64_t epoch = 0;
};
QNFV_MESSAGE(release_path, path, epoch)

/// To who asked for the path: its light is gone, or may lead elsewhere. Whoever uses it must stop.
struct path_lost {
  std::string path;
  std::string reason;
};
QNFV_MESSAGE(path_lost, path, reason)

/// One cross-connection by hand: what OpenDaylight calls a static flow. It is a path of its own
/// named "flow NAME", and reserves its ports like any other.
struct put_flow {
  std::string name;
  switch_id at;
  cross_connection ports;
};
QNFV_MESSAGE(put_flow, name, at, ports)

struct flow_stored {
  bool replaced = false;
};
QNFV_MESSAGE(flow_stored, replaced)

struct remove_flow {
  std::string name;
  switch_id at;
};
QNFV_MESSAGE(remove_flow, name, at)

struct paths_query {};
QNFV_SIGNAL(paths_query)

struct path_status {
  path_ready path;
  uint64_t epoch = 0;
  bool standing = false; ///< Confirmed by reading back.
  std::string trouble;
};
QNFV_FIELDS(path_status, path, epoch, standing, trouble)

struct path_list {
  std::vector<path_status> paths;
  std::vector<switch_status> switches;
  uint64_t epoch = 0; ///< The highest seen; older commands are refused.
};
QNFV_MESSAGE(path_list, paths, switches, epoch)

/// The SDN CONTROLLER interface: knows fibres, ports and reservations.
using sdn_controller_actor = actor_of<
  // Errors: invalid_argument (no such end, or no fibre leads there), busy (the ports of every way are
  // reserved: by whom), stale_epoch, device_failed (a switch refused, or light leads elsewhere),
  // site_unreachable, maybe_executed, not_allowed.
  caf::result<path_ready>(connect_path),
  caf::result<accepted>(release_path),
  caf::result<flow_stored>(put_flow),
  // Errors: not_found.
  caf::result<accepted>(remove_flow),
  caf::result<path_list>(paths_query),
  // From its switches.
  caf::result<void>(switch_event),
  caf::result<void>(tick), caf::result<void>(continuation),
  caf::result<void>(peer_up), caf::result<void>(peer_down)>;

// -- the emulated glass
// -----------------------------------------------------------------------------------

/// From an emulated switch to Bob's emulator of a link that crosses it: does the light of this link
/// pass? Sent at each change, and again every second to an emulator that may have restarted.
struct fibre_light {
  link_id link;
  switch_id at;
  bool passes = false;
};
QNFV_MESSAGE(fibre_light, link, at, passes)

} // namespace qnfv
