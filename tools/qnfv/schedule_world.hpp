#pragma once

// The world of a scheduling scenario: pools, demand, visits and faults, as data. No actor and no clock:
// whoever plays it says what time it is. All randomness is a function of (seed, stream, counter), so
// every policy meets the same demand, and the n-th visit of a link goes the same whoever sends it.

#include "tools/qnfv/schedule_scenario.hpp"

#include <cstdint>
#include <limits>

namespace qnfv {

struct world_link {
  enum class doing { idle, starting, producing };
  doing now = doing::idle;
  size_t bob = 0; ///< Who is with it, unless idle.
  double stock = 0;
  double asked_bits = 0; ///< In all, served or not.
  double served_bits = 0;
  double rate_bps = 0; ///< Of this visit.
  double ready_s = 0;
  bool will_fail = false;
  bool down = false;
  double last_end_s = -1e12;
  uint32_t visits = 0;
  std::string reason; ///< Why its last visit ended badly; empty after a good one.
  double starving_since_s = -1;
  double starved_s = 0;
};

struct world_figures {
  double q = 0;
  double unserved_fraction = 0;
  double worst_starvation_s = 0;
  double initialising_fraction = 0;
  uint64_t switches = 0;
  double first_unserved_s = -1; ///< -1: never.
  double least_over_mean = 1;   ///< Served fraction of the worst link over the mean.
};

class schedule_world {
public:
  /// `home` says whose Alice each link is; spares come after the Bobs.
  schedule_world(schedule_scenario, std::vector<size_t> home);

  /// Lets time pass until `t`, at most one tick at a time. Links whose word changed are in `changed`.
  void advance(double t);
  /// False: no Bob is free for it.
  bool serve(size_t link);
  void release(size_t link);
  /// Bobs that went or came by faults since the last call: (bob, up).
  std::vector<std::pair<size_t, bool>> take_bob_changes();
  void set_spare(size_t spare, bool up);
  bool bob_is_up(size_t bob) const { return bobs_[bob].up; }

  double now_s() const { return now_s_; }
  const std::vector<world_link>& links() const { return links_; }
  const schedule_scenario& scenario() const { return scenario_; }
  std::vector<size_t> changed; ///< Cleared by the caller.
  world_figures figures() const;

private:
  struct world_bob {
    bool up = true;
    size_t with = static_cast<size_t>(-1);
    double up_s = 0; ///< How long it was there in all.
  };
  struct world_flow {
    uint64_t counter = 0; ///< Of candidate arrivals.
    double next_s = 0;
    double per_s = 0; ///< Candidates.
    struct later {
      double at_s;
      unsigned left;
    };
    std::vector<later> bursts;
  };

  double uniform(uint64_t stream, uint64_t counter) const;
  double normal(uint64_t stream, uint64_t counter) const;
  double wait_of(size_t flow) const;
  void faults_until(double t);
  void begin_or_fail(double t);
  void end_visit(size_t link, double t, const std::string& reason);
  void draw(const scenario_flow&, double t);
  void demand_until(size_t flow, double t);
  std::pair<double, double> degraded(size_t link, double t) const;

  schedule_scenario scenario_;
  std::vector<size_t> home_;
  std::vector<world_link> links_;
  std::vector<world_bob> bobs_;
  std::vector<world_flow> flows_;
  std::vector<size_t> visited_; ///< Links that are not idle.
  std::vector<std::pair<size_t, bool>> bob_changes_;
  std::vector<int> fault_state_; ///< 0: to come, 1: on, 2: over.
  double now_s_ = 0;
  double initialising_s_ = 0;
  double first_unserved_s_ = -1;
  uint64_t switches_ = 0;
};

} // namespace qnfv
