#pragma once

// The policies, one file each.

#include "actors/scheduler/policy.hpp"

namespace qnfv {

/// Each link in its turn, for as long as its initialisation took.
std::unique_ptr<policy> make_round_robin();
/// The link that lacks most bits to a full pool.
std::unique_ptr<policy> make_longest_queue();
/// The link that runs dry first.
std::unique_ptr<policy> make_earliest_deadline();
/// Aguado et al., section III; see paper.cpp.
std::unique_ptr<policy> make_paper(adaptive_stop = adaptive_stop::off);
/// Ours; see best.cpp.
std::unique_ptr<policy> make_best();

} // namespace qnfv
