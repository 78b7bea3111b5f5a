#include "actors/vnf_manager/life_cycle.hpp"

#include <iterator>

namespace qnfv {

std::string to_string(vnf_event x) {
  static const char* names[] = {"started", "stop", "stopped", "failed"};
  static_assert(std::size(names) == vnf_event_count, "name every event");
  return names[static_cast<size_t>(x)];
}

std::optional<vnf_state> next(vnf_state state, vnf_event event) {
  using s = std::optional<vnf_state>;
  using row = std::array<s, vnf_event_count>;
  constexpr auto dot = std::nullopt;
  const s runs = vnf_state::running, ends = vnf_state::stopping, done = vnf_state::stopped,
          fail = vnf_state::failed;
  static const std::array<row, vnf_state_count> table{
    //  started stop stopped failed
    row{runs, ends, dot, fail}, // creating
    row{dot, ends, dot, fail},  // running
    row{dot, dot, done, fail},  // stopping
    row{dot, dot, dot, dot},    // stopped
    row{dot, ends, done, dot},  // failed
  };
  return table[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

} // namespace qnfv
