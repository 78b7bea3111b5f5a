#pragma once

// The steps of a key pool, one file for each conversation: confirm.cpp, hand_out.cpp, agree.cpp; what
// they share is in steps.cpp, and key_pool.cpp wires messages to them. For these files only.

#include "actors/key_pool/key_pool.hpp"

namespace qnfv::pool_steps {

using self_ptr = stateful<key_pool_actor, key_pool_state>*;

// -- shared

/// Null if this site has no end of the link, or its keys are sealed; then no_link says which.
pool_entry* find(self_ptr self, const link_id& link);
caf::error no_link(self_ptr self, const link_id& link);
/// Key material stays within its site.
bool from_here(self_ptr self);
caf::error not_the_peer(self_ptr self);
std::chrono::milliseconds request_timeout(self_ptr self);
/// An alarm when something starts to be wrong, a note when it is well again; once each.
void tell_trouble(self_ptr self, pool_entry& x);
pool_status status_of(self_ptr self, pool_entry& x);
/// Runs `then` when all that was recorded so far is durable. If it cannot be, the pool ends.
void commit(self_ptr self, pool_entry& x, std::function<void()> then);
/// Once per turn of the actor, after everything that one commit released: messages to the peer go out
/// together.
void flush_soon(self_ptr self);

// -- confirm: blocks become keys

void ingest(self_ptr self, key_block& x);
/// Bob's end asks about every block that waits.
void ask_to_confirm(self_ptr self, const link_id& link);
caf::result<block_confirmed> answer_confirm(self_ptr self, const confirm_block& ask);

// -- hand out: keys go to their users

caf::result<key_grants> reserve(self_ptr self, const reserve_keys& ask);
caf::result<keys_assigned> answer_assign(self_ptr self, const assign_keys& ask);
caf::result<key_grants> claim(self_ptr self, const claim_keys& ask);
void flush(self_ptr self);

// -- agree: two stores, one truth

/// Asks the peer where its store stands, then agrees on everything else.
void compare(self_ptr self, const link_id& link, std::function<void(const caf::error&)> then);
caf::result<compare_stores> answer_compare(self_ptr self, const compare_stores& ask);
caf::result<keys_gone> answer_reconcile(self_ptr self, const reconcile_keys& ask);
caf::result<pool_status> operator_reconcile(self_ptr self, const reconcile_now& ask);
/// Every so often: what waited too long, stores not compared yet, pools that may differ.
void look_around(self_ptr self);

} // namespace qnfv::pool_steps
