#include "tools/figures/axis.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qnfv {

namespace {

std::string label_of(double value, double step) {
  auto decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 9);
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

double round_step(double raw) {
  auto power = std::pow(10, std::floor(std::log10(raw)));
  for (double factor : {1, 2, 5})
    if (raw <= factor * power * (1 + 1e-9))
      return factor * power;
  return 10 * power;
}

} // namespace

status check(const axis& x) {
  if (!std::isfinite(x.low) || !std::isfinite(x.high) || x.low >= x.high)
    return {ec::invalid_argument,
            "axis \"" + x.title + "\" does not go from a value to a higher one"};
  if (x.logarithmic && x.low <= 0)
    return {ec::invalid_argument,
            "axis \"" + x.title + "\" is logarithmic and begins at 0 or below"};
  return done{};
}

std::vector<tick_mark> ticks(const axis& x, size_t wanted) {
  std::vector<tick_mark> out;
  if (!check(x) || wanted == 0)
    return out;
  if (x.logarithmic) {
    auto first = static_cast<int>(std::ceil(std::log10(x.low) - 1e-9));
    auto last = static_cast<int>(std::floor(std::log10(x.high) + 1e-9));
    for (int power = first; power <= last; ++power) {
      auto value = std::pow(10, power);
      out.push_back({value, label_of(value, value)});
    }
    return out;
  }
  auto step = round_step((x.high - x.low) / static_cast<double>(wanted));
  auto first = std::ceil(x.low / step - 1e-9);
  auto last = std::floor(x.high / step + 1e-9);
  for (auto k = first; k <= last; ++k)
    out.push_back({k * step + 0.0, label_of(k * step + 0.0, step)});
  return out;
}

double place(const axis& x, double value) {
  if (x.logarithmic)
    return (std::log10(value) - std::log10(x.low)) / (std::log10(x.high) - std::log10(x.low));
  return (value - x.low) / (x.high - x.low);
}

axis axis_around(std::string title, const std::vector<double>& values, bool logarithmic) {
  axis out{std::move(title), 0, 1, logarithmic};
  std::vector<double> kept;
  for (auto x : values)
    if (std::isfinite(x) && (!logarithmic || x > 0))
      kept.push_back(x);
  if (kept.empty()) {
    if (logarithmic)
      out.low = 0.1;
    return out;
  }
  auto [least, most] = std::minmax_element(kept.begin(), kept.end());
  if (logarithmic) {
    out.low = std::pow(10, std::floor(std::log10(*least) - 1e-9));
    out.high = std::pow(10, std::ceil(std::log10(*most) + 1e-9));
    return out;
  }
  auto span = std::max(*most - std::min(0.0, *least), 1e-9);
  out.low = *least < 0 ? *least - 0.05 * span : 0;
  out.high = *most + 0.08 * span;
  return out;
}

} // namespace qnfv
