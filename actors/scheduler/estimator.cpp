#include "actors/scheduler/estimator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace qnfv {

namespace {

constexpr double hour_s = 3600;
constexpr double fast_memory_s = 2 * hour_s;
constexpr double slow_memory_s = 24 * hour_s;
/// Tells a surge soon; too short to plan by.
constexpr double quick_memory_s = 20 * 60;
/// How long a surplus is expected to last, whatever its age. One that doubles the demand, or more, is
/// planned for half as long: to fill one link for all of it starves the others that surge.
constexpr double surge_fades_s = 3 * hour_s;
/// After so long another level is no surge but the new normal.
constexpr double accepted_after_s = 12 * hour_s;
/// Longer than a burst of requests.
constexpr double block_length_s = 600;
/// A day's weight in the hourly means, against the days before.
constexpr double day_forgetting = 0.75;
constexpr double pi = 3.14159265358979323846;

} // namespace

demand_estimator::demand_estimator(double declared_bps) {
  if (std::isfinite(declared_bps) && declared_bps > 0) {
    slow_bits_ = declared_bps * 600;
    slow_s_ = 600;
    fast_bits_ = declared_bps * 60;
    fast_s_ = 60;
  }
}

demand_estimator::demand_estimator(const learnt_demand& x) {
  if (!(std::isfinite(x.bps) && std::isfinite(x.seen_s)) || x.bps < 0 || x.seen_s <= 0)
    return;
  slow_s_ = std::min(x.seen_s, slow_memory_s);
  slow_bits_ = x.bps * slow_s_;
  fast_s_ = std::min(x.seen_s, fast_memory_s);
  fast_bits_ = x.bps * fast_s_;
  if (std::isfinite(x.request_bits) && x.request_bits > 0) {
    lump_weight_ = slow_bits_;
    lump_ = x.request_bits * lump_weight_;
  }
}

learnt_demand demand_estimator::learnt() const {
  return {slow_s_ > 0 ? slow_bits_ / slow_s_ : 0, slow_s_, request_bits()};
}

void demand_estimator::saw(double bits, double seconds, double now_s) {
  if (!(std::isfinite(bits) && std::isfinite(seconds)) || bits < 0 || seconds <= 0)
    return;
  // Measured against what the hour is expected to bring, so that a day's shape is no surprise.
  auto hour = static_cast<size_t>(std::fmod(std::max(now_s, 0.0), 24 * hour_s) / hour_s);
  auto weight = has_day_ ? day_.factor[hour] * seconds : seconds;
  auto fade = std::exp(-seconds / fast_memory_s);
  fast_bits_ = fast_bits_ * fade + bits;
  fast_s_ = fast_s_ * fade + weight;
  auto quick_fade = std::exp(-seconds / quick_memory_s);
  quick_bits_ = quick_bits_ * quick_fade + bits;
  quick_s_ = quick_s_ * quick_fade + weight;
  if (bits > 0) {
    auto keep = std::exp(-seconds / slow_memory_s);
    lump_ = lump_ * keep + bits * bits;
    lump_weight_ = lump_weight_ * keep + bits;
  }
  auto fast = fast_bits_ / fast_s_;
  auto slow = slow_s_ > 0 ? slow_bits_ / slow_s_ : fast;
  auto lump = lumpiness();
  auto quick = quick_bits_ / quick_s_;
  if (fast_s_ > 2 * quick_s_
      && std::abs(quick - fast)
           > 4.5 * std::sqrt(std::max(lump * std::max(quick, fast), 1e-9) * 0.5 / quick_s_)) {
    fast_bits_ = quick_bits_;
    fast_s_ = quick_s_;
    fast = quick;
  }
  auto chance =
    std::sqrt(std::max(lump * slow, 1e-9) * (0.5 / fast_s_ + 0.5 / std::max(slow_s_, 1.0)));
  auto odd = std::abs(fast - slow) / chance;
  weight_fast_ = std::clamp((odd - 2) / 2, 0.0, 1.0);
  if (odd < 3)
    odd_since_s_ = -1;
  else if (odd_since_s_ < 0)
    odd_since_s_ = now_s;
  auto surge = odd_since_s_ >= 0 && slow_s_ > 4 * hour_s && fast > 0;
  if (surge && now_s - odd_since_s_ > accepted_after_s) {
    slow_bits_ = fast * 4 * hour_s;
    slow_s_ = 4 * hour_s;
    odd_since_s_ = -1;
  } else if (!surge) {
    auto slow_fade = std::exp(-seconds / slow_memory_s);
    slow_bits_ = slow_bits_ * slow_fade + bits;
    slow_s_ = slow_s_ * slow_fade + weight;
  }
  block_bits_ += bits;
  block_s_ += seconds;
  block_weight_ += weight;
  if (block_s_ >= block_length_s)
    end_block(fast);
  if (hour != hour_ || hour_now_s_ > 1.5 * hour_s) {
    end_hour(hour_);
    hour_ = hour;
  }
  hour_now_bits_ += bits;
  hour_now_s_ += seconds;
}

void demand_estimator::end_block(double fast) {
  auto expected = fast * block_weight_;
  // In a surge the mean moves; that is no dispersion.
  if (weight_fast_ < 0.5 && expected > 0) {
    constexpr double keep = 1 - block_length_s / slow_memory_s;
    auto off = block_bits_ - expected;
    dispersion_ = dispersion_ * keep + off * off;
    dispersion_weight_ = dispersion_weight_ * keep + expected;
    ++blocks_;
  }
  block_bits_ = block_s_ = block_weight_ = 0;
}

double demand_estimator::lumpiness() const {
  auto lump = request_bits();
  constexpr unsigned enough_blocks = 12;
  return blocks_ >= enough_blocks ? std::max(lump, dispersion_ / dispersion_weight_) : lump;
}

void demand_estimator::end_hour(size_t hour) {
  if (hour_now_s_ > hour_s / 2) {
    hour_bits_[hour] = hour_bits_[hour] * day_forgetting + hour_now_bits_;
    hour_s_[hour] = hour_s_[hour] * day_forgetting + hour_now_s_;
    fit_day();
  }
  hour_now_bits_ = hour_now_s_ = 0;
}

void demand_estimator::fit_day() {
  double mean = 0, least_s = never_s;
  for (size_t h = 0; h < 24; ++h) {
    least_s = std::min(least_s, hour_s_[h]);
    if (hour_s_[h] > 0)
      mean += hour_bits_[h] / hour_s_[h] / 24;
  }
  if (least_s <= 0 || mean <= 0)
    return;
  std::array<double, 4> wave{};
  for (size_t h = 0; h < 24; ++h) {
    auto x = hour_bits_[h] / hour_s_[h] / mean / 12;
    auto phase = 2 * pi * (static_cast<double>(h) + 0.5) / 24;
    wave[0] += x * std::cos(phase);
    wave[1] += x * std::sin(phase);
    wave[2] += x * std::cos(2 * phase);
    wave[3] += x * std::sin(2 * phase);
  }
  auto lump = lumpiness();
  auto chance = std::sqrt(2 * lump / (mean * 24 * least_s));
  // Days differ from each other even where chance alone would not show it.
  auto floor = 3 * chance + 0.02;
  bool first = std::hypot(wave[0], wave[1]) > floor;
  bool second = std::hypot(wave[2], wave[3]) > floor;
  auto had = std::exchange(has_day_, first);
  if (!has_day_)
    return;
  std::array<double, 24> shape{};
  for (size_t h = 0; h < 24; ++h) {
    auto phase = 2 * pi * (static_cast<double>(h) + 0.5) / 24;
    shape[h] = 1 + wave[0] * std::cos(phase) + wave[1] * std::sin(phase);
    if (second)
      shape[h] += wave[2] * std::cos(2 * phase) + wave[3] * std::sin(2 * phase);
    shape[h] = std::max(shape[h], 0.05);
  }
  day_.set(shape);
  if (!had) {
    // From here on the means are those of a day without its shape.
    slow_bits_ = mean * slow_s_;
    fast_bits_ = fast_s_ > 0 ? fast_bits_ / day_.factor[hour_] : 0;
  }
}

demand_forecast demand_estimator::forecast(double now_s) const {
  demand_forecast out;
  auto fast = fast_s_ > 0 ? fast_bits_ / fast_s_ : 0;
  auto slow = slow_s_ > 0 ? slow_bits_ / slow_s_ : fast;
  out.level_bps = slow;
  out.surplus_bps = weight_fast_ * (fast - slow);
  out.fade_s = surge_fades_s;
  if (slow > 0 && out.surplus_bps > 0)
    out.fade_s /= 1 + std::min(1.0, out.surplus_bps / slow);
  if (slow_s_ < 2 * hour_s) {
    out.level_bps = slow + out.surplus_bps;
    out.surplus_bps = 0;
  }
  out.variance = lumpiness() * (out.level_bps + std::max(0.0, out.surplus_bps));
  out.day = has_day_ ? &day_ : nullptr;
  out.time_of_day_s = std::fmod(std::max(now_s, 0.0), 24 * hour_s);
  return out;
}

void measured_figure::saw(double x) {
  if (!std::isfinite(x) || x <= 0)
    return;
  ++n_;
  auto weight = std::max(0.25, 1.0 / (n_ + 1));
  value_ = value_ > 0 ? value_ + weight * (x - value_) : x;
}

} // namespace qnfv
