#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace qnfv {

/// The life of one key at one end of its link. Rank never falls: a key that was promised to
/// somebody never becomes free again.
enum class key_state : uint8_t {
  absent,    ///< Never seen.
  stored,    ///< Here; the other end has not confirmed equal bits.
  ready,     ///< Both ends proved equal bits.
  kept,      ///< In the pair's authentication reserve: no consumer may draw it.
  reserved,  ///< Promised by this end, which allocates it, to a request.
  assigned,  ///< Held by this end for the request that the other end named.
  consumed,  ///< Handed out, or spent for a tag; the bits are gone.
  destroyed, ///< Given up; the bits are gone.
};
constexpr size_t key_state_count = 8;
std::string to_string(key_state);

enum class key_event : uint8_t { ingest, confirm, keep, reserve, assign, consume, spend, destroy };
constexpr size_t key_event_count = 8;
std::string to_string(key_event);

/// 0 to 4; kept, reserved and assigned share 3, consumed and destroyed share 4.
int rank_of(key_state);

/// The state after `event`; nothing: forbidden, and trying it is a bug.
std::optional<key_state> next(key_state state, key_event event);

} // namespace qnfv
