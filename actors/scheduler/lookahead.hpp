#pragma once

// One Bob and its links as a fluid: what would be lost if visits were planned for cycles of a given
// length? Pure; the work is done in small steps, because a decision must not wait for it.

#include "actors/scheduler/policy.hpp"

namespace qnfv {

/// How visits are planned.
struct visit_plan {
  double cycle_s = 0;           ///< A link is filled for so long.
  std::vector<double> fraction; ///< Of its demand, per link of the Bob; empty: all of all.
  /// Cycles grow (or shrink) to this one with the visits; 0: they stay.
  double later_cycle_s = 0;
  double safety_sd = 3;     ///< Kept for what may come differently, in standard deviations.
  bool short_first = false; ///< Of those who are late, the shortest visit: fewer stay late.
  /// A visit that is planned by name, not by due time. Links are positions in bob_outlook::links.
  struct visit {
    size_t link = no_link;
    double begin_s = 0; ///< From the moment it was planned at.
    double part = 1;    ///< Of the cycle, to be filled for.
  };
  std::vector<visit> first; ///< Visits that come before all others, in this order.
  double active_part = 1;   ///< Of the visit that is on.

  double fraction_of(size_t k) const { return fraction.empty() ? 1 : fraction[k]; }
};

/// The links of one Bob at one moment, in the order of bob_outlook::links.
class fluid_bob {
public:
  /// Takes the state of now; keeps its memory. `outlook` may change afterwards, but forecasts with the
  /// shape of a day point into it.
  void look(const outlook&, size_t bob);

  struct link {
    size_t index = 0;
    double level = 0; ///< Stock at `at`.
    double at = 0;
    double capacity = 0, rate = 1, per_rate = 1, init = 0, mean_bps = 0;
    double since_end = 0; ///< Since its last visit ended, at 0.
    bool available = true;
    demand_forecast demand;
    double due = 0; ///< When its visit must begin.
    double lost = 0;
    double lost_before = 0;
    double spread_s = -1, spread_bits = 0; ///< What `spread` said last: mostly it is asked the same again.
  };
  std::vector<link> links;
  size_t active = no_link; ///< Position in `links`.
  bool producing = false;
  double start_left = 0; ///< Until its first key.
  double producing_for = 0;

  /// Index in the outlook of the link that runs dry first; no_link if there is none.
  size_t shortest_lived() const;
  /// Seconds of production that link k still needs at `t`, after `elapsed` of its visit.
  double still_needs(size_t k, const visit_plan&, double t, double elapsed, double part = 1);
  double due_of(size_t k, const visit_plan&, double t);
  /// By how many bits the demand and the next initialisation may differ from a forecast for `dt` seconds.
  static double spread(link&, double dt);
  /// Who is next in `order`, which is by due time, at `t`; its end if nobody can be served.
  std::vector<size_t>::const_iterator next(const std::vector<size_t>& order, const visit_plan&,
                                           double t);
  /// How long Bob may stay where it is at `t`, if then all who wait are served in the order of `order`.
  double slack(const std::vector<size_t>& order, const visit_plan&, double t);

  /// How often it was worked out what a link needs: what a look-ahead costs.
  size_t looks = 0;
};

/// Plays one plan on a fluid.
class rollout {
public:
  void begin(const fluid_bob& from, visit_plan plan, double horizon_s);
  /// Plays until its looks at links have used up `budget`, and takes them off it; true when the horizon
  /// is reached.
  bool step(size_t& budget);
  /// Expected loss as the score counts it: mean and largest lost fraction, in halves; plus a little for
  /// empty pools at the end.
  double loss() const { return loss_; }
  double mean_loss() const { return mean_loss_; }
  /// The link that loses most, and when it runs dry first.
  size_t worst() const { return worst_; }
  double first_dry_s() const { return first_dry_s_; }
  const visit_plan& plan() const { return plan_; }
  /// The first visits, as played.
  const std::vector<visit_plan::visit>& visits() const { return played_; }

private:
  void visit();
  void begin_visit(std::vector<size_t>::const_iterator next, double part);
  void finish();

  fluid_bob state_;
  visit_plan plan_, now_plan_;
  double horizon_s_ = 0, t_ = 0;
  std::vector<size_t> order_; ///< Who waits, by due time.
  double loss_ = 0, mean_loss_ = 0, first_dry_s_ = never_s;
  size_t worst_ = no_link;
  size_t visits_ = 0, planned_ = 0;
  double part_ = 1; ///< Of the cycle, for the visit that is on.
  std::vector<visit_plan::visit> played_;
};

} // namespace qnfv
