#include "actors/scheduler/lookahead.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

namespace {

/// Beyond it a level that is filled costs no visit.
constexpr double full_part = 0.999;
/// Of the length of an initialisation, from one visit to the next.
constexpr double initialisation_spread = 0.1;
/// Of a forecast, besides chance.
constexpr double forecast_spread = 0.02;
/// What else a visit costs, in looks.
constexpr size_t looks_of_a_visit = 8;
/// Of a rollout; what comes later is planned later.
constexpr size_t visits_noted = 24;

/// Expected shortage of a stock whose mean margin is `margin` with deviation `sd`.
double expected_shortage(double margin, double sd) {
  if (sd <= 0 || margin < -4 * sd)
    return std::max(0.0, -margin);
  auto x = margin / sd;
  if (x > 4)
    return 0;
  constexpr double inv_sqrt_2pi = 0.3989422804014327;
  return sd * (inv_sqrt_2pi * std::exp(-x * x / 2) - x * 0.5 * std::erfc(x * 0.7071067811865476));
}

} // namespace

void fluid_bob::look(const outlook& now, size_t bob) {
  auto& b = now.bobs[bob];
  links.resize(b.links.size());
  active = no_link;
  producing = b.doing == bob_activity::producing;
  start_left = producing_for = 0;
  for (size_t k = 0; k < b.links.size(); ++k) {
    auto& x = now.links[b.links[k]];
    auto& mine = links[k];
    mine.index = b.links[k];
    mine.level = x.stock_bits;
    mine.at = 0;
    mine.capacity = x.capacity_bits;
    mine.rate = std::max(x.rate_bps, 1e-6);
    mine.per_rate = 1 / mine.rate;
    mine.init = x.initialisation_s;
    mine.demand = x.demand;
    mine.mean_bps = std::max(0.0, x.demand.level_bps);
    mine.spread_s = -1;
    mine.since_end = now.now_s - x.last_end_s;
    mine.available = x.available;
    mine.lost = 0;
    mine.lost_before = x.unserved_bits;
    if (b.links[k] == b.active)
      active = k;
  }
  if (active == no_link)
    return;
  if (producing)
    producing_for = now.now_s - b.ready_s;
  else
    start_left = std::max(10.0, links[active].init - (now.now_s - b.since_s));
}

size_t fluid_bob::shortest_lived() const {
  auto out = no_link;
  auto least = never_s;
  for (auto& x : links)
    if (auto life = x.demand.run_out_s(x.level, x.at); life < least) {
      least = life;
      out = x.index;
    }
  return out;
}

double fluid_bob::spread(link& x, double dt) {
  if (dt == x.spread_s)
    return x.spread_bits;
  auto rough = forecast_spread * x.mean_bps * dt;
  auto start = initialisation_spread * x.init * x.mean_bps;
  x.spread_s = dt;
  x.spread_bits = std::sqrt(x.demand.variance * dt + rough * rough + start * start);
  return x.spread_bits;
}

double fluid_bob::still_needs(size_t k, const visit_plan& plan, double t, double elapsed,
                              double part) {
  ++looks;
  auto& x = links[k];
  auto level = std::max(0.0, x.at == t ? x.level : x.level - x.demand.bits(x.at, t));
  auto f = plan.fraction_of(k);
  double need = 0;
  if (f < 1) {
    // Its pool is dry when the visit begins, and may stay so: only time counts.
    need = std::max(0.0, f * x.mean_bps / x.rate * plan.cycle_s - elapsed);
  } else {
    auto cycle_s = part * plan.cycle_s;
    auto left_s = std::max(0.0, cycle_s - elapsed);
    auto wanted = x.demand.bits(t, t + left_s) + plan.safety_sd * spread(x, cycle_s);
    need = std::max(0.0, (wanted - level) * x.per_rate);
  }
  // Until its pool is full, at most.
  auto gained = x.rate * need - x.demand.bits(t, t + need);
  auto room = std::max(0.0, full_part * x.capacity - level);
  return gained > room ? need * (room / gained) : need;
}

double fluid_bob::due_of(size_t k, const visit_plan& plan, double t) {
  auto& x = links[k];
  auto life = x.demand.run_out_s(x.level, x.at);
  if (!std::isfinite(life))
    return never_s;
  auto f = plan.fraction_of(k);
  if (f < 1) {
    // It will run dry; what counts is that its visits come once a cycle.
    auto away = plan.cycle_s - f * x.mean_bps * plan.cycle_s / x.rate;
    auto last_end = x.at > 0 ? x.at : -x.since_end;
    return std::max(last_end + away - x.init, t - plan.cycle_s);
  }
  auto margin = x.mean_bps > 0 ? plan.safety_sd * spread(x, std::max(0.0, life)) / x.mean_bps : 0;
  return x.at + life - std::min(margin, 0.5 * life) - x.init;
}

std::vector<size_t>::const_iterator fluid_bob::next(const std::vector<size_t>& order,
                                                    const visit_plan& plan, double t) {
  auto out = order.end();
  auto shortest = never_s;
  for (auto i = order.begin(); i != order.end(); ++i) {
    auto& x = links[*i];
    if (!x.available)
      continue;
    if (out == order.end())
      out = i;
    if (!plan.short_first || x.due > t)
      break;
    if (auto visit = x.init + still_needs(*i, plan, t, 0); visit < shortest) {
      shortest = visit;
      out = i;
    }
  }
  return out;
}

double fluid_bob::slack(const std::vector<size_t>& order, const visit_plan& plan, double t) {
  double out = never_s, before = 0;
  for (auto k : order) {
    if (links[k].due == never_s)
      break;
    out = std::min(out, links[k].due - t - before);
    if (out <= 0)
      break;
    before += links[k].init + still_needs(k, plan, t, 0);
  }
  return out;
}

void rollout::begin(const fluid_bob& from, visit_plan plan, double horizon_s) {
  state_ = from;
  plan_ = std::move(plan);
  now_plan_ = plan_;
  horizon_s_ = horizon_s;
  t_ = 0;
  visits_ = planned_ = 0;
  part_ = plan_.active_part;
  played_.clear();
  loss_ = mean_loss_ = 0;
  first_dry_s_ = never_s;
  worst_ = no_link;
  order_.clear();
  for (size_t k = 0; k < state_.links.size(); ++k) {
    state_.links[k].due = state_.due_of(k, plan_, 0);
    if (k != state_.active)
      order_.push_back(k);
  }
  std::sort(order_.begin(), order_.end(),
            [this](size_t a, size_t b) { return state_.links[a].due < state_.links[b].due; });
}

bool rollout::step(size_t& budget) {
  while (budget > 0 && t_ < horizon_s_) {
    auto before = state_.looks;
    visit();
    budget -= std::min(budget, looks_of_a_visit + state_.looks - before);
  }
  if (t_ < horizon_s_)
    return false;
  finish();
  return true;
}

void rollout::begin_visit(std::vector<size_t>::const_iterator next, double part) {
  state_.active = *next;
  order_.erase(next);
  state_.producing = false;
  state_.producing_for = 0;
  state_.start_left = state_.links[state_.active].init;
  part_ = part;
  if (played_.size() < visits_noted)
    played_.push_back({state_.active, t_, part});
}

/// Plays from one decision to leave to the next.
void rollout::visit() {
  auto n = state_.links.size();
  if (plan_.later_cycle_s > 0 && n > 0) {
    auto done = std::min(1.0, static_cast<double>(visits_) / static_cast<double>(n));
    now_plan_.cycle_s = plan_.cycle_s + done * (plan_.later_cycle_s - plan_.cycle_s);
  }
  ++visits_;
  while (state_.active == no_link && planned_ < plan_.first.size()) {
    auto& x = plan_.first[planned_++];
    auto next = std::find(order_.begin(), order_.end(), x.link);
    if (next != order_.end() && state_.links[x.link].available)
      begin_visit(next, x.part);
  }
  if (state_.active == no_link) {
    auto next = state_.next(order_, now_plan_, t_);
    if (next == order_.end()) {
      t_ = horizon_s_;
      return;
    }
    begin_visit(next, 1);
  }
  auto k = state_.active;
  auto& x = state_.links[k];
  auto ready = t_ + (state_.producing ? 0 : state_.start_left);
  auto asked = x.demand.bits(x.at, ready);
  auto margin = x.level - asked;
  auto short_bits = state_.producing ? std::max(0.0, -margin)
                                     : expected_shortage(margin, state_.spread(x, std::max(0.0, ready - x.at)));
  if (short_bits > 0.002 * x.mean_bps * horizon_s_ && margin < 0)
    first_dry_s_ = std::min(first_dry_s_, x.at + x.demand.run_out_s(x.level, x.at));
  x.lost += short_bits;
  x.level = std::max(0.0, margin);
  x.at = t_ = ready;
  auto stay = state_.still_needs(k, now_plan_, t_, state_.producing_for, part_);
  auto room = [&](double from_level, double from) {
    auto surplus = x.rate - x.demand.bits(from, from + 3600) / 3600;
    return surplus > 0 ? std::max(0.0, (full_part * x.capacity - from_level) / surplus) : never_s;
  };
  auto extra = std::min(state_.slack(order_, now_plan_, t_ + stay), horizon_s_);
  if (extra > 0)
    stay = std::min(stay + extra, std::max(stay, room(x.level, t_)));
  // A visit that brings nothing would let the fluid stand still.
  stay = std::max(stay, 1.0);
  auto asked_then = x.demand.bits(t_, t_ + stay);
  auto level = x.level + x.rate * stay - asked_then;
  if (level < 0) {
    x.lost -= level;
    level = 0;
  }
  x.level = std::min(level, x.capacity);
  t_ += stay;
  x.at = t_;
  x.due = state_.due_of(k, now_plan_, t_);
  order_.insert(std::upper_bound(
                  order_.begin(), order_.end(), k,
                  [this](size_t a, size_t b) { return state_.links[a].due < state_.links[b].due; }),
                k);
  state_.active = no_link;
}

void rollout::finish() {
  double sum = 0, most = 0, fill = 0;
  size_t n = 0;
  for (auto& x : state_.links) {
    auto total = x.demand.bits(0, horizon_s_);
    if (total <= 0)
      continue;
    if (x.at < horizon_s_)
      x.lost += std::max(0.0, x.demand.bits(x.at, horizon_s_) - x.level);
    auto level =
      x.at < horizon_s_ ? std::max(0.0, x.level - x.demand.bits(x.at, horizon_s_)) : x.level;
    auto part = std::min(1.0, x.lost / total);
    sum += part;
    fill += x.capacity > 0 ? std::min(1.0, level / x.capacity) : 1;
    // Who was let down before comes last when somebody must be.
    if (auto owed = part > 0 ? part + x.lost_before / total : 0; owed > most) {
      most = owed;
      worst_ = x.index;
    }
    ++n;
  }
  if (n == 0)
    return;
  mean_loss_ = sum / static_cast<double>(n);
  loss_ = mean_loss_ / 2 + most / 2 + 1e-3 * (1 - fill / static_cast<double>(n));
}

} // namespace qnfv
