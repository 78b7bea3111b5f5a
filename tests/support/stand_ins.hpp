#pragma once

// Who may stand in a role for a while, so that its neighbours are on their own: what one layer would
// have caught, the next one must.

#include "runtime/messages/links.hpp"
#include "runtime/messages/paths.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv::test {

struct stand_in_state {
  static inline const char* name = "stand_in";
};

/// An SDN controller that joins nothing, and says of every path that it leads to somebody else.
/// `told` hears each path's name before its answer.
inline sdn_controller_actor::behavior_type
astray_controller(stateful<sdn_controller_actor, stand_in_state>*,
                  std::function<void(const std::string&)> told) {
  auto no = [] { return fail(ec::invalid_argument, "not here"); };
  return {
    [told](const connect_path& x) {
      told(x.path);
      return path_ready{x.path, x.from, "somebody else", 0, {}};
    },
    [](const release_path&) { return accepted{}; },
    [no](const put_flow&) -> caf::result<flow_stored> { return no(); },
    [no](const remove_flow&) -> caf::result<accepted> { return no(); },
    [](const paths_query&) { return path_list{}; },
    [](const switch_event&) {},
    [](const tick&) {},
    [](const continuation&) {},
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

/// An optical switch that says yes, does nothing, and can be read: nothing is joined.
inline optical_switch_actor::behavior_type
idle_switch(stateful<optical_switch_actor, stand_in_state>*, switch_id name) {
  return {
    [](const cross_connect&) { return accepted{}; },
    [](const disconnect&) { return accepted{}; },
    [](const read_cross_connections&) { return cross_connections{}; },
    [name](const switch_status_query&) {
      switch_status out;
      out.name = name;
      out.reachable = true;
      return out;
    },
    [](const switch_fault&) { return accepted{}; },
    [](const switch_event&) {},
    [](const continuation&) {},
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

} // namespace qnfv::test
