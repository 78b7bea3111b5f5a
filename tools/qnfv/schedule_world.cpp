#include "tools/qnfv/schedule_world.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

namespace {

constexpr size_t nobody = static_cast<size_t>(-1);
/// A device without light notices it while it measures the line.
constexpr double no_light_noticed_s = 30;
// Streams of randomness.
constexpr uint64_t stream_flow = 1u << 20;
constexpr uint64_t stream_visit = 2u << 20;

uint64_t mix(uint64_t x) { // splitmix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// A factor with mean 1 and this coefficient of variation, never near zero.
double factor_of(double cv, double normal) {
  return std::max(0.2, 1 + cv * normal);
}

} // namespace

schedule_world::schedule_world(schedule_scenario scenario, std::vector<size_t> home)
    : scenario_(std::move(scenario)), home_(std::move(home)) {
  for (auto& x : scenario_.links) {
    world_link link;
    link.stock = x.pool_bits;
    links_.push_back(std::move(link));
  }
  bobs_.resize(scenario_.bobs + scenario_.spares);
  for (size_t b = scenario_.bobs; b < bobs_.size(); ++b)
    bobs_[b].up = false;
  fault_state_.resize(scenario_.faults.size());
  for (size_t f = 0; f < scenario_.flows.size(); ++f) {
    auto& x = scenario_.flows[f];
    world_flow flow;
    flow.per_s = x.rps / x.burst * x.factor_max();
    flows_.push_back(flow);
    flows_[f].next_s = flow.per_s > 0 ? wait_of(f) : std::numeric_limits<double>::infinity();
  }
}

double schedule_world::uniform(uint64_t stream, uint64_t counter) const {
  auto x = mix(mix(mix(scenario_.seed) ^ stream) ^ counter);
  return (static_cast<double>(x >> 11) + 0.5) * 0x1p-53;
}

double schedule_world::normal(uint64_t stream, uint64_t counter) const {
  auto a = uniform(stream, 2 * counter), b = uniform(stream, 2 * counter + 1);
  return std::sqrt(-2 * std::log(a)) * std::cos(2 * 3.14159265358979323846 * b);
}

double schedule_world::wait_of(size_t flow) const {
  return -std::log(uniform(stream_flow + flow, 2 * flows_[flow].counter)) / flows_[flow].per_s;
}

std::pair<double, double> schedule_world::degraded(size_t link, double t) const {
  double rate = 1, initialisation = 1;
  for (auto& x : scenario_.faults) {
    if (x.what != scenario_fault::kind::degrade || x.id != link || t < x.at_s)
      continue;
    auto part = x.duration_s > 0 ? std::min(1.0, (t - x.at_s) / x.duration_s) : 1;
    rate *= 1 + part * (x.rate_factor - 1);
    initialisation *= 1 + part * (x.initialisation_factor - 1);
  }
  return {rate, initialisation};
}

void schedule_world::end_visit(size_t link, double t, const std::string& reason) {
  auto& x = links_[link];
  if (x.now == world_link::doing::idle)
    return;
  x.now = world_link::doing::idle;
  x.last_end_s = t;
  x.reason = reason;
  bobs_[x.bob].with = nobody;
  visited_.erase(std::find(visited_.begin(), visited_.end(), link));
  changed.push_back(link);
}

bool schedule_world::serve(size_t link) {
  auto& x = links_[link];
  if (x.now != world_link::doing::idle)
    return true;
  auto bob = home_[link];
  auto can = [this](size_t b) { return bobs_[b].up && bobs_[b].with == nobody; };
  for (size_t b = 0; !can(bob) && b < bobs_.size(); ++b)
    if (can(b))
      bob = b;
  if (!can(bob))
    return false;
  auto& s = scenario_;
  auto [rate_x, init_x] = degraded(link, now_s_);
  auto n = x.visits++;
  auto stream = stream_visit + 4 * link;
  auto init =
    s.links[link].initialisation_s * init_x * factor_of(s.initialisation_cv, normal(stream, n));
  if (now_s_ - x.last_end_s < s.warm_window_s)
    init *= s.warm_factor;
  x.rate_bps = s.links[link].rate_bps * rate_x * factor_of(s.rate_cv, normal(stream + 1, n));
  x.will_fail = uniform(stream + 2, n) < s.initialisation_fails;
  x.ready_s = now_s_ + s.switch_s + init;
  if (x.down) {
    x.will_fail = true;
    x.ready_s = now_s_ + s.switch_s + no_light_noticed_s;
  }
  x.bob = bob;
  x.now = world_link::doing::starting;
  x.reason.clear();
  bobs_[bob].with = link;
  visited_.push_back(link);
  ++switches_;
  changed.push_back(link);
  return true;
}

void schedule_world::release(size_t link) {
  end_visit(link, now_s_, {});
}

std::vector<std::pair<size_t, bool>> schedule_world::take_bob_changes() {
  return std::exchange(bob_changes_, {});
}

void schedule_world::set_spare(size_t spare, bool up) {
  auto bob = scenario_.bobs + spare;
  if (bobs_[bob].up == up)
    return;
  if (!up && bobs_[bob].with != nobody)
    end_visit(bobs_[bob].with, now_s_, "its Bob was taken away");
  bobs_[bob].up = up;
  bob_changes_.emplace_back(bob, up);
}

void schedule_world::faults_until(double t) {
  for (size_t f = 0; f < scenario_.faults.size(); ++f) {
    auto& x = scenario_.faults[f];
    if (x.what == scenario_fault::kind::degrade)
      continue;
    auto& state = fault_state_[f];
    bool bob = x.what == scenario_fault::kind::bob_down;
    if (state == 0 && t >= x.at_s) {
      state = 1;
      if (bob) {
        if (bobs_[x.id].with != nobody)
          end_visit(bobs_[x.id].with, t, "its Bob is gone");
        bobs_[x.id].up = false;
        bob_changes_.emplace_back(x.id, false);
      } else {
        links_[x.id].down = true;
        end_visit(x.id, t, "no light");
      }
    }
    if (state == 1 && t >= x.at_s + x.duration_s) {
      state = 2;
      if (bob) {
        bobs_[x.id].up = true;
        bob_changes_.emplace_back(x.id, true);
      } else {
        links_[x.id].down = false;
      }
    }
  }
}

void schedule_world::draw(const scenario_flow& flow, double t) {
  bool enough = true;
  for (auto i : flow.path)
    enough = enough && links_[i].stock >= flow.bits;
  for (auto i : flow.path) {
    auto& x = links_[i];
    x.asked_bits += flow.bits;
    if (enough) {
      x.stock -= flow.bits;
      x.served_bits += flow.bits;
    }
    // A relay that fails for want of another link's keys does not make this one starve.
    bool dry = !enough && x.stock < flow.bits;
    if (dry && x.starving_since_s < 0)
      x.starving_since_s = t;
    if (enough && x.starving_since_s >= 0) {
      x.starved_s += t - x.starving_since_s;
      x.starving_since_s = -1;
    }
  }
  if (!enough && first_unserved_s_ < 0)
    first_unserved_s_ = t;
}

void schedule_world::demand_until(size_t f, double t) {
  auto& flow = scenario_.flows[f];
  auto& mine = flows_[f];
  if (!mine.bursts.empty()) {
    for (auto& b : mine.bursts)
      for (; b.left > 0 && b.at_s < t; --b.left, b.at_s += flow.gap_s)
        draw(flow, b.at_s);
    mine.bursts.erase(
      std::remove_if(mine.bursts.begin(), mine.bursts.end(), [](auto& b) { return b.left == 0; }),
      mine.bursts.end());
  }
  while (mine.next_s < t) {
    auto at = mine.next_s;
    auto chance = uniform(stream_flow + f, 2 * mine.counter + 1) * flow.factor_max();
    if (chance < flow.factor(at)) {
      draw(flow, at);
      if (flow.burst > 1) {
        world_flow::later rest{at + flow.gap_s, flow.burst - 1};
        for (; rest.left > 0 && rest.at_s < t; --rest.left, rest.at_s += flow.gap_s)
          draw(flow, rest.at_s);
        if (rest.left > 0)
          mine.bursts.push_back(rest);
      }
    }
    ++mine.counter;
    mine.next_s += wait_of(f);
  }
}

void schedule_world::begin_or_fail(double t) {
  for (auto link : std::vector<size_t>(visited_)) {
    auto& x = links_[link];
    if (x.now != world_link::doing::starting || x.ready_s > t)
      continue;
    if (x.will_fail) {
      end_visit(link, t, x.down ? "no light" : "initialisation failed");
      continue;
    }
    x.now = world_link::doing::producing;
    changed.push_back(link);
  }
}

void schedule_world::advance(double t) {
  while (now_s_ < t) {
    auto to = std::min(t, now_s_ + scenario_.tick_s);
    for (auto link : visited_) {
      auto& x = links_[link];
      auto from =
        std::max(now_s_, x.now == world_link::doing::starting ? std::min(x.ready_s, to) : 0);
      if (x.now == world_link::doing::starting)
        initialising_s_ += from - now_s_;
      if (x.will_fail)
        continue;
      x.stock = std::min(scenario_.links[link].capacity_bits, x.stock + x.rate_bps * (to - from));
    }
    for (auto& b : bobs_)
      if (b.up)
        b.up_s += to - now_s_;
    for (size_t f = 0; f < flows_.size(); ++f)
      demand_until(f, to);
    now_s_ = to;
    begin_or_fail(to);
    faults_until(to);
  }
}

world_figures schedule_world::figures() const {
  world_figures out;
  double sum = 0, least = 1, asked = 0, served = 0;
  size_t n = 0;
  for (auto& x : links_) {
    if (x.asked_bits > 0) {
      auto part = x.served_bits / x.asked_bits;
      sum += part;
      least = std::min(least, part);
      asked += x.asked_bits;
      served += x.served_bits;
      ++n;
    }
    auto starved = x.starved_s + (x.starving_since_s >= 0 ? now_s_ - x.starving_since_s : 0);
    out.worst_starvation_s = std::max(out.worst_starvation_s, starved);
  }
  auto mean = n > 0 ? sum / static_cast<double>(n) : 1;
  out.q = (mean + least) / 2;
  out.least_over_mean = mean > 0 ? least / mean : 0;
  out.unserved_fraction = asked > 0 ? 1 - served / asked : 0;
  double up = 0;
  for (auto& b : bobs_)
    up += b.up_s;
  out.initialising_fraction = up > 0 ? initialising_s_ / up : 0;
  out.switches = switches_;
  out.first_unserved_s = first_unserved_s_;
  return out;
}

} // namespace qnfv
