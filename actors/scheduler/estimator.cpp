#include "actors/scheduler/estimator.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

namespace {

constexpr double hour_s = 3600;
constexpr double fast_memory_s = 2 * hour_s;
constexpr double slow_memory_s = 24 * hour_s;
/// After so long another level is no surge but the new normal.
constexpr double accepted_after_s = 12 * hour_s;
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

void demand_estimator::saw(double bits, double seconds, double now_s) {
  if (!(std::isfinite(bits) && std::isfinite(seconds)) || bits < 0 || seconds <= 0)
    return;
  // Measured against what the hour is expected to bring, so that a day's shape is no surprise.
  auto hour = static_cast<size_t>(std::fmod(std::max(now_s, 0.0), 24 * hour_s) / hour_s);
  auto weight = has_day_ ? day_[hour] * seconds : seconds;
  auto fade = std::exp(-seconds / fast_memory_s);
  fast_bits_ = fast_bits_ * fade + bits;
  fast_s_ = fast_s_ * fade + weight;
  if (bits > 0) {
    auto keep = std::exp(-seconds / slow_memory_s);
    lump_ = lump_ * keep + bits * bits;
    lump_weight_ = lump_weight_ * keep + bits;
  }
  auto fast = fast_bits_ / fast_s_;
  auto slow = slow_s_ > 0 ? slow_bits_ / slow_s_ : fast;
  auto lump = lump_weight_ > 0 ? lump_ / lump_weight_ : 0;
  auto chance = std::sqrt(std::max(lump * slow, 1e-9) * (0.5 / fast_s_ + 0.5 / std::max(slow_s_, 1.0)));
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
  if (hour != hour_ || hour_now_s_ > 1.5 * hour_s) {
    end_hour(hour_);
    hour_ = hour;
  }
  hour_now_bits_ += bits;
  hour_now_s_ += seconds;
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
  auto lump = lump_weight_ > 0 ? lump_ / lump_weight_ : 0;
  auto chance = std::sqrt(2 * lump / (mean * 24 * least_s));
  // Days differ from each other even where chance alone would not show it.
  auto floor = 3 * chance + 0.02;
  bool first = std::hypot(wave[0], wave[1]) > floor;
  bool second = std::hypot(wave[2], wave[3]) > floor;
  auto had = has_day_;
  has_day_ = first;
  if (!has_day_) {
    if (had)
      day_.fill(1);
    return;
  }
  for (size_t h = 0; h < 24; ++h) {
    auto phase = 2 * pi * (static_cast<double>(h) + 0.5) / 24;
    day_[h] = 1 + wave[0] * std::cos(phase) + wave[1] * std::sin(phase);
    if (second)
      day_[h] += wave[2] * std::cos(2 * phase) + wave[3] * std::sin(2 * phase);
    day_[h] = std::max(day_[h], 0.05);
  }
  if (!had) {
    // From here on the means are those of a day without its shape.
    slow_bits_ = mean * slow_s_;
    fast_bits_ = fast_s_ > 0 ? fast_bits_ / fast_s_ / day_[hour_] * fast_s_ : 0;
  }
}

demand_forecast demand_estimator::forecast(double now_s) const {
  demand_forecast out;
  auto fast = fast_s_ > 0 ? fast_bits_ / fast_s_ : 0;
  auto slow = slow_s_ > 0 ? slow_bits_ / slow_s_ : fast;
  out.level_bps = slow;
  out.surplus_bps = weight_fast_ * (fast - slow);
  // What has lasted for long will last.
  auto age = odd_since_s_ >= 0 ? now_s - odd_since_s_ : 0;
  out.fade_s = 2 * hour_s + 3 * age;
  if (slow_s_ < 2 * hour_s) {
    out.level_bps = slow + out.surplus_bps;
    out.surplus_bps = 0;
  }
  out.variance = (lump_weight_ > 0 ? lump_ / lump_weight_ : 0) * (out.level_bps + std::max(0.0, out.surplus_bps));
  out.day = has_day_ ? &day_ : nullptr;
  out.hour_now = std::fmod(std::max(now_s, 0.0), 24 * hour_s) / hour_s;
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
