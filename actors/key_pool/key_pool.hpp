#pragma once

#include "actors/key_pool/ahead.hpp"
#include "actors/key_pool/link_pool.hpp"
#include "actors/key_pool/quality_gate.hpp"
#include "runtime/system/actor.hpp"

#include <optional>
#include <set>

namespace qnfv {

struct key_pool_config {
  /// One end of one link.
  struct link_setting {
    link_id link;
    link_end end = link_end::bob;
    site_id peer;
    key_pool_actor peer_pool;
    uint32_t secret_issue = 0; ///< 0: no initial secret.
    secret initial_secret;     ///< What the pair authenticates its first blocks with.
  };

  site_id site;
  std::vector<link_setting> links;
  uint32_t pool_keys_max = 20000;     ///< Unused keys per link.
  uint32_t request_timeout_ms = 2000; ///< For an answer of the peer's pool.
  uint32_t assign_tries = 2;          ///< Of one batch, when the peer does not answer.
  uint32_t assign_batch_max = 256;    ///< Keys per message.
  uint32_t keys_tried_max = 8;        ///< Per request, when the peer lacks the key.
  uint32_t confirm_retry_ms = 50;     ///< Doubles, up to the request timeout.
  uint32_t confirm_deadline_s = 60;
  uint32_t assigned_ttl_s = 600;
  uint32_t reconcile_s = 30;
  uint32_t reconcile_ids_max = 4096;  ///< Per message.
  uint32_t keys_per_request_max = 128;
  ahead_stock::settings ahead;
  /// Runs something on the pool's actor, from any thread: how a store completes its commits.
  using on_actor = std::function<void(std::function<void()>)>;
  /// Opens the store of a link. Failure: the link's keys stay sealed; others are served.
  std::function<result<std::unique_ptr<key_store>>(const link_setting&, on_actor)> open_store;
};

/// A request for keys, from the first commit to the answer.
struct key_reservation;

/// One link at this site: its keys and what is under way.
struct pool_entry {
  key_pool_config::link_setting setting;
  std::unique_ptr<link_pool> pool; ///< Null: the store could not be opened.
  std::string sealed;              ///< Why.
  std::unique_ptr<quality_gate> gate;
  uint64_t weak_blocks = 0; ///< That the gate refused.
  bool peer_is_up = false;
  uint64_t durable_progress = 0;
  std::map<uint64_t, uint32_t> confirm_ms;  ///< Wait before the next try, per first counter.
  std::set<std::pair<uint32_t, uint64_t>> confirming; ///< Blocks asked about now.
  std::set<request_id> under_way;
  ahead_stock ahead;
  /// Reserved, durable, and to be named to the peer with the next batch.
  std::vector<std::pair<key_assignment, std::shared_ptr<key_reservation>>> to_assign;
  bool progress_due = false; ///< Claims were committed; the peer shall know.
  /// The two stores when the last reconciliation found nothing to do: as long as both stand there,
  /// another one would find the same.
  std::optional<std::pair<uint64_t, store_mark>> agreed;
  std::string trouble_told;
};

struct key_pool_state {
  static inline const char* name = "key_pool";
  key_pool_config config;
  std::map<link_id, pool_entry> links;
  bool flush_due = false;
};

/// The KEY POOL of a site. Nothing is sent, answered or delivered before the state that it promises
/// is committed (actors/key_pool/README.md).
key_pool_actor::behavior_type key_pool(stateful<key_pool_actor, key_pool_state>* self,
                                       key_pool_config config);

} // namespace qnfv
