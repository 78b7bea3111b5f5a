#include "actors/scheduler/capacity.hpp"

#include <algorithm>
#include <numeric>

namespace qnfv {

double fluid_load(const fluid_demand& x) {
  if (x.demand_bps <= 0)
    return 0;
  if (x.rate_bps <= 0)
    return 1;
  auto production = x.demand_bps / x.rate_bps;
  if (production >= 1)
    return production;
  auto fill_s = x.capacity_bits / (x.rate_bps - x.demand_bps);
  auto cycle_s = fill_s + x.capacity_bits / x.demand_bps;
  return std::max(production, (x.initialisation_s + fill_s) / std::max(cycle_s, 1e-9));
}

std::vector<double> fair_fractions(const std::vector<double>& load, double capacity) {
  auto n = load.size();
  std::vector<double> out(n, 1);
  auto total = std::accumulate(load.begin(), load.end(), 0.0);
  if (n == 0 || total <= capacity)
    return out;
  capacity = std::max(capacity, 0.0);
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return load[a] != load[b] ? load[a] < load[b] : a < b; });
  // The cheapest k are served wholly, the others all alike: the best of these is the best of all,
  // because between two of them the score is linear.
  double best = -1, whole = 0;
  size_t best_k = 0;
  double best_rest = 0;
  for (size_t k = 0; k < n && whole <= capacity; ++k) {
    auto rest = std::clamp((capacity - whole) / std::max(total - whole, 1e-12), 0.0, 1.0);
    auto mean = (static_cast<double>(k) + static_cast<double>(n - k) * rest) / static_cast<double>(n);
    auto score = (mean + rest) / 2;
    if (score > best && (k == 0 || rest >= 0.55 * mean)) {
      best = score;
      best_k = k;
      best_rest = rest;
    }
    whole += load[order[k]];
  }
  for (size_t k = best_k; k < n; ++k)
    out[order[k]] = best_rest;
  return out;
}

double fairness_score(const std::vector<double>& x) {
  if (x.empty())
    return 1;
  auto mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  return (mean + *std::min_element(x.begin(), x.end())) / 2;
}

} // namespace qnfv
