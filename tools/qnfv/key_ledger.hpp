#pragma once

#include "actors/key_pool/key_store.hpp"

#include <set>
#include <unordered_map>

namespace qnfv {

/// What really happened to keys: sees what each end's store records and what is durable, and holds it
/// against I1, I2, I5, I6 and I8 to I11. A store goes by the name of its node.
struct key_ledger {
  /// A key at one node.
  using place = std::pair<std::string, key_id>;
  struct place_hash {
    size_t operator()(const place& x) const { return std::hash<std::string>{}(x.first) ^ key_id_hash{}(x.second); }
  };
  template <class T>
  using per_place = std::unordered_map<place, T, place_hash>;

  struct life {
    key_state recorded = key_state::absent; ///< In memory.
    int durable_rank = 0;
    bool durable_consumed = false;
    std::set<uint64_t> durable_assigned; ///< Users that it was durably assigned to.
  };
  struct end_of_link {
    link_end end = link_end::bob;
    std::string peer; ///< The other end's node.
  };
  std::map<std::string, end_of_link> ends;
  per_place<life> lives;
  std::vector<std::string> violations;
  std::unordered_map<key_id, std::string, key_id_hash> bits;  ///< Of the first delivery.
  std::map<key_id, std::string> pairs; ///< Of the first delivery.
  per_place<int> deliveries;
  per_place<std::string> arrived; ///< Bits, per node and id.
  std::map<key_id, std::string> tag_keys; ///< What a tag key was durably spent for.

  /// What one end of a link is called where nobody says otherwise: "bob1/alice1 bob".
  static std::string node_of(const link_id& link, link_end end) {
    return link.value + " " + to_string(end);
  }

  std::function<void(const std::string&)> tell; ///< Of each violation, at once; may be empty.
  void fail(const std::string& what) {
    violations.push_back(what);
    if (tell)
      tell(what);
  }

  void ingested(const std::string& node, const key_id& id, byte_view raw) {
    // What was not durable before a crash was never there.
    if (lives[{node, id}].durable_rank > 0)
      fail("I11 " + node + " took " + to_string(id) + " a second time");
    arrived[{node, id}] = to_hex(raw);
  }

  void recorded(const std::string& node, const key_record& key) {
    auto& x = lives[{node, key.id}];
    if (rank_of(key.state) < rank_of(x.recorded))
      fail("I10 rank of " + to_string(key.id) + " fell at " + node);
    x.recorded = key.state;
  }

  void durable(const std::string& node, const key_record& key) {
    auto& x = lives[{node, key.id}];
    x.durable_rank = std::max(x.durable_rank, rank_of(key.state));
    if (key.state == key_state::consumed)
      x.durable_consumed = true;
    if (key.state == key_state::assigned)
      x.durable_assigned.insert(key.users);
  }

  /// A tag leaves only after its key is durably spent; before that the key may come back.
  void spent(const key_id& id, const std::string& why) {
    if (tag_keys.emplace(id, why).first->second != why)
      fail("I6 tag key " + to_string(id) + " was spent twice");
  }

  /// What a store found after a start.
  void found(const std::string& node, const key_memory& memory) {
    std::unordered_map<key_id, key_state, key_id_hash> there;
    for (auto& x : memory.live) {
      there[x.id] = x.state;
      if (x.state == key_state::assigned)
        lives[{node, x.id}].durable_assigned.insert(x.users);
    }
    for (auto& [key, x] : lives) {
      if (key.first != node)
        continue;
      auto i = there.find(key.second);
      auto rank = i == there.end() ? (x.durable_rank == 0 ? 0 : 4) : rank_of(i->second);
      if (rank < x.durable_rank)
        fail("I5 " + to_string(key.second) + " came back at " + node);
      // Ready and kept keys are promised: they are there, or were about to be spent.
      if (i == there.end() && x.durable_rank > 0 && x.durable_rank < 4
          && rank_of(x.recorded) < 4)
        fail("I5 " + to_string(key.second) + " was lost at " + node);
      if (i != there.end()) // Written before the cut, though nobody was told so.
        x.durable_rank = std::max(x.durable_rank, rank);
      x.recorded = i == there.end() ? (x.durable_rank == 0 ? key_state::absent : key_state::destroyed)
                                    : i->second;
    }
  }

  /// `pair`: "master>slave"; empty: not known.
  void delivered(const std::string& node, const key_grant& grant, const std::string& pair) {
    auto& x = lives[{node, grant.id}];
    if (++deliveries[{node, grant.id}] > 1)
      fail("I1 delivered twice at " + node);
    auto text = to_hex(grant.material.view());
    if (bits.emplace(grant.id, text).first->second != text)
      fail("I2 the two ends hold different bits");
    if (pairs.emplace(grant.id, pair).first->second != pair)
      fail("I1 delivered to two pairs");
    if (!x.durable_consumed)
      fail("I8 delivered before the consume was durable at " + node);
    auto here = ends.find(node);
    if (here == ends.end() || here->second.end != allocator_of(grant.id))
      return;
    auto& assigned = lives[{here->second.peer, grant.id}].durable_assigned;
    auto slash = pair.find('>');
    auto users = tag_of(key_users{pair.substr(0, slash), {pair.substr(slash + 1)}});
    if (pair.empty() ? assigned.empty() : assigned.count(users) == 0)
      fail("I9 delivered at " + node + " before the peer's assignment to that pair was durable");
  }
};

/// Between a pool and its journal: tells the ledger what is recorded and what is durable.
class watched_key_store : public key_store {
public:
  watched_key_store(std::string node, std::shared_ptr<key_ledger> book, std::unique_ptr<key_store> inner)
    : node_(std::move(node)), book_(std::move(book)), inner_(std::move(inner)) {}
  key_memory recall() override {
    auto out = inner_->recall();
    book_->found(node_, out);
    return out;
  }
  status put_key(const key_record& key, byte_view bits) override {
    book_->ingested(node_, key.id, bits);
    book_->recorded(node_, key);
    pending_.push_back(key);
    return inner_->put_key(key, bits);
  }
  void put_state(const key_record& key, key_event event, const std::string& why) override {
    book_->recorded(node_, key);
    pending_.push_back(key);
    if (event == key_event::spend)
      spent_.emplace_back(key.id, why);
    inner_->put_state(key, event, why);
  }
  result<secret> bits(const key_id& key) const override { return inner_->bits(key); }
  void put_peer(const store_mark& peer) override { inner_->put_peer(peer); }
  void put_secret_issue(uint32_t issue) override { inner_->put_secret_issue(issue); }
  void put_rolled_back(bool yes) override { inner_->put_rolled_back(yes); }
  void put_exposure(uint32_t session, const std::vector<site_id>& nodes) override {
    inner_->put_exposure(session, nodes);
  }
  void commit(std::function<void(const status&)> then) override {
    auto batch = std::make_shared<std::vector<key_record>>(std::exchange(pending_, {}));
    auto spent = std::make_shared<std::vector<std::pair<key_id, std::string>>>(
      std::exchange(spent_, {}));
    inner_->commit([book = book_, node = node_, batch, spent, then](const status& ok) {
      if (ok) {
        for (auto& key : *batch)
          book->durable(node, key);
        for (auto& [id, why] : *spent)
          book->spent(id, why);
      }
      then(ok);
    });
  }

private:
  std::string node_;
  std::shared_ptr<key_ledger> book_;
  std::unique_ptr<key_store> inner_;
  std::vector<key_record> pending_;
  std::vector<std::pair<key_id, std::string>> spent_;
};

} // namespace qnfv
