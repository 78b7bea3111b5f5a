#pragma once

// What OpenDaylight (Hydrogen) calls static flows, as far as light goes: one ingress port, one
// egress port. Pure: paths and bodies to requests, flows to bodies.
//
//   /controller/nb/v2/flowprogrammer/default                                          all
//   /controller/nb/v2/flowprogrammer/default/node/OF/00:00:00:00:00:00:05:1e          of a switch
//   .../node/OF/00:00:00:00:00:00:05:1e/staticFlow/xc-1-25                            one
//
//   {"installInHw":"true","name":"xc-1-25","node":{"type":"OF","id":"00:00:00:00:00:00:05:1e"},
//    "ingressPort":"1","priority":"500","actions":["OUTPUT=25"]}
//
//   <flowConfig><installInHw>true</installInHw><name>xc-1-25</name><node>
//   <id>00:00:00:00:00:00:05:1e</id><type>OF</type></node><ingressPort>1</ingressPort>
//   <priority>500</priority><actions>OUTPUT=25</actions></flowConfig>
//
// In JSON every value is a string; numbers and truth values are understood too. What matches
// packets (etherType, nwSrc, ...) and all time-outs are ignored: glass does not know packets.

#include "drivers/http/json_mask.hpp"
#include "runtime/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

constexpr const char* northbound_prefix = "/controller/nb/v2/flowprogrammer";

/// What everybody may see of bodies in JSON.
inline const shown_names flows_shown{{"flowConfig", false}, {"installInHw"}, {"name"},    {"node", false},
                                     {"type"},              {"id"},          {"ingressPort"}, {"priority"},
                                     {"actions"}};

struct flow_target {
  /// How far the path goes; none: it is no such path.
  enum class depth : uint8_t { none, container, node, flow };
  depth level = depth::none;
  std::string container; ///< As sent, percent-decoded; and so are
  std::string type, id, name;
};
flow_target parse_flow_target(std::string_view target);

struct flow_config {
  std::string name;
  std::string type; ///< Of its node: "OF".
  std::string id;   ///< The datapath id, as sent.
  uint16_t ingress = 0, egress = 0;
  uint16_t priority = 500;
  bool install = true;
};

/// Errors: invalid_argument (no JSON object, no node, ports, priority or actions that are none).
result<flow_config> parse_flow_json(std::string_view body);
/// The same in XML: elements without attributes; comments, CDATA and document types are refused.
result<flow_config> parse_flow_xml(std::string_view body);

std::string print_flow(const flow_config&);
/// {"flowConfig":[...]}
std::string print_flows(const std::vector<flow_config>&);

/// The HTTP status of a failure of the controller:
///   busy, already_exists      409   the ports are somebody's
///   not_found                 404
///   invalid_argument          400   no such port
///   site_unreachable          503   no switch or no controller
///   maybe_executed            503   may be done: ask
///   everything else           500
uint16_t northbound_status(ec);

} // namespace qnfv
