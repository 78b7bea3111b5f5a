#pragma once

#include "actors/key_pool/life_cycle.hpp"
#include "runtime/messages/keys.hpp"

#include <functional>
#include <map>
#include <memory>

namespace qnfv {

/// What a store keeps of one key besides its bits.
struct key_record {
  key_id id;
  key_state state = key_state::absent;
  uint64_t request = 0;   ///< Who it is promised to: see tag_of.
  uint64_t users = 0;     ///< Who may have it: see tag_of.
  uint32_t size_bits = 0; ///< Of the whole key that it is a part of.
  uint64_t progress = 0;  ///< This end's when it was recorded.
};

/// 64 bits of a SHA-256: enough to compare by, and short enough for a slot.
uint64_t tag_of(const request_id&);
uint64_t tag_of(const key_users&);

/// What a store knows when it is opened.
struct key_memory {
  std::vector<key_record> live;     ///< Everything that is not consumed or destroyed.
  std::vector<key_id> given_up;     ///< Promised and destroyed, if it still has tombstones of them.
  uint32_t session = 0;             ///< The highest seen; ids up to next_counter are taken.
  uint64_t next_counter = 0;
  uint32_t secret_issue = 0;        ///< Of the newest initial secret it was given.
  store_mark mine;                  ///< Of this start.
  store_mark peer;                  ///< As last seen.
  std::map<uint32_t, std::vector<site_id>> exposures; ///< Per session, who saw its keys.
  bool rolled_back = false;         ///< Found so before; until the operator decides.
  uint32_t damaged = 0;             ///< Slots that could not be read: their keys are lost.
};

/// Where the keys of one link and end survive: the storage seam of the pool.
///
/// Everything is first recorded, then committed. A pool sends, answers and delivers only after the
/// commit of the state it promises; many records share one commit. A store whose commit failed is
/// dead: it answers every later commit with a failure (invariant I38).
class key_store {
public:
  virtual ~key_store() = default;
  /// What survived; called once, before anything else.
  virtual key_memory recall() = 0;
  /// A key arrived. Failure: busy (no room).
  virtual status put_key(const key_record& key, byte_view bits) = 0;
  /// A key changed state. Consumed and destroyed overwrite its bits. `why` is for the audit trail:
  /// its users, or the reason of its end.
  virtual void put_state(const key_record& key, key_event event, const std::string& why) = 0;
  /// The bits of a live key. Failure: storage_failed.
  virtual result<secret> bits(const key_id& key) const = 0;
  virtual void put_peer(const store_mark& peer) = 0;
  virtual void put_secret_issue(uint32_t issue) = 0;
  virtual void put_rolled_back(bool yes) = 0;
  /// Trusted nodes that saw the keys of a session.
  virtual void put_exposure(uint32_t session, const std::vector<site_id>& nodes) = 0;
  /// Calls back, on the pool's actor, when all that was recorded so far is durable. May call back at
  /// once. Failure: storage_failed.
  virtual void commit(std::function<void(const status&)> then) = 0;
};

/// Keeps keys in memory only: for tests of the pool.
class volatile_key_store : public key_store {
public:
  key_memory recall() override {
    key_memory out;
    out.mine.generation = 1;
    return out;
  }
  status put_key(const key_record& key, byte_view bits) override {
    bits_[key.id] = secret{bits};
    return done{};
  }
  void put_state(const key_record& key, key_event, const std::string&) override {
    if (rank_of(key.state) == 4)
      bits_.erase(key.id);
  }
  result<secret> bits(const key_id& key) const override { return bits_.at(key); }
  void put_peer(const store_mark&) override {}
  void put_secret_issue(uint32_t) override {}
  void put_rolled_back(bool) override {}
  void put_exposure(uint32_t, const std::vector<site_id>&) override {}
  void commit(std::function<void(const status&)> then) override { then(done{}); }

private:
  std::map<key_id, secret> bits_;
};

} // namespace qnfv
