#pragma once

// One scenario under one policy in virtual time: the scheduler actor with its policy, and a world that
// plays the key pools and the links.

#include "tools/qnfv/schedule_world.hpp"

#include <string>

namespace qnfv {

struct schedule_result {
  world_figures world;
  double alarm_first_s = -1; ///< Of Bobs that cannot keep up; -1: never.
  double alarmed_s = 0;      ///< How long one was raised, in all.
  uint64_t decisions = 0;
  double decision_us_mean = 0, decision_us_p99 = 0;
};

/// The best score that fluids would allow: set-ups as few as pools allow, nothing ever wasted.
double fluid_bound(const schedule_scenario&);

/// Share of the Bobs' time that demand needs at least.
double fluid_load(const schedule_scenario&);

/// Throws std::invalid_argument for an unknown policy.
schedule_result play(const schedule_scenario&, const std::string& policy);

} // namespace qnfv
