#pragma once

#include "actors/key_pool/life_cycle.hpp"
#include "runtime/messages/keys.hpp"

#include <functional>
#include <memory>

namespace qnfv {

/// Where the keys of one link and end survive: the storage seam of the pool.
///
/// Everything is first recorded, then committed. A pool sends, answers and delivers only after the
/// commit of the state it promises; many records share one commit. A store whose commit failed is
/// dead: it answers every later commit with a failure (invariant I38).
class key_store {
public:
  virtual ~key_store() = default;
  /// A block arrived; its keys are STORED.
  virtual void put_block(const block_id& block, const secret& material) = 0;
  /// A key changed state. Consumed and destroyed overwrite its bits.
  virtual void put_state(const key_id& key, key_state state, const request_id& request) = 0;
  /// Calls back, on the pool's actor, when all that was recorded so far is durable. May call back at
  /// once. Failure: storage_failed.
  virtual void commit(std::function<void(const status&)> then) = 0;
};

/// Keeps nothing: a restart of the site starts with an empty pool, and the peers learn so when they
/// reconcile. Every commit is done at once.
class volatile_key_store : public key_store {
public:
  void put_block(const block_id&, const secret&) override {}
  void put_state(const key_id&, key_state, const request_id&) override {}
  void commit(std::function<void(const status&)> then) override { then(done{}); }
};

} // namespace qnfv
