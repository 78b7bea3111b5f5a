#pragma once

// Finds the plan of one Bob for `best`: looks ahead with plan after plan, a little at each decision.

#include "actors/scheduler/lookahead.hpp"

#include <optional>

namespace qnfv {

/// Keeps the plan that loses least, and says when even that one loses too much.
class planner {
public:
  const visit_plan& plan() const { return plan_; }

  void work(const outlook&, size_t bob);
  /// Whether the plan is one for these links of this Bob.
  bool knows(const bob_outlook& x) const {
    return plan_.cycle_s > 0 && generation_ == x.generation;
  }
  /// Of this Bob's time, at the demand of now.
  double load_now() const { return load_now_; }
  std::optional<policy_alarm> alarm;
  bool spare_is_needed = false; ///< Without the spare Bobs it would not do.

private:
  void begin_round(const outlook& now, size_t bob);
  visit_plan throttled(double setups, double longest) const;
  void make_good(std::vector<double>& fraction) const;
  void end_round(const outlook& now);
  bool note_result();
  /// Of a link, by its position.
  void begin_visit(size_t k);
  void begin_search();
  visit_plan another_order();
  size_t chance(size_t below);
  void judge(const outlook& now);

  fluid_bob start_;
  std::vector<visit_plan> candidates_;
  size_t tried_ = 0;
  bool busy_ = false;
  rollout play_;
  double horizon_s_ = 0;
  visit_plan plan_, best_;
  std::vector<visit_plan::visit> best_visits_;
  size_t search_left_ = 0;
  uint64_t tosses_ = 0;
  double visit_began_s_ = -1, start_visit_began_s_ = -1;
  double best_loss_ = never_s, best_mean_loss_ = 0, plan_loss_ = never_s;
  size_t best_worst_ = no_link;
  double best_dry_s_ = never_s;
  double least_load_ = 0, load_now_ = 0;
  double reserve_s_ = 0; ///< Bob's time that is stored in the pools.
  bool overloaded_ = false;
  double unsure_ = 0;          ///< Deviation of the load, by what was seen of the demand.
  double overload_begins_ = 1; ///< More than chance can explain.
  double longest_init_s_ = 0, turning_since_s_ = 0, throttled_at_s_ = 0;
  double first_s_ = -1; ///< When it began to look.
  double losing_since_s_ = -1, fine_since_s_ = -1;
  uint32_t generation_ = static_cast<uint32_t>(-1);
};

} // namespace qnfv
