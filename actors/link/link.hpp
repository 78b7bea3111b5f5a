#pragma once

#include "actors/link/history.hpp"
#include "actors/link/transitions.hpp"
#include "runtime/messages/schedule.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv {

struct link_actor_config {
  link_id link;
  device_id bob_device;
  device_id alice_device;
  site_id bob_site;
  site_id alice_site;
  double length_km = 0;
  qkd_device_actor bob;
  qkd_device_actor alice;
  // A Bob that is shared, over an optical switch. All empty: Bob and the fibre are this link's alone.
  sdn_controller_actor controller;
  scheduler_actor scheduler;
  site_id scheduler_site; ///< Whose word counts, besides the operator's.
  uint32_t request_timeout_ms = 2000;
  uint32_t path_timeout_ms = 60000; ///< For all switches on the way, and a second way.
  uint32_t drain_s = 5;          ///< Lab time from a release to the stop: the ends of a session give
                                 ///< out a finished block a little apart, and a stop ends both.
  uint32_t backoff_first_s = 10; ///< Lab time before another session; doubles with each failure.
  uint32_t backoff_max_s = 1280;
  uint32_t health_ms = 2000;     ///< Real time between two looks at the devices.
};

struct link_actor_state {
  static inline const char* name = "link";
  link_actor_config config;
  link_status status;
  link_history history;
  std::string damage;      ///< Of the history: no session before somebody has looked.
  bool alice_is_up = false;
  bool settled = false;    ///< Both devices have accepted the session.
  bool letting_go = false; ///< Devices are being stopped, the path is being released.
  bool path_owed = false;  ///< The controller has not yet heard that the path is free.
  bool suspect = false;    ///< The last block left no secret: noise, or somebody listens.
  uint64_t generation = 0; ///< Of the timer and the answers that count.

  bool scheduled() const { return static_cast<bool>(config.scheduler); }
};

/// The LINK of one Alice-Bob pair, at Bob's site: numbers the sessions, starts both devices and
/// follows them. A link that has its Bob for itself begins again with growing patience when a session
/// is lost; one that shares it makes one visit for each serve_link: path, session, keys, and back.
/// File: "link-BOB-ALICE".
link_actor::behavior_type link_pair(stateful<link_actor, link_actor_state>* self,
                                    link_actor_config config);

} // namespace qnfv
