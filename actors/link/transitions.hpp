#pragma once

#include "runtime/messages/links.hpp"

#include <array>
#include <optional>
#include <string>

namespace qnfv {

enum class link_event : uint8_t {
  connect,   ///< Bob is its own now; the light's path is asked for.
  start,     ///< The path is confirmed: both devices are told to begin a session.
  first_key, ///< The first block is out: initialisation is over.
  stop,      ///< Somebody wants the Bob elsewhere.
  stopped,   ///< Both devices have stopped.
  lost,      ///< No light, or an end is gone.
  refused,   ///< A device or the optical switch refused.
};
constexpr size_t link_event_count = 7;
std::string to_string(link_event);

/// The state after `event` in `state`; nothing: the event does not count there.
std::optional<link_state> next(link_state state, link_event event);

} // namespace qnfv
