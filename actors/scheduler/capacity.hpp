#pragma once

// What devices can do at best, as if keys and time were fluids. Pure.

#include <cstddef>
#include <vector>

namespace qnfv {

struct fluid_demand {
  double demand_bps = 0;
  double rate_bps = 0;
  double initialisation_s = 0;
  double capacity_bits = 0;
};

/// The share of a Bob's time that a link needs: d / r, or more where one visit cannot bring more than
/// a pool-full: (t + fill) / (fill + cap / d) with fill = cap / (r - d). Above 1 where even a whole
/// Bob is not enough.
double fluid_load(const fluid_demand&);

/// Served fractions that make (mean + least) / 2 as large as `capacity` (of Bob time) allows, when
/// serving link i wholly costs load[i] and not more than most[i] of its demand can be served (empty:
/// all of it). None falls below half the mean if that can be helped.
std::vector<double> fair_fractions(const std::vector<double>& load, double capacity,
                                   const std::vector<double>& most = {});

/// (mean + least) / 2 of fractions; 1 for none.
double fairness_score(const std::vector<double>&);

} // namespace qnfv
