#include "runtime/clock/clock.hpp"

#include <cassert>

namespace qnfv {

clock::clock(now_function now, wall_function unix_ns, double time_scale)
  : now_(std::move(now)), unix_ns_(std::move(unix_ns)), time_scale_(time_scale) {
  assert(time_scale > 0);
}

duration clock::real(duration lab) const {
  return time_scale_ == 1 ? lab : from_seconds(to_seconds(lab) / time_scale_);
}

duration clock::lab(duration real) const {
  return time_scale_ == 1 ? real : from_seconds(to_seconds(real) * time_scale_);
}

std::shared_ptr<const clock> make_real_clock(double time_scale) {
  return std::make_shared<clock>([] { return std::chrono::steady_clock::now(); },
                                 [] {
                                   return std::chrono::nanoseconds{
                                     std::chrono::system_clock::now().time_since_epoch()}
                                     .count();
                                 },
                                 time_scale);
}

std::shared_ptr<const clock> make_virtual_clock(clock::now_function now, double time_scale) {
  constexpr int64_t start_of_2026 = 1767225600ll * 1'000'000'000;
  auto wall = [now] {
    return start_of_2026 + std::chrono::nanoseconds{now().time_since_epoch()}.count();
  };
  return std::make_shared<clock>(now, wall, time_scale);
}

} // namespace qnfv
