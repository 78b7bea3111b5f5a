#pragma once

// Conversation: whom a shared Bob serves, and what the operator may ask about it.
//
//   scheduler --claim_link------> link        (I am the scheduler now; older ones are fenced off)
//   scheduler --serve_link------> link        (Bob is yours: path, initialisation, keys)
//   scheduler --release_link----> link        (let go of Bob)
//   link --link_status----------> scheduler   (at each change of its state)
//   scheduler --keys_status_query--> key_pool (each planning tick, one per site)
//   operator --schedule_query, set_policy--> scheduler

#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"

#include <vector>

namespace qnfv {

struct schedule_query {};
QNFV_SIGNAL(schedule_query)

/// What the scheduler knows of one link of a shared Bob.
struct scheduled_link {
  link_id link;
  device_id bob;
  link_state state = link_state::off;
  double stock_bits = 0;
  double capacity_bits = 0;
  double demand_bps = 0;       ///< Estimated.
  double rate_bps = 0;         ///< Measured over visits, or as calibrated before the first one.
  double initialisation_s = 0; ///< The same.
  double remaining_life_s = 0; ///< stock / demand; infinite without demand.
  double due_s = 0;            ///< From now: when its next visit should begin, as the plan has it.
  uint32_t visits = 0;
  uint32_t failures = 0; ///< In a row.
  double blocked_s = 0;  ///< Not tried again before; after failures.
  std::string note;
};
QNFV_FIELDS(scheduled_link, link, bob, state, stock_bits, capacity_bits, demand_bps, rate_bps,
            initialisation_s, remaining_life_s, due_s, visits, failures, blocked_s, note)

/// The devices cannot keep up, or will not: who, when, and what would help.
struct schedule_alarm {
  device_id bob;
  double raised_s = 0; ///< Lab time ago.
  std::string reason;
  link_id worst;
  double runs_dry_s = 0; ///< From now; 0: it is dry.
  std::string help;      ///< "one more Bob", "12 % less demand", "bob1/alice3: shorter fibre".
};
QNFV_FIELDS(schedule_alarm, bob, raised_s, reason, worst, runs_dry_s, help)

struct bob_schedule {
  device_id bob;
  link_id active;            ///< Empty: it is idle, or between two.
  double since_s = 0;        ///< Of the visit under way, lab time.
  double until_s = 0;        ///< From now: when the visit should end, as planned; 0: open.
  std::string why;           ///< The last decision, in words.
  std::vector<link_id> next; ///< In the order planned.
};
QNFV_FIELDS(bob_schedule, bob, active, since_s, until_s, why, next)

struct schedule_status {
  std::string policy;
  uint64_t epoch = 0;
  bool standing_down = false; ///< A younger scheduler has taken over.
  uint64_t decisions = 0;
  uint64_t switches = 0; ///< Visits begun.
  std::vector<bob_schedule> bobs;
  std::vector<scheduled_link> links;
  std::vector<schedule_alarm> alarms;
};
QNFV_MESSAGE(schedule_status, policy, epoch, standing_down, decisions, switches, bobs, links,
             alarms)

/// From now on decide like this: "round_robin", "longest_queue", "earliest_deadline", "paper",
/// "best". What was learnt stays. Errors: invalid_argument (no such policy), not_allowed.
struct set_policy {
  std::string policy;
};
QNFV_MESSAGE(set_policy, policy)

/// The SCHEDULER interface.
using scheduler_actor = actor_of<
  caf::result<void>(link_status),
  caf::result<schedule_status>(schedule_query),
  caf::result<schedule_status>(set_policy),
  caf::result<void>(tick),
  caf::result<void>(peer_up), caf::result<void>(peer_down)>;

} // namespace qnfv
