#include "actors/scheduler/policy.hpp"

#include "actors/scheduler/policies.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qnfv {

namespace {

constexpr double hour_s = 3600;

} // namespace

double demand_forecast::now_bps() const {
  auto factor = day ? (*day)[static_cast<size_t>(hour_now) % 24] : 1;
  return std::max(0.0, (level_bps + surplus_bps) * factor);
}

double demand_forecast::bits(double from_s, double to_s) const {
  if (to_s <= from_s)
    return 0;
  auto extra = surplus_bps == 0
                 ? 0
                 : surplus_bps * fade_s * (std::exp(-from_s / fade_s) - std::exp(-to_s / fade_s));
  if (!day)
    return std::max(0.0, level_bps * (to_s - from_s) + extra);
  double sum = 0;
  for (auto t = from_s; t < to_s;) {
    auto hour = hour_now + t / hour_s;
    auto next = std::min(to_s, t + (std::floor(hour) + 1 - hour) * hour_s + 1e-6);
    sum += (*day)[static_cast<size_t>(hour) % 24] * (next - t);
    t = next;
  }
  return std::max(0.0, level_bps * sum + extra);
}

double demand_forecast::run_out_s(double stock, double from_s) const {
  if (stock <= 0)
    return 0;
  if (!day && surplus_bps == 0)
    return level_bps > 0 ? stock / level_bps : never_s;
  if (level_bps + std::max(0.0, surplus_bps) <= 0)
    return never_s;
  constexpr double horizon_s = 20 * 24 * hour_s;
  double used = 0, t = 0;
  for (auto step = hour_s; t < horizon_s; t += step) {
    auto more = bits(from_s + t, from_s + t + step);
    if (used + more >= stock)
      return t + step * (stock - used) / more;
    used += more;
  }
  return level_bps > 0 ? t + (stock - used) / level_bps : never_s;
}

double link_outlook::life_s() const {
  auto d = demand_bps();
  return d > 0 ? stock_bits / d : never_s;
}

std::optional<policy_alarm> policy::alarm(size_t) const {
  return std::nullopt;
}

double policy::due_s(const outlook& now, size_t link) const {
  return now.now_s + now.links[link].life_s();
}

const std::vector<size_t>& life_order::sort(const outlook& now, size_t bob) {
  auto& b = now.bobs[bob];
  life_.resize(now.links.size());
  for (auto i : b.links)
    life_[i] = now.links[i].life_s();
  auto before = [&](size_t x, size_t y) {
    return life_[x] != life_[y] ? life_[x] < life_[y] : now.links[x].link < now.links[y].link;
  };
  if (generation_ != b.generation || order_.size() != b.links.size()) {
    order_ = b.links;
    generation_ = b.generation;
    std::sort(order_.begin(), order_.end(), before);
    return order_;
  }
  for (size_t k = 1; k < order_.size(); ++k) {
    auto x = order_[k];
    auto j = k;
    for (; j > 0 && before(x, order_[j - 1]); --j)
      order_[j] = order_[j - 1];
    order_[j] = x;
  }
  return order_;
}

const std::vector<std::string>& policy_names() {
  static const std::vector<std::string> names{"round_robin", "longest_queue", "earliest_deadline",
                                              "paper", "best"};
  return names;
}

std::unique_ptr<policy> make_policy(const std::string& name, const policy_options& options) {
  if (name == "round_robin")
    return make_round_robin();
  if (name == "longest_queue")
    return make_longest_queue();
  if (name == "earliest_deadline")
    return make_earliest_deadline();
  if (name == "paper")
    return make_paper(options.stop);
  if (name == "best")
    return make_best();
  return nullptr;
}

std::string span_text(double seconds) {
  char out[48];
  if (!std::isfinite(seconds))
    return "never";
  if (seconds < 0)
    seconds = 0;
  if (seconds < 120)
    std::snprintf(out, sizeof out, "%.0f s", seconds);
  else if (seconds < 7200)
    std::snprintf(out, sizeof out, "%.0f min", seconds / 60);
  else if (seconds < 172800)
    std::snprintf(out, sizeof out, "%.1f h", seconds / 3600);
  else
    std::snprintf(out, sizeof out, "%.1f days", seconds / 86400);
  return out;
}

} // namespace qnfv
