#include "actors/key_pool/life_cycle.hpp"

#include <array>
#include <iterator>

namespace qnfv {

std::string to_string(key_state x) {
  static const char* names[] = {"ABSENT",   "STORED",   "READY",    "KEPT",
                                "RESERVED", "ASSIGNED", "CONSUMED", "DESTROYED"};
  static_assert(std::size(names) == key_state_count, "name every state");
  return names[static_cast<size_t>(x)];
}

std::string to_string(key_event x) {
  static const char* names[] = {"ingest", "confirm", "keep",  "reserve",
                                "assign", "consume", "spend", "destroy"};
  static_assert(std::size(names) == key_event_count, "name every event");
  return names[static_cast<size_t>(x)];
}

int rank_of(key_state x) {
  constexpr int ranks[] = {0, 1, 2, 3, 3, 3, 4, 4};
  static_assert(std::size(ranks) == key_state_count, "rank every state");
  return ranks[static_cast<size_t>(x)];
}

std::optional<key_state> next(key_state state, key_event event) {
  using s = std::optional<key_state>;
  using row = std::array<s, key_event_count>;
  constexpr auto dot = std::nullopt;
  const s stor = key_state::stored, read = key_state::ready, kept = key_state::kept,
          resv = key_state::reserved, asgn = key_state::assigned, cons = key_state::consumed,
          dest = key_state::destroyed;
  static const std::array<row, key_state_count> table{
    // ingest confirm keep reserve assign consume spend destroy
    row{stor, dot, dot, dot, dot, dot, dot, dot},   // absent
    row{dot, read, kept, dot, dot, dot, dot, dest}, // stored
    row{dot, dot, dot, resv, asgn, dot, dot, dest}, // ready
    row{dot, dot, dot, dot, dot, dot, cons, dest},  // kept: spent for a tag
    row{dot, dot, dot, dot, dot, cons, dot, dest},  // reserved
    row{dot, dot, dot, dot, dot, cons, dot, dest},  // assigned
    row{dot, dot, dot, dot, dot, dot, dot, dot},    // consumed
    row{dot, dot, dot, dot, dot, dot, dot, dot},    // destroyed
  };
  return table[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

} // namespace qnfv
