#include "runtime/faults/board.hpp"

#include <mutex>

namespace qnfv {

namespace {

/// Adds up how far a clock that runs too fast is ahead.
struct drifting {
  std::shared_ptr<const clock> base;
  std::shared_ptr<const fault_board> board;
  std::mutex mutex;
  time_point last;
  duration ahead{0};

  time_point now() {
    std::lock_guard<std::mutex> guard{mutex};
    auto real = base->now();
    auto drift = board->drift();
    if (drift > 0 && real > last)
      ahead += from_seconds(to_seconds(real - last) * drift);
    last = std::max(last, real);
    return real + ahead;
  }
};

} // namespace

std::shared_ptr<const clock> make_faulty_clock(std::shared_ptr<const clock> base,
                                               std::shared_ptr<const fault_board> board) {
  auto state = std::make_shared<drifting>();
  state->base = base;
  state->board = board;
  state->last = base->now();
  return std::make_shared<const clock>([state] { return state->now(); },
                                       [base, board] { return base->unix_ns() + board->wall_offset_ns(); },
                                       base->time_scale());
}

} // namespace qnfv
