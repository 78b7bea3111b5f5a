#include "actors/scheduler/policy.hpp"

#include "actors/scheduler/policies.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qnfv {

namespace {

constexpr double hour_s = 3600;
constexpr double day_s = 24 * hour_s;

} // namespace

void day_shape::set(const std::array<double, 24>& x) {
  double sum = 0;
  for (auto f : x)
    sum += f;
  for (size_t h = 0; h < 24; ++h) {
    factor[h] = x[h] * 24 / sum;
    before[h + 1] = before[h] + factor[h] * hour_s;
  }
}

double day_shape::integral(double t) const {
  auto days = std::floor(t / day_s);
  auto rest = t - days * day_s;
  auto h = std::min<size_t>(23, static_cast<size_t>(rest / hour_s));
  return days * day_s + before[h] + factor[h] * (rest - static_cast<double>(h) * hour_s);
}

double day_shape::when(double x) const {
  auto days = std::floor(x / day_s);
  auto rest = x - days * day_s;
  size_t h = 0;
  while (h < 23 && before[h + 1] < rest)
    ++h;
  return days * day_s + static_cast<double>(h) * hour_s + (rest - before[h]) / factor[h];
}

double demand_forecast::now_bps() const {
  auto f = day ? day->factor[static_cast<size_t>(time_of_day_s / hour_s) % 24] : 1;
  return std::max(0.0, (level_bps + surplus_bps) * f);
}

double demand_forecast::changing_bits(double from_s, double to_s) const {
  if (to_s <= from_s)
    return 0;
  auto level = day ? day->integral(time_of_day_s + to_s) - day->integral(time_of_day_s + from_s)
                   : to_s - from_s;
  auto extra = surplus_bps == 0
                 ? 0
                 : surplus_bps * fade_s * (std::exp(-from_s / fade_s) - std::exp(-to_s / fade_s));
  return std::max(0.0, level_bps * level + extra);
}

double demand_forecast::run_out_s(double stock, double from_s) const {
  if (stock <= 0)
    return 0;
  if (level_bps <= 0 && surplus_bps <= 0)
    return never_s;
  auto without = [&](double bits) {
    if (level_bps <= 0)
      return never_s;
    if (!day)
      return bits / level_bps;
    auto from = time_of_day_s + from_s;
    return day->when(day->integral(from) + bits / level_bps) - from;
  };
  if (surplus_bps == 0)
    return without(stock);
  // Between these two lies the answer.
  auto all = surplus_bps * fade_s * std::exp(-from_s / fade_s);
  auto high = surplus_bps < 0 ? without(stock - all) : without(stock);
  auto low = surplus_bps < 0 ? without(stock) : without(std::max(0.0, stock - all));
  if (!std::isfinite(high)) {
    if (all < stock)
      return never_s;
    return -fade_s * std::log(1 - stock / all);
  }
  for (int i = 0; i < 12 && high - low > 10; ++i) {
    auto middle = (low + high) / 2;
    (bits(from_s, from_s + middle) < stock ? low : high) = middle;
  }
  return (low + high) / 2;
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
