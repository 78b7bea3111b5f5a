#include "actors/scheduler/planner.hpp"

#include "actors/scheduler/capacity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qnfv {

namespace {

constexpr size_t lengths = 16;
/// What one decision may spend on looking ahead, in looks at links.
constexpr size_t looks_per_decision = 800;
/// A plan must be better by so much to replace the one in force.
constexpr double worth_changing = 2e-5;
/// Above it a look-ahead is late somewhere.
constexpr double late_loss = 2e-4;
/// Above it Bob is behind, not only late: the order of his visits decides who pays.
constexpr double search_loss = 2e-3;
/// Below it a forecast loss is chance.
constexpr double alarming_loss = 1e-2;
/// A forecast must last so long before it alarms, unless the worst link runs dry much sooner.
constexpr double alarm_after_s = 4 * 3600, alarm_after_least_s = 300;
constexpr double alarm_ends_after_s = 3600;
/// A surge that would empty the pools within it alarms, though it may end before.
constexpr double surge_matters_s = 12 * 3600, reserve_wanted_s = 24 * 3600;
/// Estimates of the first hours say little about surges.
constexpr double settled_after_s = 4 * 3600;
/// Of the estimates.
constexpr double demand_memory_s = 24 * 3600;
constexpr double throttle_after_s = 1200;
constexpr double throttled_again_s = 3600;
constexpr double cycle_least_s = 60, cycle_most_s = 60 * 86400.0;
/// Orders of visits that are tried before the state is looked at anew.
constexpr size_t orders_per_round = 60;
/// With more of them a round would outlast a visit.
constexpr size_t searched_links = 24;

} // namespace

void planner::work(const outlook& now, size_t bob) {
  if (now.bobs[bob].links.empty())
    return;
  if (generation_ != now.bobs[bob].generation) {
    generation_ = now.bobs[bob].generation;
    tried_ = candidates_.size();
    search_left_ = 0;
    busy_ = false;
    plan_ = {};
  }
  if (auto& b = now.bobs[bob]; b.active != no_link && b.since_s != visit_began_s_) {
    visit_began_s_ = b.since_s;
    auto at = std::find(b.links.begin(), b.links.end(), b.active);
    begin_visit(static_cast<size_t>(at - b.links.begin()));
  }
  // What one rollout leaves of the budget is the next one's.
  for (auto left = looks_per_decision; left > 0;) {
    bool idle = !busy_ && search_left_ == 0;
    if (plan_.cycle_s <= 0 || (idle && tried_ >= candidates_.size()))
      begin_round(now, bob);
    if (!busy_) {
      play_.begin(start_, search_left_ > 0 ? another_order() : candidates_[tried_], horizon_s_);
      busy_ = true;
    }
    if (!play_.step(left))
      return;
    busy_ = false;
    bool better = note_result();
    if (search_left_ > 0) {
      if (better)
        plan_ = best_;
      --search_left_;
    } else if (++tried_ >= candidates_.size()) {
      end_round(now);
      begin_search();
      return;
    }
  }
}

void planner::begin_visit(size_t k) {
  for (auto* x : {&plan_, &best_}) {
    auto at = std::find_if(x->first.begin(), x->first.end(), [&](auto& y) { return y.link == k; });
    x->active_part = at != x->first.end() ? at->part : 1;
    if (at != x->first.end())
      x->first.erase(at);
  }
  // What was looked at began with another visit.
  if (search_left_ > 0) {
    search_left_ = 0;
    busy_ = false;
  }
}

/// While somebody will be late whatever the cycle, it matters who waits how long.
void planner::begin_search() {
  search_left_ = 0;
  if (start_.links.size() > searched_links || best_mean_loss_ <= search_loss || overloaded_
      || visit_began_s_ != start_visit_began_s_)
    return;
  best_.first = best_visits_;
  plan_ = best_;
  search_left_ = orders_per_round;
}

/// The same for the same tosses before: a policy has no randomness of its own.
size_t planner::chance(size_t below) {
  auto x = ++tosses_ * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return static_cast<size_t>((x ^ (x >> 31)) % below);
}

/// The best plan with one visit earlier or later, shorter or longer, or all of them.
visit_plan planner::another_order() {
  auto out = best_;
  auto& visits = out.first;
  auto n = visits.size();
  auto what = n < 2 ? 3 + chance(3) : chance(6);
  constexpr double parts[] = {0.4, 0.7, 0.85, 1.18, 1.4, 2.5};
  auto scale = [&](double& x) { x = std::clamp(x * parts[chance(6)], 0.02, 4.0); };
  if (what <= 1) {
    auto i = chance(n), j = chance(n);
    auto x = visits[i];
    visits.erase(visits.begin() + static_cast<std::ptrdiff_t>(i));
    visits.insert(visits.begin() + static_cast<std::ptrdiff_t>(j), x);
  } else if (what == 2) {
    std::swap(visits[chance(n)], visits[chance(n)]);
  } else if (what == 3) {
    auto i = chance(n + 1);
    scale(i < n ? visits[i].part : out.active_part);
  } else if (what == 4) {
    double x = 1;
    scale(x);
    out.cycle_s = std::clamp(out.cycle_s * x, cycle_least_s, cycle_most_s);
    if (out.later_cycle_s <= 0)
      out.later_cycle_s = best_.cycle_s;
  } else {
    out.safety_sd = 0.5 * static_cast<double>(chance(7));
  }
  return out;
}

void planner::begin_round(const outlook& now, size_t bob) {
  start_.look(now, bob);
  start_visit_began_s_ = visit_began_s_;
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
  // An hour's chance must not throttle or alarm anybody: at first little is known of the demand.
  unsure_ = 0;
  for (auto& x : start_.links)
    unsure_ += x.demand.variance / (x.rate * x.rate);
  unsure_ = std::sqrt(unsure_ / std::clamp(now.now_s - first_s_, 600.0, demand_memory_s));
  overload_begins_ = 1.02 + 2 * unsure_;
  if ((least_load_ > (overloaded_ ? 1.0 : overload_begins_)) == overloaded_)
    turning_since_s_ = now.now_s;
  if (now.now_s - turning_since_s_ > throttle_after_s) {
    overloaded_ = !overloaded_;
    turning_since_s_ = now.now_s;
  }
  if (overloaded_) {
    if (plan_.fraction.empty() || now.now_s - throttled_at_s_ > throttled_again_s) {
      plan_ = throttled(setups, longest);
      make_good(plan_.fraction);
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
  if (plan_.first.empty())
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

/// Chance lets some links down more than was planned; they get more of the next cycles.
void planner::make_good(std::vector<double>& fraction) const {
  double missed = 0, planned = 0, shift = 0, load = 0;
  std::vector<double> owed;
  for (size_t k = 0; k < start_.links.size(); ++k) {
    auto& x = start_.links[k];
    owed.push_back(x.mean_bps > 0 ? x.lost_before / x.mean_bps / unserved_memory_s : 0);
    missed += owed[k];
    planned += 1 - fraction[k];
  }
  if (planned <= 0)
    return;
  for (size_t k = 0; k < owed.size(); ++k) {
    auto& x = start_.links[k];
    owed[k] -= missed / planned * (1 - fraction[k]);
    shift += owed[k] * x.mean_bps / x.rate;
    load += x.mean_bps / x.rate;
  }
  for (size_t k = 0; k < owed.size(); ++k)
    if (fraction[k] < 1)
      fraction[k] = std::clamp(fraction[k] + owed[k] - shift / load, 0.9 * fraction[k],
                               std::min(1.0, 1.1 * fraction[k]));
}

bool planner::note_result() {
  auto loss = play_.loss();
  bool in_force = search_left_ == 0 && tried_ == 0;
  if (in_force)
    loss -= worth_changing;
  if (loss >= best_loss_)
    return false;
  best_loss_ = loss;
  best_mean_loss_ = play_.mean_loss();
  // Of the plan in force a visit may have begun meanwhile.
  best_ = in_force && play_.plan().cycle_s == plan_.cycle_s ? plan_ : play_.plan();
  best_visits_ = play_.visits();
  if (search_left_ > 0)
    best_.first = best_visits_;
  best_worst_ = play_.worst();
  best_dry_s_ = play_.first_dry_s();
  return true;
}

void planner::end_round(const outlook& now) {
  plan_ = best_;
  // An order that was planned by name goes stale; it is worth that only while Bob is behind.
  if (best_mean_loss_ <= search_loss)
    plan_.first.clear();
  judge(now);
}

void planner::judge(const outlook& now) {
  auto emptied_s = load_now_ > 1 ? reserve_s_ / (load_now_ - 1) : never_s;
  bool surging =
    emptied_s < reserve_wanted_s && !overloaded_ && now.now_s - first_s_ > settled_after_s;
  bool losing = best_mean_loss_ > alarming_loss + unsure_ / 2 || least_load_ > overload_begins_
                || overloaded_ || surging || (alarm && spare_is_needed);
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

} // namespace qnfv
