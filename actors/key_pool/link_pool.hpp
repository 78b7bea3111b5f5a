#pragma once

#include "actors/key_pool/key_runs.hpp"
#include "actors/key_pool/key_store.hpp"
#include "runtime/clock/clock.hpp"

#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace qnfv {

/// The largest key that is handed out under one id.
constexpr uint32_t key_size_bits_max = 4096;
/// How many keys of the pool a key of that size is made of.
constexpr size_t parts_of(uint32_t size_bits) {
  return (size_bits + key_bits - 1) / key_bits;
}

/// One end of one link's pool. Pure but for the store it records in: the clock is an argument, and
/// nothing is sent. Every change goes through the life-cycle table, and the counters are checked
/// against each other after every event, in all builds.
class link_pool {
public:
  struct settings {
    link_id link;
    link_end end = link_end::bob;
    site_id peer;
    /// Stored and ready ones; with so many, or with 3/4 of them of one end, no block is taken any more.
    uint32_t keys_max = 20000;
    duration confirm_deadline = std::chrono::seconds{60};  ///< Then an unconfirmed block dies.
    duration assigned_ttl = std::chrono::seconds{600};     ///< Then an unclaimed key dies.
    uint32_t remembered = 4096;                            ///< Answered requests, failed keys.
    uint32_t kept_target = 64;                             ///< Authentication reserve, in keys.
    uint32_t kept_floor = 16;                              ///< Below it no block is confirmed.
    uint32_t renew_max = 8;                                ///< Keys of a block that go there.
  };

  link_pool(settings s, std::unique_ptr<key_store> store, time_point now);

  // -- after a start ------------------------------------------------------------------------------

  /// The authentication secret that the operator brought to both ends: a number of keys. The same
  /// issue, or an older one, changes nothing. Failure: invalid_argument, busy.
  status bootstrap(uint32_t issue, const secret& keys, time_point now);

  /// What this end says of itself and remembers of the peer.
  compare_stores mark() const;
  enum class comparison {
    agree,
    rolled_back,      ///< This end has forgotten what the peer remembers of it.
    peer_rolled_back, ///< The other way round.
    stale             ///< Said before something that was heard since.
  };
  /// Compares with what the peer asked. It may be a late message of the peer's, so nothing is held
  /// against it; whoever is old learns it from the answer. Nothing is handed out before both agree.
  comparison compare(const compare_stores& question);
  /// Compares with what the peer answered. `asked`: what this end remembered of it when it asked; a
  /// good store is never behind that.
  comparison compare_answer(const compare_stores& answer, const store_mark& asked);
  /// How far the peer says to have come; remembered with the next record.
  void peer_progressed(uint64_t progress);
  /// After a rollback: destroys every key, the authentication reserve too (an older copy of it holds
  /// keys that were spent since), and goes on once both ends got a new link secret.
  void start_over(const std::string& why);
  bool rolled_back() const { return rolled_back_; }
  /// Why nothing is handed out and nothing confirmed; empty: all is well.
  std::string blocked() const;
  /// Also: no new block is confirmed, because the authentication reserve is below its floor.
  std::string trouble() const;
  uint64_t progress() const { return progress_; }
  /// Grows with every change of every key.
  uint64_t changes() const { return changes_; }
  uint32_t damaged() const { return damaged_; }

  // -- ingest and confirm -------------------------------------------------------------------------

  /// Takes a block that `exposed_to` saw. Failures: invalid_argument (size, link, fewer than 3 keys,
  /// another exposure than the session's), stale_epoch (an older session), already_exists (overlaps
  /// what was seen), busy (the pool is full).
  status ingest(const block_id& block, const secret& material, time_point now,
                const std::vector<site_id>& exposed_to = {});
  /// The failure that `ingest` would have because of the block's name and size.
  status may_ingest(const block_id& block, const secret& material) const;
  /// Trusted nodes that saw this key.
  std::vector<site_id> exposure_of(const key_id&) const;

  /// Bob's end: what to ask the other end about a block that waits. Draws and spends two tag keys the
  /// first time; the same question again afterwards. Commit before sending.
  /// Failures: unknown_key (it does not wait), key_exhausted (the authentication reserve is below its
  /// floor).
  result<confirm_block> ask_confirm(const block_id& block);
  /// The other end does not have these tag keys: the next question uses others.
  void forget_tags(const block_id& block);

  enum class verdict { equal, differs, not_here, no_tag_keys };
  /// Alice's end: compares the question with our copy. `own` is the tag to answer with. Equal: the
  /// block is READY (or was already); differs: our copy is destroyed.
  verdict answer_confirm(const confirm_block& question, one_time_tag& own);
  /// Bob's end: compares the answer.
  verdict confirm(const block_id& block, const one_time_tag& peer_tag);

  void destroy_block(const block_id& block, const std::string& reason);
  /// Blocks that wait for confirmation.
  std::vector<block_id> unconfirmed() const;
  uint64_t kept() const { return kept_.size(); }
  /// True if ask_confirm has been called for a block that waits here, and its tag keys are spent.
  bool asked(const block_id&) const;

  // -- hand out ---------------------------------------------------------------------------------------

  /// Somebody asked for a key, whether there is one or not.
  void count_demand(uint64_t bits, time_point now);
  /// RESERVES the oldest ready keys that this end allocates, as many as `size_bits` needs. The same
  /// request again: the same key while it is reserved, unknown_key once it was consumed, another key
  /// if it was destroyed. Failures: invalid_argument (size), key_exhausted, unknown_key.
  result<key_assignment> reserve(const request_id& request, const key_users& users,
                                 uint32_t size_bits, time_point now);
  /// The failure that a new request would have. Failures: invalid_argument (size), unknown_key (it
  /// was answered before).
  status may_ask(const request_id& request, uint32_t size_bits) const;
  /// Are there `count` such keys to reserve? Failure, counted: key_exhausted.
  status has(uint32_t count, uint32_t size_bits);
  /// This request was answered with keys that had been reserved ahead.
  void remember_answered(const request_id& request) { remember_answered(tag_of(request)); }
  /// The other end reserved it. Idempotent by (id, request). Failures: unknown_key, not_allowed (this
  /// end allocates it), invalid_argument.
  status assign(const key_assignment& key, time_point now);
  /// CONSUMES a key that this end reserved and gives out its bits. Failure: unknown_key.
  result<secret> consume(const key_id& name);
  /// CONSUMES a key that the other end reserved. A key for several slaves is consumed with the first
  /// claim and then waits in memory for the others. Failures: unknown_key, not_allowed (it is for
  /// somebody else).
  result<secret> claim(const key_id& name, const std::string& master, const std::string& slave,
                       time_point now);
  /// The failure that `claim` would have.
  status may_claim(const key_id& name, const std::string& master, const std::string& slave) const;
  /// A key, and all other parts of the one it is a part of.
  void destroy(const key_id& id, const std::string& reason);

  // -- agree -------------------------------------------------------------------------------------------

  /// Ready and kept ones.
  std::vector<key_range> unused() const { return unused_runs_.ranges(); }
  std::vector<key_id> assigned() const;
  /// Of the peer's unused and assigned keys those that are dead here. A key consumed here is not: the
  /// peer's consumer is about to claim it.
  std::vector<key_id> dead(const std::vector<key_range>& unused,
                           const std::vector<key_id>& assigned) const;
  /// The peer says these are dead: destroyed unless they have an end of their own. How many were.
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
    secret material; ///< Until it is confirmed.
    time_point arrived{};
    std::optional<confirm_block> question; ///< Bob's end: asked already.
    one_time_tag expected{};
  };
  struct key_entry {
    key_state state = key_state::stored;
    key_id name; ///< Of the key it is a part of, if it is held for somebody.
  };
  /// A reserved or assigned key.
  struct held_key {
    std::vector<key_id> parts;
    uint32_t size_bits = key_bits;
    uint64_t request = 0; ///< Tags: all that survives a restart.
    uint64_t users = 0;
    key_users names;
    time_point since{};
  };
  /// A consumed key that some of its slaves have not fetched.
  struct shared_key {
    secret bits;
    std::string master;
    std::set<std::string> slaves;
    time_point since{};
  };
  using block_key = std::pair<uint32_t, uint64_t>; ///< Session, first counter.

  template <class Queue>
  static void push_bounded(Queue& queue, typename Queue::value_type x, size_t limit) {
    queue.push_back(std::move(x));
    if (queue.size() > limit)
      queue.pop_front();
  }
  static block_key key_of(const block_id& x) { return {x.session, x.first}; }
  void restore(const key_memory& memory, time_point now);
  bool forgotten(const compare_stores& theirs);
  comparison accept(const compare_stores& theirs);
  void change(const key_id& id, key_event event, const held_key* held, const std::string& why);
  void end_held(const key_id& name, key_event event, const std::string& why);
  result<secret> bits_of(const held_key& x) const;
  secret spend_tag_key(const key_id& id, const block_id& block);
  void confirm_keys(block_entry& entry, uint32_t renew);
  void remember_answered(uint64_t request);
  std::vector<site_id> exposed() const;
  void count(const key_id& id, key_state state, int by);
  void check_counters() const;

  settings settings_;
  std::unique_ptr<key_store> store_;
  time_point opened_;
  store_mark mine_;
  store_mark peer_;
  bool compared_ = false;
  bool rolled_back_ = false;
  bool started_over_ = false;
  bool peer_is_old_ = false;
  uint32_t damaged_ = 0;
  uint32_t secret_issue_ = 0;
  uint64_t progress_ = 0;
  uint64_t changes_ = 0;
  uint32_t session_ = 0;      ///< The highest seen.
  uint64_t next_counter_ = 0; ///< Of that session; numbers below are never taken again.
  std::map<uint32_t, std::vector<site_id>> exposures_; ///< Per session.
  std::map<block_key, block_entry> blocks_; ///< Unconfirmed ones.
  std::map<key_id, key_entry> keys_;        ///< Live ones only.
  std::array<uint64_t, 2> unused_{};        ///< Stored and ready ones, by the end that allocates.
  key_runs unused_runs_;                    ///< Ready and kept ones.
  std::set<key_id> ready_mine_;             ///< Ready ones that this end allocates.
  std::set<key_id> kept_;
  std::map<key_id, held_key> held_;
  std::unordered_map<uint64_t, key_id> requests_; ///< Tags of requests that keys are reserved for.
  std::map<key_id, shared_key> shared_;
  std::deque<uint64_t> answered_;
  std::unordered_set<uint64_t> answered_set_;
  std::deque<std::pair<block_key, one_time_tag>> confirmed_tags_;
  std::deque<key_id> failed_; ///< Destroyed after they had been reserved: the peer may hold them.
  std::deque<std::pair<time_point, uint64_t>> demand_;
  pool_status counters_;
};

} // namespace qnfv
