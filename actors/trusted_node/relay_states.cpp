#include "actors/trusted_node/relay_states.hpp"

#include <iterator>

namespace qnfv {

std::string to_string(relay_state x) {
  static const char* names[] = {"claiming", "drawing", "asking", "storing", "done", "failed"};
  static_assert(std::size(names) == relay_state_count, "name every state");
  return names[static_cast<size_t>(x)];
}

std::string to_string(relay_event x) {
  static const char* names[] = {"claimed", "drawn", "end_keys", "answered", "stored", "failed"};
  static_assert(std::size(names) == relay_event_count, "name every event");
  return names[static_cast<size_t>(x)];
}

std::optional<relay_state> next(relay_state state, relay_event event) {
  using s = std::optional<relay_state>;
  using row = std::array<s, relay_event_count>;
  constexpr auto dot = std::nullopt;
  const s draw = relay_state::drawing, ask = relay_state::asking, stor = relay_state::storing,
          done = relay_state::done, fail = relay_state::failed;
  static const std::array<row, relay_state_count> table{
      //  claimed drawn end_keys answered stored failed
      row{draw, dot, stor, dot, dot, fail}, // claiming
      row{dot, ask, dot, dot, dot, fail},   // drawing
      row{dot, dot, stor, done, dot, fail}, // asking
      row{dot, dot, dot, dot, done, fail},  // storing
      row{dot, dot, dot, dot, dot, dot},    // done
      row{dot, dot, dot, dot, dot, dot},    // failed
  };
  return table[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

} // namespace qnfv
