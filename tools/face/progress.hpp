#pragma once

#include "runtime/base/units.hpp"
#include "runtime/clock/clock.hpp"
#include "runtime/messages/images.hpp"

#include <string>

namespace qnfv {

/// Bytes per second of late: a mean in which the last second counts most. Pure.
class rate_estimate {
public:
  void add(uint64_t done_bytes, time_point now);
  double bytes_per_s() const { return rate_; }

private:
  bool begun_ = false;
  uint64_t last_bytes_ = 0;
  time_point last_{};
  double rate_ = 0;
};

/// "fw -> dc1  [########............]  42 %  323 MB / 769 MB  212 MB/s  ETA 2.10 s  streaming"
std::string render_progress(const std::string& title, const order& x, double bytes_per_s);

/// The progress of one order on standard output: one line that changes on a terminal, a line per
/// state elsewhere.
class progress_line {
public:
  progress_line(std::string title, bool terminal) : title_(std::move(title)), terminal_(terminal) {}
  void show(const order& x, time_point now);
  void end();

private:
  std::string title_;
  bool terminal_;
  bool shown_ = false;
  std::string last_;
  rate_estimate rate_;
};

} // namespace qnfv
