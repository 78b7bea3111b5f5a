#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace qnfv {

/// One relay at one of its sites. The origin begins with `drawing`, all others with `claiming`.
enum class relay_state : uint8_t {
  claiming, ///< The pads that the site before named are fetched from the pool.
  drawing,  ///< Keys of the next hop are reserved.
  asking,   ///< The next site has been told.
  storing,  ///< The end keys are here and go into the pool: at the far end and at the origin.
  done,
  failed,
};
constexpr size_t relay_state_count = 6;
std::string to_string(relay_state);

enum class relay_event : uint8_t {
  claimed,  ///< In between: the pads are here.
  drawn,    ///< The keys of the next hop are here, and assigned at the next site.
  end_keys, ///< The far end claimed them; the origin unwrapped them.
  answered, ///< In between: the next site answered well, and our answer is on its way.
  stored,   ///< The pool took the block, or the block waits for its other shares.
  failed,   ///< A step was refused, ran out of time, or was dropped by the site before.
};
constexpr size_t relay_event_count = 6;
std::string to_string(relay_event);

/// The state after `event` in `state`; nothing: the event comes too late and does not count.
std::optional<relay_state> next(relay_state state, relay_event event);

} // namespace qnfv
