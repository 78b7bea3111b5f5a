#pragma once

#include "actors/key_pool/link_pool.hpp"
#include "runtime/system/actor.hpp"

#include <set>

namespace qnfv {

struct key_pool_config {
  /// One end of one link.
  struct link_setting {
    link_id link;
    link_end end = link_end::bob;
    site_id peer;
    key_pool_actor peer_pool;
  };

  site_id site;
  std::vector<link_setting> links;
  uint32_t pool_keys_max = 20000;     ///< Unused keys per link.
  uint32_t request_timeout_ms = 2000; ///< For an answer of the peer's pool.
  uint32_t assign_tries = 2;          ///< Of one key, when the peer does not answer.
  uint32_t keys_tried_max = 8;        ///< Per request, when the peer lacks the key.
  uint32_t confirm_retry_ms = 50;     ///< Doubles, up to the request timeout.
  uint32_t confirm_deadline_s = 60;
  uint32_t assigned_ttl_s = 600;
  uint32_t reconcile_s = 30;
  uint32_t reconcile_ids_max = 4096;  ///< Per message.
  /// Runs something on the pool's actor, from any thread: how a store completes its commits.
  using on_actor = std::function<void(std::function<void()>)>;
  /// The store of a link; empty: nothing survives a restart.
  std::function<std::unique_ptr<key_store>(const link_id&, on_actor)> open_store;
};

/// One link at this site: its keys and what is under way.
struct pool_entry {
  key_pool_config::link_setting setting;
  std::unique_ptr<link_pool> pool;
  bool peer_is_up = false;
  std::set<request_id> under_way;           ///< Reserve requests that wait for the peer.
  std::map<uint64_t, uint32_t> confirm_ms;  ///< Wait before the next try, per first counter.
  std::set<std::pair<uint32_t, uint64_t>> confirming; ///< Blocks asked about now.
};

struct key_pool_state {
  static inline const char* name = "key_pool";
  key_pool_config config;
  std::map<link_id, pool_entry> links;
};

/// The KEY POOL of a site. Nothing is sent, answered or delivered before the state that it promises
/// is committed (actors/key_pool/README.md).
key_pool_actor::behavior_type key_pool(stateful<key_pool_actor, key_pool_state>* self,
                                       key_pool_config config);

} // namespace qnfv
