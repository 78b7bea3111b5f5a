#pragma once

// The emulated switch in the words of OpenFlow 1.0 with circuit ports. Pure.

#include "drivers/openflow/codec.hpp"
#include "runtime/messages/paths.hpp"

namespace qnfv {

/// What the switch tells of its ports: "in1".."inN", "outN+1".."out2N", each a fibre of anything. A
/// port that is joined names the port it is joined with as its peer, in this same switch; so the
/// switch can be read back. A dark port is LINK_DOWN.
openflow_features features_of(uint64_t datapath, const switch_status&);

/// That a port's light or health changed. Its peer is left unknown.
openflow_cport_status port_changed(port_number size, const switch_event&);

/// That circuits changed which nobody ordered: every port with its peer, port 0 if it has none.
std::vector<openflow_cport_status> circuits_changed(uint64_t datapath, const switch_status&);

struct circuit_step {
  bool join = true;
  cross_connection ports;
};

/// What a CFLOW_MOD wants of the switch, in order; or why not (`about` is left empty).
///
///   ADD             joins each pair. Several are looked at first: all or none.
///   MODIFY (both)   as ADD, but an ingress port that leads elsewhere is parted from there
///   DELETE, DROP    parts each pair; with one of the two arrays, what these ports are joined with
///
///   error      when
///   MISMATCH   no component, not fibre ports, no such command, a circuit with an end in time
///   OVERLAP    one of several is joined elsewhere, or named twice
struct circuit_plan {
  std::vector<circuit_step> steps;
  std::optional<openflow_error> refused;
};
circuit_plan plan_of(const openflow_cflow_mod&, const std::vector<cross_connection>& joined);

/// The switch's refusal of a step, for a controller. Nothing for a lost command: no answer.
std::optional<openflow_error> error_of(ec);

} // namespace qnfv
