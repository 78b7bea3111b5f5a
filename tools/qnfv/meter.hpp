#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace qnfv {

/// What a benchmark did with `n` things.
struct measured {
  double per_s = 0;
  double cpu_us = 0; ///< Per thing, of all threads of this process: other programs do not count.
};

/// Measures from its construction.
class meter {
public:
  measured stop(uint64_t things) const {
    std::chrono::duration<double> wall = std::chrono::steady_clock::now() - wall_;
    auto n = static_cast<double>(std::max<uint64_t>(things, 1));
    return {n / wall.count(), 1e6 * (cpu_now_s() - cpu_) / n};
  }

private:
  static double cpu_now_s() {
    ::rusage x{};
    ::getrusage(RUSAGE_SELF, &x);
    auto seconds_of = [](const ::timeval& t) {
      return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds_of(x.ru_utime) + seconds_of(x.ru_stime);
  }

  std::chrono::steady_clock::time_point wall_ = std::chrono::steady_clock::now();
  double cpu_ = cpu_now_s();
};

} // namespace qnfv
