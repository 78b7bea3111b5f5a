#pragma once

#include "runtime/base/units.hpp"
#include "runtime/clock/clock.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>

namespace qnfv {

/// One role that a supervisor keeps alive.
struct child_spec {
  std::string role;
  /// Starts it afresh.
  std::function<caf::strong_actor_ptr()> start;
};

/// When to start a dead child again, and when to give up (invariant I36: restarts are bounded).
/// Pure: the clock is an argument.
class restart_policy {
public:
  struct settings {
    uint32_t restarts_max = 5;   ///< Within the window; one more and it stays down.
    duration window = std::chrono::seconds{60};
    duration backoff_first = std::chrono::milliseconds{100}; ///< Doubles with each restart.
    duration backoff_max = std::chrono::seconds{10};
  };

  explicit restart_policy(settings s) : settings_(s) {}

  /// The child died at `now`: how long to wait before it starts again; nothing: give up.
  std::optional<duration> died(time_point now);
  uint32_t restarts() const { return total_; }

private:
  settings settings_;
  std::deque<time_point> deaths_;
  uint32_t total_ = 0;
};

} // namespace qnfv
