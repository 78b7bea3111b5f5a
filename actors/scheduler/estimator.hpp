#pragma once

// What is learnt of one link from what was asked of its pools and from its visits. Shared by all
// policies; pure.

#include "actors/scheduler/policy.hpp"

namespace qnfv {

/// Of the demand of one link, what outlives its scheduler.
struct learnt_demand {
  double bps = 0;          ///< The slow mean,
  double seen_s = 0;       ///< and how long an observation it stands on.
  double request_bits = 0; ///< What is asked for at once.
};

/// Demand of one link: a slow mean, a fast one that takes over when they differ by more than chance,
/// and the shape of a day (two harmonics of 24 hourly means).
class demand_estimator {
public:
  /// `declared_bps`: what somebody said it would be; weighs as much as an hour's observation.
  explicit demand_estimator(double declared_bps = 0);
  /// Goes on from what was learnt before. Ignores it where it is negative or no number.
  explicit demand_estimator(const learnt_demand&);

  /// `bits` were asked for in the `seconds` before `now_s`. Ignores what is negative or no number.
  void saw(double bits, double seconds, double now_s);

  demand_forecast forecast(double now_s) const;
  /// What is asked for at once.
  double request_bits() const { return lump_weight_ > 0 ? lump_ / lump_weight_ : 0; }
  learnt_demand learnt() const;

private:
  void end_hour(size_t hour);
  void fit_day();
  void end_block(double fast);
  /// Variance over mean of the bits asked for [bit].
  double lumpiness() const;

  double slow_bits_ = 0, slow_s_ = 0;
  double fast_bits_ = 0, fast_s_ = 0;
  double quick_bits_ = 0, quick_s_ = 0;
  double lump_ = 0, lump_weight_ = 0; ///< Of bits^2 over bits: how large requests are.
  double block_bits_ = 0, block_s_ = 0,
         block_weight_ = 0; ///< Minutes together, for what comes in bursts.
  double dispersion_ = 0, dispersion_weight_ = 0;
  unsigned blocks_ = 0;
  double odd_since_s_ = -1; ///< Since when fast and slow differ by more than chance.
  double weight_fast_ = 0;  ///< 0: the slow mean holds, 1: the fast one.
  std::array<double, 24> hour_bits_{}, hour_s_{};
  double hour_now_bits_ = 0, hour_now_s_ = 0;
  size_t hour_ = 0;
  day_shape day_;
  bool has_day_ = false;
};

/// A figure of a device: as calibrated until it is measured, then a moving mean.
class measured_figure {
public:
  explicit measured_figure(double guess = 0) : value_(guess) {}
  void saw(double x);
  double value() const { return value_; }

private:
  double value_;
  unsigned n_ = 0;
};

} // namespace qnfv
