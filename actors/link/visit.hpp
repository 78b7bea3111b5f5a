#pragma once

// One visit of Bob, from the path to the session to letting go. Inside actors/link only.

#include "actors/link/link.hpp"

namespace qnfv::visit {

using self_ptr = stateful<link_actor, link_actor_state>*;

/// Makes `event` happen, if it counts in this state: traced, and told to the scheduler.
bool apply(self_ptr self, link_event event, std::string reason = {});

/// Tells the scheduler how things stand.
void report(self_ptr self);

/// Writes the history; a failure is an alarm.
status remember(self_ptr self);

/// Path first, if there is a switch; then both devices.
void begin(self_ptr self);

/// The session is over by itself: lost or refused. Lets go of everything; a link that has its Bob for
/// itself tries again later.
void ended(self_ptr self, link_event event, const std::string& reason);

/// Stops both devices, then releases the path; `then` when Bob and the path are free, or as free as
/// they get: who does not answer is asked again while nothing else goes on.
void let_go(self_ptr self, std::function<void()> then);

/// Asks again for what let_go could not finish.
void settle_debts(self_ptr self);

} // namespace qnfv::visit
