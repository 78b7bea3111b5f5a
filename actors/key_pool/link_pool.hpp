#pragma once

#include "actors/key_pool/key_store.hpp"
#include "runtime/clock/clock.hpp"

#include <deque>
#include <map>
#include <set>
#include <vector>

namespace qnfv {

/// One end of one link's pool. Pure but for the store it records in: the clock is an argument, and
/// nothing is sent. Every change goes through the life-cycle table, and the counters are checked
/// against each other after every event, in all builds.
class link_pool {
public:
  struct settings {
    link_id link;
    link_end end = link_end::bob;
    site_id peer;
    uint32_t keys_max = 20000;                             ///< Stored and ready ones.
    duration confirm_deadline = std::chrono::seconds{60};  ///< Then an unconfirmed block dies.
    duration assigned_ttl = std::chrono::seconds{600};     ///< Then an unclaimed key dies.
    uint32_t remembered = 4096;                            ///< Answered requests, failed keys.
  };

  link_pool(settings s, std::unique_ptr<key_store> store, time_point now);

  // -- ingest and confirm -------------------------------------------------------------------------

  /// Takes a block; its first two keys are spent for the tags of the two ends. Failures:
  /// invalid_argument (size, link, fewer than 3 keys), stale_epoch (an older session),
  /// already_exists (overlaps what was seen), busy (the pool is full).
  status ingest(const block_id& block, const secret& material, time_point now);

  /// This end's own tag of an unconfirmed block; nothing if it is not waiting.
  std::optional<one_time_tag> own_tag(const block_id& block) const;

  enum class verdict { equal, differs, not_here };
  /// Compares the peer's tag with our copy. Equal: the block is READY (or was already); differs: our
  /// copy is destroyed.
  verdict confirm(const block_id& block, const one_time_tag& peer_tag);
  /// The tag to answer a repeated question about a block that is confirmed already.
  std::optional<one_time_tag> remembered_tag(const block_id& block) const;

  void destroy_block(const block_id& block, const std::string& reason);
  /// Blocks that wait for confirmation.
  std::vector<block_id> unconfirmed() const;

  // -- hand out ---------------------------------------------------------------------------------------

  /// Somebody asked for a key, whether there is one or not.
  void count_demand(uint32_t size_bits, time_point now);
  /// RESERVES the oldest ready key that this end allocates. The same request again: the same key
  /// while it is reserved, unknown_key once it was consumed, another key if it was destroyed.
  /// Failures: invalid_argument (size), key_exhausted, unknown_key.
  result<key_id> reserve(const request_id& request, uint32_t size_bits, time_point now);
  /// The other end reserved it. Idempotent by (id, request). Failures: unknown_key, not_allowed (this
  /// end allocates it).
  status assign(const key_id& id, const request_id& request, time_point now);
  /// CONSUMES a reserved or assigned key and gives out its bits. Failure: unknown_key.
  result<secret> consume(const key_id& id);
  void destroy(const key_id& id, const std::string& reason);

  // -- agree -------------------------------------------------------------------------------------------

  std::vector<key_id> ready() const;
  std::vector<key_id> assigned() const;
  /// Of the peer's ready and assigned keys those that are dead here. A key consumed here is not: the
  /// peer's consumer is about to claim it.
  std::vector<key_id> dead(const std::vector<key_id>& ready, const std::vector<key_id>& assigned) const;
  /// The peer says these are dead: destroyed if they are still ready or assigned. How many were.
  size_t bury(const std::vector<key_id>& dead);
  /// Destroys what waited too long. How many keys.
  size_t expire(time_point now);

  key_state state_of(const key_id& id) const;
  pool_status status_now(time_point now) const;
  key_store& store() { return *store_; }
  const settings& config() const { return settings_; }

private:
  struct block_entry {
    block_id block;
    secret material; ///< Slices are wiped as their keys end.
    one_time_tag own{};
    one_time_tag expected{}; ///< Of the peer.
    bool confirmed = false;
    uint32_t live = 0;
    time_point arrived{};
  };
  struct key_entry {
    key_state state = key_state::stored;
    request_id request;
    time_point since{};
  };
  using block_key = std::pair<uint32_t, uint64_t>; ///< Session, first counter.

  static block_key key_of(const block_id& x) { return {x.session, x.first}; }
  block_entry* block_with(const key_id& id);
  void change(const key_id& id, key_event event, const request_id& request, time_point now);
  void remember_answered(const request_id& request);
  void check_counters() const;

  settings settings_;
  std::unique_ptr<key_store> store_;
  time_point opened_;
  uint32_t session_ = 0; ///< The highest seen.
  std::map<link_end, uint64_t> next_counter_; ///< Of that session; ids below are never taken again.
  std::map<block_key, block_entry> blocks_;
  std::map<key_id, key_entry> keys_; ///< Live ones only.
  std::set<key_id> ready_mine_;      ///< Ready ones that this end allocates.
  std::map<request_id, key_id> requests_; ///< Reserved for.
  std::deque<request_id> answered_;
  std::set<request_id> answered_set_;
  std::deque<std::pair<block_key, one_time_tag>> confirmed_tags_;
  std::deque<key_id> failed_;  ///< Destroyed after they had been reserved: the peer may hold them.
  std::deque<std::pair<time_point, uint32_t>> demand_;
  pool_status counters_;
};

} // namespace qnfv
