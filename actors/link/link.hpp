#pragma once

#include "actors/link/transitions.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv {

struct link_actor_config {
  link_id link;
  site_id bob_site;
  site_id alice_site;
  double length_km = 0;
  qkd_device_actor bob;
  qkd_device_actor alice;
  uint32_t request_timeout_ms = 2000;
  uint32_t backoff_first_s = 10; ///< Lab time before another session; doubles with each failure.
  uint32_t backoff_max_s = 1280;
  uint32_t health_ms = 2000;     ///< Real time between two looks at the devices.
};

struct link_actor_state {
  static inline const char* name = "link";
  link_actor_config config;
  link_status status;
  bool alice_is_up = false;
  bool settled = false;    ///< Both devices have accepted the session.
  uint64_t generation = 0; ///< Of the timer and the answers that count.
};

/// The LINK of one Alice-Bob pair, at Bob's site: numbers the sessions, starts both devices, follows
/// them, and begins again with growing patience when a session is lost. File: "link-BOB-ALICE".
link_actor::behavior_type link_pair(stateful<link_actor, link_actor_state>* self,
                                    link_actor_config config);

} // namespace qnfv
