#pragma once

#include "runtime/config/topology.hpp"
#include "runtime/faults/plan.hpp"
#include "tools/qnfv/invariants.hpp"

#include <map>
#include <optional>

namespace qnfv {

/// One life of a lab in virtual time: what happens in it follows from the seed.
struct sim_setting {
  topology lab;
  uint64_t seed = 1;
  duration span{0};
  double orders_per_h = 2;
  double callers_per_h = 0; ///< See sim_callers.
  std::optional<fault_plan> faults;
};

struct sim_outcome {
  uint64_t seed = 0;
  std::string hash;
  uint64_t messages = 0;
  double virtual_s = 0;
  double cpu_s = 0;
  uint64_t orders = 0;
  uint64_t running = 0; ///< Orders that ended well.
  uint64_t faults = 0;  ///< Injected.
  std::vector<std::string> failures; ///< The first orders that did not end as they should.
  std::vector<invariant_checker::violation> violations;
  std::set<fault_kind> fired;
  std::map<std::pair<fault_kind, std::string>, uint64_t> coverage;
};

/// Images of seeded sizes (one of them damaged in the catalogue, if there are callers) go to seeded data centres at seeded times, faults come as the plan says, and
/// then everything heals and must come to rest. Ends early after the first violation.
/// `watch` sees every note of the trace; may be empty. Failure: invalid_argument (the plan names a place that
/// the lab has not).
result<sim_outcome> live(const sim_setting&, const std::function<void(const simulation&, const trace_event&)>& watch);

} // namespace qnfv
