#include "actors/scheduler/capacity.hpp"

#include <algorithm>
#include <numeric>

namespace qnfv {

namespace {

/// The least over the mean; with some room above one half.
constexpr double fair_part = 0.55;

} // namespace

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

std::vector<double> fair_fractions(const std::vector<double>& load, double capacity,
                                   const std::vector<double>& most) {
  auto n = load.size();
  auto out = most.empty() ? std::vector<double>(n, 1) : most;
  if (n == 0)
    return out;
  double whole = 0;
  for (size_t i = 0; i < n; ++i)
    whole += load[i] * out[i];
  if (whole <= capacity)
    return out;
  auto upper = out;
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return load[a] != load[b] ? load[a] < load[b] : a < b; });
  // Everybody gets `least`; what is left goes to those who cost least. Negative: not to be had.
  auto share = [&](double least) {
    double left = capacity, sum = 0;
    for (size_t i = 0; i < n; ++i) {
      out[i] = std::min(least, upper[i]);
      left -= out[i] * load[i];
      sum += out[i];
    }
    if (left < -1e-9)
      return -1 - least;
    for (auto i : order) {
      auto more =
        load[i] > 0 ? std::clamp(left / load[i], 0.0, upper[i] - out[i]) : upper[i] - out[i];
      out[i] += more;
      left -= more * load[i];
      sum += more;
    }
    auto mean = sum / static_cast<double>(n);
    auto lowest = *std::min_element(out.begin(), out.end());
    return lowest < fair_part * mean ? lowest - 1 : (mean + lowest) / 2;
  };
  // The score is concave in `least`.
  double low = 0, high = 1;
  for (int i = 0; i < 40; ++i) {
    auto a = low + (high - low) / 3, b = high - (high - low) / 3;
    if (share(a) < share(b))
      low = a;
    else
      high = b;
  }
  share(low);
  return out;
}

double fairness_score(const std::vector<double>& x) {
  if (x.empty())
    return 1;
  auto mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  return (mean + *std::min_element(x.begin(), x.end())) / 2;
}

} // namespace qnfv
