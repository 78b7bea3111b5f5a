#pragma once

#include "actors/scheduler/book.hpp"
#include "runtime/messages/schedule.hpp"
#include "runtime/system/actor.hpp"

#include <array>
#include <map>
#include <set>

namespace qnfv {

/// One Alice of a shared Bob.
struct scheduled_link_config {
  link_id link;
  device_id bob;
  site_id bob_site;
  site_id alice_site;
  link_actor link_actor_handle;
  key_pool_actor bob_pool, alice_pool;
  double rate_guess_bps = 0;         ///< As calibrated, until it is measured.
  double initialisation_guess_s = 0; ///< The same.
  double declared_bps = 0;           ///< Demand that somebody declared; 0: nobody.
  bool movable = false;              ///< Any Bob of this scheduler reaches this Alice.
};

/// A Bob that is switched on when the others cannot keep up: it takes part while its site is joined.
struct spare_bob {
  device_id bob;
  site_id site;
};

struct scheduler_config {
  std::vector<scheduled_link_config> links;
  std::vector<spare_bob> spares;
  std::string policy = "best";
  double tick_s = 10;             ///< Lab time between two looks at the pools.
  double keep_learnt_s = 60 * 60; ///< Lab time after which learnt demand is written down again.
  uint32_t request_timeout_ms = 2000;
  book_options book;
};

struct scheduler_state {
  static inline const char* name = "scheduler";
  scheduler_config config;
  schedule_book book;
  time_point started;
  uint64_t epoch = 0; ///< Durable before it is used; 0: not yet.
  bool standing_down = false;
  uint64_t generation = 0; ///< Of the tick awaited.
  double kept_s = 0;       ///< When learnt demand was last written.

  std::vector<site_id> bob_sites; ///< As the book numbers Bobs.
  struct link_control {
    bool claimed = false;
    bool held_once =
      false; ///< It obeyed this scheduler before: a younger one has it if it no longer does.
    bool asking = false;
  };
  std::vector<link_control> links;
  std::map<link_id, size_t> index;
  std::set<site_id> up;

  struct end_seen {
    double stock_bits = -1, capacity_bits = 0, asked_bits = 0;
    double here_bits = 0; ///< Of the stock, what this end may hand out.
    bool fresh = false;
  };
  std::vector<std::array<end_seen, 2>> ends; ///< Per link: Bob's, Alice's.
  struct pool_watch {
    key_pool_actor pool;
    std::map<link_id, std::pair<size_t, size_t>> parts; ///< Link and end.
    std::vector<std::pair<size_t, size_t>> last;        ///< Of the last answer's positions.
    bool asking = false;
  };
  std::vector<pool_watch> pools;
  size_t awaited = 0;                                          ///< Answers of this round.
  std::map<std::pair<device_id, link_id>, std::string> raised; ///< Alarms in the trace.
  std::string trouble;                                         ///< Of the scheduler itself.

  void take(pool_watch&, const keys_status&);
  /// What both ends said makes one pool: what both hold, what both were asked for.
  void end_round(double now_s);
  schedule_status status(double now_s) const;
};

/// The SCHEDULER (the paper's section III): whom each shared Bob serves, by a policy. Looks at the
/// pools each tick, commands links under an epoch of its own, and stands down for a younger one.
scheduler_actor::behavior_type scheduler(stateful<scheduler_actor, scheduler_state>* self,
                                         scheduler_config config);

} // namespace qnfv
