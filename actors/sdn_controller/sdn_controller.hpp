#pragma once

#include "actors/sdn_controller/fibre_graph.hpp"
#include "actors/sdn_controller/reservations.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/storage/epoch_fence.hpp"
#include "runtime/system/actor.hpp"

#include <deque>

namespace qnfv {

struct sdn_controller_config {
  struct controlled_switch {
    switch_id name;
    site_id site; ///< Of its optical_switch; nobody else speaks for it.
    optical_switch_actor handle;
    uint16_t size = 24; ///< N of N x N.
  };

  site_id site;
  std::vector<controlled_switch> switches;
  std::vector<fibre> fibres;
  /// Who is told when a path is lost, by the path's name. Of a link it is "bob1/alice2": its two ends.
  std::map<std::string, link_actor> owners;
  std::set<site_id> allowed; ///< Sites that may ask for paths, besides its own and the operator.
  uint32_t request_timeout_ms = 20000; ///< For one command of a switch; more than the seven answers
                                       ///< that an optical_switch may wait for.
  uint32_t queue_max = 256;            ///< Requests that wait; more are refused (busy).
  uint32_t ways_max = 3;               ///< Tried for one request.
  uint32_t grace_ms = 5000;            ///< After a start, for owners to ask again for what stands.
  uint32_t audit_ms = 30000;           ///< Between two looks at all switches.
};

/// A request for a path, while it is worked on.
struct path_request {
  connect_path ask;
  site_id asked_by;
  std::vector<path_hop> given; ///< Not searched for: a flow by hand.
  bool keep = false; ///< If it fails it holds its ports all the same, and is tried again later.
  std::function<void(const result<path_ready>&)> answer;

  bool stood = false;  ///< Before it was asked for again.
  bool turned = false; ///< The path stands already, seen from its other end.
  fibre_graph::way way;
  std::vector<std::vector<path_hop>> tried;
  failure last;
};

struct sdn_controller_state {
  static inline const char* name = "sdn_controller";

  sdn_controller_config config;
  fibre_graph graph;
  std::string bad_config; ///< Why it does nothing.
  epoch_fence fence;
  reservations table;
  std::deque<std::function<void()>> queue; ///< One runs at a time; each ends with `finish`.
  bool at_work = false;
  bool look_is_due = false;
  bool has_looked = false;
  std::string under_way; ///< The path that is being joined.
  /// Owners that were told of a path that they got before this controller's start.
  std::set<std::string> told;
  std::set<switch_id> gone;
  std::set<switch_port> failed;
  std::set<switch_port> suspects; ///< Failed us last time: taken only if there is no other way.
  bool settled = false;           ///< The grace after the start is over.
};

/// The SDN CONTROLLER: knows the fibres, chooses ways, holds ports, has the switches join and part
/// them one request after the other, and believes only what it reads back. See README.md. Remembers
/// the highest epoch in the file "epochs/paths", and the operator's flows in the file "flows".
sdn_controller_actor::behavior_type
sdn_controller(stateful<sdn_controller_actor, sdn_controller_state>* self,
               sdn_controller_config config);

} // namespace qnfv
