// Our policy; README.md says why it is so.
//
//   stay     until the link holds what it needs for one cycle C, d C (1 - d / r), and a safety;
//            longer while nobody who waits is late by it; never beyond a full pool
//   next     who is due first: when its stock runs out by the forecast, less safety and start
//   C        the one of some lengths that loses least in a fluid look-ahead over a few cycles
//   overload the fractions f of each demand that one cycle leaves room for, as fair as the score;
//            a link with f < 1 is filled for f C and due once a cycle
//   alarm    the best C still loses, or needs f < 1, or a surge would empty the pools

#include "actors/scheduler/capacity.hpp"
#include "actors/scheduler/lookahead.hpp"
#include "actors/scheduler/policies.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qnfv {

namespace {

constexpr size_t lengths = 16;
/// What one decision may spend on looking ahead, in links looked at.
constexpr size_t work_per_decision = 1200;
/// A plan must be better by so much to replace the one in force.
constexpr double worth_changing = 2e-5;
/// Above it a look-ahead is late somewhere.
constexpr double late_loss = 2e-4;
/// Below it a forecast loss is chance.
constexpr double alarming_loss = 1e-2;
/// A forecast must last so long before it alarms, unless the worst link runs dry much sooner.
constexpr double alarm_after_s = 4 * 3600, alarm_after_least_s = 300;
constexpr double alarm_ends_after_s = 3600;
/// A surge that would empty the pools within it alarms, though it may end before.
constexpr double surge_matters_s = 12 * 3600, reserve_wanted_s = 24 * 3600;
/// Estimates of the first hours say little about surges.
constexpr double settled_after_s = 4 * 3600;
constexpr double throttle_after_s = 1200;
constexpr double throttled_again_s = 3600;

/// Looks ahead with plan after plan, a little at each decision, and keeps the best.
class planner {
public:
  const visit_plan& plan() const { return plan_; }

  void work(const outlook& now, size_t bob) {
    auto n = now.bobs[bob].links.size();
    if (n == 0)
      return;
    auto budget = std::max<size_t>(1, work_per_decision / n);
    if (generation_ != now.bobs[bob].generation) {
      generation_ = now.bobs[bob].generation;
      tried_ = candidates_.size();
      busy_ = false;
      plan_ = {};
    }
    if (plan_.cycle_s <= 0 || (!busy_ && tried_ >= candidates_.size()))
      begin_round(now, bob);
    if (!busy_) {
      play_.begin(start_, candidates_[tried_], horizon_s_);
      busy_ = true;
    }
    if (!play_.step(budget))
      return;
    busy_ = false;
    note_result();
    if (++tried_ >= candidates_.size())
      end_round(now);
  }

  /// Of this Bob's time, at the demand of now.
  double load_now() const { return load_now_; }
  std::optional<policy_alarm> alarm;
  bool spare_is_needed = false; ///< Without the spare Bobs it would not do.

private:
  void begin_round(const outlook& now, size_t bob);
  visit_plan throttled(double setups, double longest) const;
  void end_round(const outlook& now);
  void note_result();
  void judge(const outlook& now);

  fluid_bob start_;
  std::vector<visit_plan> candidates_;
  size_t tried_ = 0;
  bool busy_ = false;
  rollout play_;
  double horizon_s_ = 0;
  visit_plan plan_, best_;
  double best_loss_ = never_s, best_mean_loss_ = 0, plan_loss_ = never_s;
  size_t best_worst_ = no_link;
  double best_dry_s_ = never_s;
  double least_load_ = 0, load_now_ = 0;
  double reserve_s_ = 0; ///< Bob's time that is stored in the pools.
  bool overloaded_ = false;
  double longest_init_s_ = 0, turning_since_s_ = 0, throttled_at_s_ = 0;
  double first_s_ = -1; ///< When it began to look.
  double losing_since_s_ = -1, fine_since_s_ = -1;
  uint32_t generation_ = static_cast<uint32_t>(-1);
};

void planner::begin_round(const outlook& now, size_t bob) {
  start_.look(now, bob);
  if (first_s_ < 0)
    first_s_ = now.now_s;
  double setups = 0, production = 0, longest = 0;
  longest_init_s_ = 0;
  load_now_ = reserve_s_ = 0;
  for (auto& x : start_.links) {
    auto lasting = x.demand;
    lasting.fade_s = 1e9;
    load_now_ +=
      fluid_load({lasting.bits(0, surge_matters_s) / surge_matters_s, x.rate, x.init, x.capacity});
    reserve_s_ += x.level / x.rate;
    auto d = x.mean_bps;
    auto rho = d / x.rate;
    setups += x.init;
    longest_init_s_ = std::max(longest_init_s_, x.init);
    production += rho;
    if (d > 0 && rho < 0.95)
      longest = std::max(longest, x.capacity / (d * (1 - rho)));
  }
  longest = std::max(longest, 2 * setups);
  auto sustained = setups / std::max(1 - production, 0.02);
  auto low = std::min(0.5 * sustained, longest / 2);
  auto high = std::max(2 * low, std::min(longest, 8 * sustained));
  candidates_.clear();
  least_load_ = never_s;
  for (size_t i = 0; i < lengths; ++i) {
    visit_plan p;
    p.cycle_s = low * std::pow(high / low, static_cast<double>(i) / (lengths - 1));
    double sum = 0;
    for (auto& x : start_.links)
      if (x.mean_bps > 0) {
        auto rho = x.mean_bps / x.rate;
        auto most = rho < 0.99 ? x.capacity / (x.mean_bps * (1 - rho)) : never_s;
        sum += rho + x.init / std::min(p.cycle_s, most);
      }
    least_load_ = std::min(least_load_, sum);
    candidates_.push_back(p);
  }
  // An hour's chance must not throttle anybody.
  if ((least_load_ > (overloaded_ ? 1.0 : 1.02)) == overloaded_)
    turning_since_s_ = now.now_s;
  if (now.now_s - turning_since_s_ > throttle_after_s) {
    overloaded_ = !overloaded_;
    turning_since_s_ = now.now_s;
  }
  if (overloaded_) {
    if (plan_.fraction.empty() || now.now_s - throttled_at_s_ > throttled_again_s) {
      plan_ = throttled(setups, longest);
      throttled_at_s_ = now.now_s;
    }
    candidates_.assign(1, plan_);
  }
  // Short cycles now, sustainable ones later.
  for (size_t i = 0; !overloaded_ && i < 6; ++i) {
    visit_plan p;
    p.cycle_s = setups * (0.15 + 0.3 * static_cast<double>(i));
    p.later_cycle_s = std::min(2 * sustained, high);
    candidates_.push_back(p);
  }
  // While somebody is late anyway, the order matters too.
  if (!overloaded_ && best_mean_loss_ > late_loss)
    for (size_t i = 0, n = candidates_.size(); i < n; ++i) {
      candidates_.push_back(candidates_[i]);
      candidates_.back().short_first = true;
    }
  // Safety for some is paid for by those who are late.
  auto safety = best_mean_loss_ > late_loss || load_now_ > 1 ? 2 : 3;
  plan_.safety_sd = safety;
  for (auto& x : candidates_)
    x.safety_sd = safety;
  if (plan_.cycle_s <= 0) {
    plan_.cycle_s = std::min(1.5 * sustained, high);
  } else if (!overloaded_ && plan_.fraction.empty()) {
    candidates_.insert(candidates_.begin(), plan_);
  }
  horizon_s_ = std::max(3 * std::min(sustained, high), 12 * 3600.0);
  tried_ = 0;
  best_loss_ = never_s;
}

/// The cycle, and what part of each demand it serves, that score best in the long run when each link is
/// visited once a cycle and a visit brings at most a pool-full.
visit_plan planner::throttled(double setups, double longest) const {
  visit_plan out;
  double best = -1;
  constexpr size_t steps = 40;
  auto low = std::max(1.5 * setups, 0.3 * longest), high = std::max(2 * low, 2 * longest);
  std::vector<double> load, most;
  for (size_t i = 0; i < steps; ++i) {
    auto cycle = low * std::pow(high / low, static_cast<double>(i) / (steps - 1));
    load.clear();
    most.clear();
    for (auto& x : start_.links) {
      auto rho = x.mean_bps / x.rate;
      auto one_visit =
        rho < 1 && x.mean_bps > 0 ? x.capacity / (x.mean_bps * cycle * (1 - rho)) : 1;
      load.push_back(rho);
      most.push_back(std::min(1.0, one_visit));
    }
    auto fractions = fair_fractions(load, 1 - setups / cycle, most);
    if (auto score = fairness_score(fractions); score > best) {
      best = score;
      out.cycle_s = cycle;
      out.fraction = std::move(fractions);
    }
  }
  return out;
}

void planner::note_result() {
  auto loss = play_.loss();
  if (tried_ == 0)
    loss -= worth_changing;
  if (loss < best_loss_) {
    best_loss_ = loss;
    best_mean_loss_ = play_.mean_loss();
    best_ = play_.plan();
    best_worst_ = play_.worst();
    best_dry_s_ = play_.first_dry_s();
  }
}

void planner::end_round(const outlook& now) {
  plan_ = best_;
  judge(now);
}

void planner::judge(const outlook& now) {
  auto emptied_s = load_now_ > 1 ? reserve_s_ / (load_now_ - 1) : never_s;
  bool surging =
    emptied_s < reserve_wanted_s && !overloaded_ && now.now_s - first_s_ > settled_after_s;
  bool losing = best_mean_loss_ > alarming_loss || least_load_ > 1.02 || overloaded_ || surging
                || (alarm && spare_is_needed);
  if (losing) {
    fine_since_s_ = -1;
    if (losing_since_s_ < 0)
      losing_since_s_ = now.now_s;
  } else {
    losing_since_s_ = -1;
    if (fine_since_s_ < 0)
      fine_since_s_ = now.now_s;
  }
  if (alarm && fine_since_s_ >= 0 && now.now_s - fine_since_s_ >= alarm_ends_after_s)
    alarm.reset();
  auto wait =
    surging
      ? alarm_after_least_s
      : std::clamp((best_dry_s_ - longest_init_s_) / (best_mean_loss_ > alarming_loss ? 10 : 4),
                   alarm_after_least_s, alarm_after_s);
  auto first = best_worst_ != no_link ? best_worst_ : start_.shortest_lived();
  if (!losing || (!alarm && now.now_s - losing_since_s_ < wait) || first == no_link)
    return;
  char text[160];
  auto& worst = now.links[first];
  auto rho = worst.rate_bps > 0 ? worst.demand_bps() / worst.rate_bps : never_s;
  policy_alarm out;
  auto load = std::max(overloaded_ ? least_load_ : 0, load_now_);
  if (overloaded_ || surging)
    std::snprintf(text, sizeof text, "demand is %.0f %% of what this Bob can serve", 100 * load);
  else if (best_mean_loss_ > alarming_loss)
    std::snprintf(text, sizeof text, "%.1f %% of the demand will find no key",
                  100 * best_mean_loss_);
  else
    std::snprintf(text, sizeof text, "without the spare Bob it would not do");
  out.reason = text;
  out.worst = first;
  out.runs_dry_s = std::min({best_dry_s_, worst.life_s(), emptied_s});
  out.help = "one more Bob";
  if (load > 1) {
    std::snprintf(text, sizeof text, ", or %.0f %% less demand", std::ceil(100 * (1 - 1 / load)));
    out.help += text;
  }
  if (rho > 0.5)
    out.help += ", or a shorter fibre for " + worst.link.value;
  alarm = std::move(out);
}

class best : public policy {
public:
  const char* name() const override { return "best"; }

  decision decide(const outlook& now, size_t bob) override {
    planners_.resize(std::max(planners_.size(), now.bobs.size()));
    auto& mind = planners_[bob];
    mind.spare_is_needed = spare_is_needed(now);
    mind.work(now, bob);
    auto& b = now.bobs[bob];
    if (b.doing == bob_activity::starting || b.links.empty())
      return {};
    auto& plan = mind.plan();
    fluid_.look(now, bob);
    auto& a = fluid_.active;
    if (b.doing == bob_activity::producing) {
      auto left = fluid_.still_needs(a, plan, 0, fluid_.producing_for);
      if (left > 0 && !now.links[b.active].full())
        return {decision::what::stay, no_link, {}, now.now_s + left};
    }
    order_.clear();
    for (size_t k = 0; k < fluid_.links.size(); ++k) {
      auto& x = fluid_.links[k];
      if (k == a || !x.available)
        continue;
      x.due = fluid_.due_of(k, plan, 0);
      order_.push_back(k);
    }
    if (order_.empty())
      return {};
    std::sort(order_.begin(), order_.end(), [&](size_t x, size_t y) {
      return fluid_.links[x].due != fluid_.links[y].due
               ? fluid_.links[x].due < fluid_.links[y].due
               : now.links[fluid_.links[x].index].link < now.links[fluid_.links[y].index].link;
    });
    if (b.doing == bob_activity::producing && !now.links[b.active].full()) {
      auto slack = fluid_.slack(order_, plan, 0);
      if (slack > 0)
        return {decision::what::stay, no_link, {}, std::isfinite(slack) ? now.now_s + slack : 0};
    }
    for (auto k : order_)
      fluid_.links[k].available = !now.links[fluid_.links[k].index].full();
    auto next = fluid_.next(order_, plan, 0);
    if (next == order_.end())
      return {};
    auto& x = fluid_.links[*next];
    return {decision::what::go, x.index,
            "due first, in " + span_text(x.due) + "; cycles of " + span_text(plan.cycle_s), 0};
  }

  std::optional<policy_alarm> alarm(size_t bob) const override {
    return bob < planners_.size() ? planners_[bob].alarm : std::nullopt;
  }

private:
  bool spare_is_needed(const outlook& now) const {
    double load = 0, own = 0;
    bool any = false;
    for (size_t b = 0; b < now.bobs.size(); ++b) {
      if (!now.bobs[b].up)
        continue;
      any = any || now.bobs[b].spare;
      own += now.bobs[b].spare ? 0 : 1;
      load += planners_[b].load_now();
    }
    return any && load > own;
  }

  std::vector<planner> planners_;
  fluid_bob fluid_;
  std::vector<size_t> order_;
};

} // namespace

std::unique_ptr<policy> make_best() {
  return std::make_unique<best>();
}

} // namespace qnfv
