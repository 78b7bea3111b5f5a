#pragma once

#include "actors/orchestrator/orchestrator.hpp"

namespace qnfv {

using orchestrator_ptr = stateful<orchestrator_actor, orchestrator_state>*;

// One delivery, step by step (the paper's Fig. 3). Each step asks one actor and ends in the next
// step or in `fail_order`; a reply that comes after the order ended is ignored.
//
//   reserve key, open channel -> offer -> stream -> install -> running

/// Step 1, and again whenever a key may have come.
void open_delivery(orchestrator_ptr self, const order_id& id);

/// Ends the order with a reason and cleans up at both sites.
void fail_order(orchestrator_ptr self, const order_id& id, const failure& why,
                order_event event = order_event::failed);

/// Saves the order; a failure to save is an alarm, not the end of the order.
void save(orchestrator_ptr self, const order& x);

} // namespace qnfv
