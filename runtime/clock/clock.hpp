#pragma once

#include "runtime/base/units.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace qnfv {

/// Monotonic time. In a simulation it is virtual and starts near zero.
using time_point = std::chrono::steady_clock::time_point;

/// The only source of time, for actors and everything below them. Three kinds: real, scaled (a
/// demo runs device physics 1000x faster), virtual (a simulation moves it).
///
/// Two sorts of durations exist, and the name says which: *lab time* is what the QKD devices live
/// in (400 s of initialisation) and what `time_scale` shortens; everything else (heartbeats, time-outs
/// of protocols, benchmarks) is real time and never scaled.
class clock {
public:
  using now_function = std::function<time_point()>;
  using wall_function = std::function<int64_t()>;

  clock(now_function now, wall_function unix_ns, double time_scale);

  /// Never goes back.
  time_point now() const { return now_(); }
  /// Nanoseconds since 1970, for people and traces; safety never depends on it.
  int64_t unix_ns() const { return unix_ns_(); }
  double time_scale() const { return time_scale_; }
  /// How long to wait for `lab` of lab time to pass.
  duration real(duration lab) const;
  /// How much lab time passes in `real`.
  duration lab(duration real) const;

private:
  now_function now_;
  wall_function unix_ns_;
  double time_scale_;
};

/// Real time, with the lab's time running `time_scale` times faster (1: as the devices do).
std::shared_ptr<const clock> make_real_clock(double time_scale = 1);

/// Virtual time: what `now` answers. Wall time starts at 2026-01-01.
std::shared_ptr<const clock> make_virtual_clock(clock::now_function now, double time_scale = 1);

} // namespace qnfv
