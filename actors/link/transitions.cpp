#include "actors/link/transitions.hpp"

#include <iterator>

namespace qnfv {

std::string to_string(link_event x) {
  static const char* names[] = {"connect", "start", "first_key", "stop",
                                "stopped", "lost",  "refused"};
  static_assert(std::size(names) == link_event_count, "name every event");
  return names[static_cast<size_t>(x)];
}

std::optional<link_state> next(link_state state, link_event event) {
  using s = std::optional<link_state>;
  using row = std::array<s, link_event_count>;
  constexpr auto dot = std::nullopt;
  const s off = link_state::off, swit = link_state::switching, init = link_state::initialising,
          dist = link_state::distilling, rels = link_state::releasing, lost = link_state::lost,
          fail = link_state::failed;
  static const std::array<row, link_state_count> table{
      //  connect start first_key stop stopped lost refused
      row{swit, init, dot, dot, dot, dot, fail},  // off
      row{dot, init, dot, rels, dot, lost, fail}, // switching
      row{dot, dot, dist, rels, dot, lost, fail}, // initialising
      row{dot, dot, dot, rels, dot, lost, fail},  // distilling
      row{dot, dot, dot, dot, off, lost, fail},   // releasing
      row{swit, init, dot, dot, off, dot, fail},  // lost
      row{swit, init, dot, dot, off, dot, fail},  // failed
  };
  return table[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

} // namespace qnfv
