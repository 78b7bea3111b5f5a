#include "tools/face/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qnfv {

void rate_estimate::add(uint64_t done_bytes, time_point now) {
  auto dt = to_seconds(now - last_);
  if (!begun_ || done_bytes < last_bytes_) {
    begun_ = true;
    last_bytes_ = done_bytes;
    last_ = now;
    return;
  }
  if (dt <= 0)
    return;
  auto rate = static_cast<double>(done_bytes - last_bytes_) / dt;
  auto weight = rate_ == 0 ? 1 : 1 - std::exp(-dt);
  rate_ += weight * (rate - rate_);
  last_bytes_ = done_bytes;
  last_ = now;
}

std::string render_progress(const std::string& title, const order& x, double bytes_per_s) {
  constexpr size_t width = 24;
  auto done = x.state == order_state::installing || x.state == order_state::running ? x.size_bytes
                                                                                    : x.sent_bytes;
  auto share = x.size_bytes == 0 ? 0.0
                                 : static_cast<double>(done) / static_cast<double>(x.size_bytes);
  auto full = static_cast<size_t>(std::min(1.0, share) * width);
  auto out = title + "  [" + std::string(full, '#') + std::string(width - full, '.') + "] ";
  char percent[16];
  std::snprintf(percent, sizeof percent, "%3.0f %%", 100 * share);
  out += percent;
  if (x.state == order_state::streaming) {
    out += "  " + format_bytes(done) + " / " + format_bytes(x.size_bytes);
    if (bytes_per_s > 0)
      out += "  " + format_bytes(static_cast<uint64_t>(bytes_per_s)) + "/s  ETA "
             + format_duration(from_seconds(static_cast<double>(x.size_bytes - done) / bytes_per_s));
  }
  out += "  " + to_string(x.state);
  if (!x.reason.empty() && x.state != order_state::running)
    out += ": " + x.reason;
  return out;
}

void progress_line::show(const order& x, time_point now) {
  if (x.state == order_state::streaming)
    rate_.add(x.sent_bytes, now);
  if (terminal_) {
    std::printf("\r\033[K%s", render_progress(title_, x, rate_.bytes_per_s()).c_str());
    std::fflush(stdout);
    shown_ = true;
    return;
  }
  auto line = to_string(x.state) + (x.reason.empty() ? "" : ": " + x.reason);
  if (line != last_) {
    std::printf("%s  %s\n", title_.c_str(), line.c_str());
    std::fflush(stdout);
  }
  last_ = line;
}

void progress_line::end() {
  if (shown_)
    std::printf("\n");
}

} // namespace qnfv
