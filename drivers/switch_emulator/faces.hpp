#pragma once

// What the servers of an emulated switch share: they speak for whatever SWITCH DRIVER they are
// given.

#include "runtime/messages/paths.hpp"
#include "runtime/system/actor.hpp"

#include <deque>
#include <variant>

namespace qnfv {

using switch_face_actor =
  actor_of<caf::result<void>(switch_event), caf::result<void>(continuation)>;
using switch_face = instrumented<switch_face_actor::base>;

/// The mirrors of a slow switch take a minute.
constexpr auto switch_face_timeout = std::chrono::seconds{70};

using switch_change = std::variant<cross_connect, disconnect, switch_fault>;

/// Does one after the other, and stops at the first that fails. `then` runs on the actor.
void carry_out(switch_face* self, switch_driver_actor driver, std::deque<switch_change> changes,
               std::function<void(status)> then);

void ask_joined(switch_face* self, switch_driver_actor driver,
                std::function<void(result<std::vector<cross_connection>>)> then);
void ask_status(switch_face* self, switch_driver_actor driver,
                std::function<void(result<switch_status>)> then);

/// The command is on its way for ever: who asked hears nothing.
inline bool is_silence(const failure& why) {
  return why.code == ec::maybe_executed || why.code == ec::site_unreachable;
}

/// A dark port lets no light through: what protocols call disabled. Faults of other kinds of a port
/// that is not dark stay.
std::deque<switch_change> enable_ports(const switch_status&, const std::vector<port_number>&);
std::deque<switch_change> disable_ports(const std::vector<port_number>&);

} // namespace qnfv
