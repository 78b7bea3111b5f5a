#pragma once

#include "runtime/messages/vnfs.hpp"

#include <array>
#include <optional>
#include <string>

namespace qnfv {

enum class vnf_event : uint8_t { started, stop, stopped, failed };
constexpr size_t vnf_event_count = 4;
std::string to_string(vnf_event);

/// The state after `event` in `state`; nothing: the event does not count there.
std::optional<vnf_state> next(vnf_state state, vnf_event event);

} // namespace qnfv
