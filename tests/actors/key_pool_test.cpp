#include "actors/key_pool/key_pool.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace qnfv;
using namespace qnfv::test;

namespace {

const link_id the_link{"bob1/alice1"};
const time_point start = time_point{} + 1h;

bytes bits(uint32_t count, uint8_t fill = 1) {
  bytes out(count * key_bytes);
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<uint8_t>(fill + i / key_bytes);
  return out;
}

block_id block(uint32_t session, uint64_t first, uint32_t count) {
  return {the_link, session, link_end::bob, first, count};
}

request_id request(uint8_t n) {
  request_id x;
  x.value[15] = n;
  return x;
}

link_pool pool_of(link_end end, uint32_t keys_max = 1000) {
  link_pool::settings s;
  s.link = the_link;
  s.end = end;
  s.peer = site_id{end == link_end::bob ? "dc1" : "co"};
  s.keys_max = keys_max;
  return {s, std::make_unique<volatile_key_store>(), start};
}

/// Two ends with the same confirmed block of ten keys.
struct two_ends {
  link_pool bob = pool_of(link_end::bob);
  link_pool alice = pool_of(link_end::alice);
  block_id x = block(1, 0, 10);
  two_ends() {
    REQUIRE(bob.ingest(x, secret{bits(10)}, start));
    REQUIRE(alice.ingest(x, secret{bits(10)}, start));
    auto tag = *bob.own_tag(x);
    auto answer = *alice.own_tag(x);
    REQUIRE(alice.confirm(x, tag) == link_pool::verdict::equal);
    REQUIRE(bob.confirm(x, answer) == link_pool::verdict::equal);
  }
};

} // namespace

TEST_CASE("the life cycle of a key, every cell of it") {
  // Rows: states; columns: ingest confirm reserve assign consume destroy.
  const char* table[key_state_count][key_event_count] = {
    {"STORED", "", "", "", "", ""},
    {"", "READY", "", "", "CONSUMED", "DESTROYED"},
    {"", "", "RESERVED", "ASSIGNED", "", "DESTROYED"},
    {"", "", "", "", "CONSUMED", "DESTROYED"},
    {"", "", "", "", "CONSUMED", "DESTROYED"},
    {"", "", "", "", "", ""},
    {"", "", "", "", "", ""},
  };
  for (size_t s = 0; s < key_state_count; ++s)
    for (size_t e = 0; e < key_event_count; ++e) {
      auto from = static_cast<key_state>(s);
      auto to = next(from, static_cast<key_event>(e));
      INFO(to_string(from) << " + " << to_string(static_cast<key_event>(e)));
      CHECK((to ? to_string(*to) : "") == table[s][e]);
      if (to)
        CHECK(rank_of(*to) > rank_of(from));
    }
}

TEST_CASE("a block becomes keys only when both ends proved the same bits") {
  two_ends x;
  auto status = x.bob.status_now(start);
  CHECK(status.ready == 8);
  CHECK(status.consumed == 2); // The one-time keys of the two tags.
  CHECK(x.alice.status_now(start).ready == 8);
}

TEST_CASE("blocks that differ in one bit are destroyed at both ends") {
  auto bob = pool_of(link_end::bob);
  auto alice = pool_of(link_end::alice);
  auto x = block(1, 0, 10);
  auto wrong = bits(10);
  wrong[5 * key_bytes] ^= 1;
  REQUIRE(bob.ingest(x, secret{bits(10)}, start));
  REQUIRE(alice.ingest(x, secret{wrong}, start));
  auto answer = *alice.own_tag(x);
  CHECK(alice.confirm(x, *bob.own_tag(x)) == link_pool::verdict::differs);
  CHECK(bob.confirm(x, answer) == link_pool::verdict::differs);
  for (auto* end : {&bob, &alice}) {
    auto status = end->status_now(start);
    CHECK(status.ready == 0);
    CHECK(status.destroyed == 8);
    CHECK(status.mismatches == 1);
  }
}

TEST_CASE("a tag is no tag of another block, another end or other counters") {
  auto bob = pool_of(link_end::bob);
  auto alice = pool_of(link_end::alice);
  REQUIRE(bob.ingest(block(1, 0, 10), secret{bits(10)}, start));
  REQUIRE(alice.ingest(block(1, 0, 10), secret{bits(10)}, start));
  CHECK(*bob.own_tag(block(1, 0, 10)) != *alice.own_tag(block(1, 0, 10)));
  auto other = pool_of(link_end::bob);
  REQUIRE(other.ingest(block(1, 10, 10), secret{bits(10)}, start));
  CHECK(*bob.own_tag(block(1, 0, 10)) != *other.own_tag(block(1, 10, 10)));
  CHECK(alice.confirm(block(1, 5, 10), *bob.own_tag(block(1, 0, 10))) == link_pool::verdict::not_here);
}

TEST_CASE("a known id, an older session and a bad size are refused") {
  auto pool = pool_of(link_end::bob, 30);
  REQUIRE(pool.ingest(block(2, 0, 10), secret{bits(10)}, start));
  CHECK(pool.ingest(block(2, 0, 10), secret{bits(10)}, start).error().code == ec::already_exists);
  CHECK(pool.ingest(block(2, 9, 10), secret{bits(10)}, start).error().code == ec::already_exists);
  CHECK(pool.ingest(block(1, 50, 10), secret{bits(10)}, start).error().code == ec::stale_epoch);
  CHECK(pool.ingest(block(2, 10, 10), secret{bits(9)}, start).error().code == ec::invalid_argument);
  CHECK(pool.ingest(block(2, 10, 2), secret{bits(2)}, start).error().code == ec::invalid_argument);
  CHECK(pool.ingest(block(2, 10, 100), secret{bits(100)}, start).error().code == ec::busy);
  // Tombstones: also after all keys of the block are gone.
  pool.destroy_block(block(2, 0, 10), "test");
  CHECK(pool.ingest(block(2, 0, 10), secret{bits(10)}, start).error().code == ec::already_exists);
  CHECK(pool.status_now(start).ingested == 10);
}

TEST_CASE("a key is reserved, assigned and consumed once, and both ends get the same bits") {
  two_ends x;
  auto id = x.bob.reserve(request(1), key_bits, start);
  REQUIRE(id);
  CHECK(*x.bob.reserve(request(1), key_bits, start) == *id); // The same request: the same key.
  CHECK(x.bob.state_of(*id) == key_state::reserved);
  REQUIRE(x.alice.assign(*id, request(1), start));
  REQUIRE(x.alice.assign(*id, request(1), start)); // Idempotent.
  CHECK(x.alice.assign(*id, request(2), start).error().code == ec::unknown_key);
  auto at_bob = x.bob.consume(*id);
  auto at_alice = x.alice.consume(*id);
  REQUIRE(at_bob);
  REQUIRE(at_alice);
  CHECK(to_hex(at_bob->view()) == to_hex(at_alice->view()));
  CHECK(at_bob->view()[0] == 3); // Key 2 of the block: 0 and 1 were spent for the tags.
  CHECK_FALSE(x.bob.consume(*id));
  CHECK_FALSE(x.alice.consume(*id));
  CHECK(x.bob.reserve(request(1), key_bits, start).error().code == ec::unknown_key);
  CHECK(*x.bob.reserve(request(3), key_bits, start) != *id);
}

TEST_CASE("each end allocates its own keys only") {
  two_ends x;
  CHECK(x.alice.reserve(request(1), key_bits, start).error().code == ec::key_exhausted);
  CHECK(x.bob.assign(x.x.id(5), request(1), start).error().code == ec::not_allowed);
  CHECK(x.bob.reserve(request(2), 128, start).error().code == ec::invalid_argument);
}

TEST_CASE("an empty pool refuses and still counts the demand") {
  auto pool = pool_of(link_end::bob);
  pool.count_demand(key_bits, start);
  CHECK(pool.reserve(request(1), key_bits, start).error().code == ec::key_exhausted);
  auto status = pool.status_now(start + 100s);
  CHECK(status.refused == 1);
  CHECK(status.demand_bits_per_s == Approx(2.56)); // 256 bit / 100 s
}

TEST_CASE("what is dead at one end is buried at the other") {
  two_ends x;
  auto id = *x.bob.reserve(request(1), key_bits, start);
  REQUIRE(x.alice.assign(id, request(1), start));
  // Alice asks: everything is alive, a consumed key too.
  CHECK(x.bob.dead(x.alice.ready(), x.alice.assigned()).empty());
  REQUIRE(x.bob.consume(id));
  CHECK(x.bob.dead(x.alice.ready(), x.alice.assigned()).empty());
  // Another one is given up at Bob's end.
  auto lost = *x.bob.reserve(request(2), key_bits, start);
  REQUIRE(x.alice.assign(lost, request(2), start));
  x.bob.destroy(lost, "no answer");
  auto dead = x.bob.dead(x.alice.ready(), x.alice.assigned());
  REQUIRE(dead == std::vector<key_id>{lost});
  CHECK(x.alice.bury(dead) == 1);
  CHECK(x.alice.state_of(lost) == key_state::absent);
  CHECK(x.alice.state_of(id) == key_state::assigned);
}

TEST_CASE("a peer that lost everything ends with nothing left to hand out here") {
  two_ends x;
  auto empty = pool_of(link_end::alice);
  auto id = *x.bob.reserve(request(1), key_bits, start);
  CHECK(x.bob.bury(empty.dead(x.bob.ready(), {})) == 7);
  CHECK(x.bob.status_now(start).ready == 0);
  CHECK(x.bob.state_of(id) == key_state::reserved); // Its own request decides.
  // And the other way: Alice holds keys for a Bob that never saw them.
  auto fresh = pool_of(link_end::bob);
  REQUIRE(x.alice.assign(x.x.id(3), request(9), start));
  CHECK(x.alice.bury(fresh.dead(x.alice.ready(), x.alice.assigned())) == 8);
}

TEST_CASE("what waits too long is destroyed") {
  auto pool = pool_of(link_end::bob);
  REQUIRE(pool.ingest(block(1, 0, 10), secret{bits(10)}, start));
  CHECK(pool.expire(start + 60s) == 0);
  CHECK(pool.expire(start + 61s) == 8);
  two_ends x;
  REQUIRE(x.alice.assign(x.x.id(4), request(1), start));
  CHECK(x.alice.expire(start + 600s) == 0);
  CHECK(x.alice.expire(start + 601s) == 1);
}

// -- two pools, a bad network and crashes ------------------------------------------------------------

namespace {

/// What really happened, in the order it happened: the checker behind both stores.
struct ledger {
  struct entry {
    std::string node;
    key_id key;
    key_state state;
    request_id request;
    bool durable = false;
  };
  std::vector<entry> entries;
  std::vector<std::string> violations;
  std::map<key_id, std::string> bits; ///< Of the first delivery.
  std::map<std::pair<std::string, key_id>, int> deliveries;

  bool durable(const std::string& node, const key_id& key, key_state state) const {
    for (auto& x : entries)
      if (x.node == node && x.key == key && x.state == state && x.durable)
        return true;
    return false;
  }

  void delivered(const std::string& node, const key_grant& grant, bool allocator) {
    if (++deliveries[{node, grant.id}] > 1)
      violations.push_back("I1 delivered twice at " + node);
    auto text = to_hex(grant.material.view());
    auto [known, fresh] = bits.emplace(grant.id, text);
    if (!fresh && known->second != text)
      violations.push_back("I2 the two ends hold different bits");
    if (!durable(node, grant.id, key_state::consumed))
      violations.push_back("I8 delivered before the consume was durable at " + node);
    if (allocator && !durable("dc1", grant.id, key_state::assigned))
      violations.push_back("I9 delivered before the peer's assignment was durable");
  }
};

/// A store whose commits take time, and that loses what was not committed.
class slow_store : public key_store {
public:
  slow_store(std::string node, std::shared_ptr<ledger> book,
             std::function<void(std::function<void()>)> later)
    : node_(std::move(node)), book_(std::move(book)), later_(std::move(later)) {}
  void put_block(const block_id&, const secret&) override {}
  void put_state(const key_id& key, key_state state, const request_id& request) override {
    auto& rank = ranks_[key];
    if (rank_of(state) < rank)
      book_->violations.push_back("I10 rank fell at " + node_);
    rank = rank_of(state);
    book_->entries.push_back({node_, key, state, request, false});
    pending_.push_back(book_->entries.size() - 1);
  }
  void commit(std::function<void(const status&)> then) override {
    later_([this, then, batch = std::exchange(pending_, {})] {
      for (auto i : batch)
        book_->entries[i].durable = true;
      then(done{});
    });
  }

private:
  std::string node_;
  std::shared_ptr<ledger> book_;
  std::function<void(std::function<void()>)> later_;
  std::vector<size_t> pending_;
  std::map<key_id, int> ranks_;
};

/// Drops and delays by the seed.
class bad_network : public network {
public:
  bad_network(uint64_t seed, double loss) : random_(make_seeded_random(seed)), loss_(loss) {}
  passage judge(const site_id&, const site_id&) override {
    passage out;
    out.drop = random_->uniform() < loss_;
    out.delay = from_seconds(0.001 + 0.05 * random_->uniform());
    return out;
  }
  double loss() const { return loss_; }
  void heal() { loss_ = 0; }

private:
  std::shared_ptr<random_source> random_;
  double loss_;
};

struct pools {
  world w;
  std::shared_ptr<ledger> book = std::make_shared<ledger>();
  std::shared_ptr<bad_network> net;
  std::map<std::string, std::unique_ptr<gates>> doors;
  std::map<std::string, key_pool_actor> actors;
  std::shared_ptr<random_source> random;
  uint64_t next_first = 0;
  uint32_t session = 1;

  pools(uint64_t seed, double loss)
    : w(seed), net(std::make_shared<bad_network>(seed, loss)), random(make_seeded_random(seed + 1)) {
    for (auto* site : {"co", "dc1"}) {
      auto env = std::const_pointer_cast<environment>(w.site(site));
      env->network = net;
      env->recorder = nullptr;
      doors[site] = std::make_unique<gates>(w.system(), env);
    }
    start("co");
    start("dc1");
  }

  ~pools() { w.end_actors(); }

  static std::string other(const std::string& site) { return site == "co" ? "dc1" : "co"; }

  void start(const std::string& site) {
    key_pool_config config;
    config.site = site_id{site};
    config.reconcile_s = 10;
    config.confirm_deadline_s = 20;
    config.assigned_ttl_s = 60;
    config.links.push_back({the_link, site == "co" ? link_end::bob : link_end::alice,
                            site_id{other(site)},
                            doors[site]->to<key_pool_actor>(site_id{other(site)}, "key_pool")});
    config.open_store = [this, site](const link_id&, key_pool_config::on_actor on_pool) {
      // A disk that takes 3 ms.
      auto later = [this, on_pool](std::function<void()> f) {
        auto disk = [f, on_pool](instrumented<caf::event_based_actor>* self) -> caf::behavior {
          self->delayed_send(self, 3ms, continuation{f});
          return {[self, on_pool](const continuation& x) {
            on_pool(x.run);
            self->quit();
          }};
        };
        w.spawn("disk", disk);
      };
      return std::make_unique<slow_store>(site, book, later);
    };
    actors[site] = w.spawn(site, key_pool, config);
    auto handle = caf::actor_cast<caf::strong_actor_ptr>(actors[site]);
    doors[other(site)]->retarget(site_id{site}, "key_pool", handle);
    for (auto& [here, actor] : actors)
      caf::anon_send(actor, peer_up{site_id{other(here)}, 1});
  }

  void ingest(uint32_t count, bool differ = false) {
    auto x = block(session, next_first, count);
    next_first += count;
    bytes raw(count * key_bytes);
    random->fill(raw.data(), raw.size());
    w.spawn("co", [to = actors["co"], x, raw](instrumented<caf::event_based_actor>* self) {
      self->send(to, key_block{x, secret{raw}});
    });
    if (differ)
      raw[5 * key_bytes] ^= 1;
    w.spawn("dc1", [to = actors["dc1"], x, raw](instrumented<caf::event_based_actor>* self) {
      self->send(to, key_block{x, secret{raw}});
    });
  }

  /// One delivery from end to end.
  void deliver() {
    request_id r{random->bytes_of<std::array<uint8_t, 16>>()};
    auto ask = [this, r](instrumented<caf::event_based_actor>* self) {
      self->request(actors["co"], 30s, reserve_key{the_link, key_bits, r})
        .then(
          [this](const key_grant& grant) {
            book->delivered("co", grant, true);
            claim(grant.id);
          },
          [](const caf::error&) {});
    };
    w.spawn("co", ask);
  }

  void claim(const key_id& id) {
    auto ask = [this, id](instrumented<caf::event_based_actor>* self) {
      self->request(actors["dc1"], 5s, claim_key{the_link, id, {}})
        .then([this](const key_grant& grant) { book->delivered("dc1", grant, false); },
              [](const caf::error&) {});
    };
    w.spawn("dc1", ask);
  }

  pool_status status(const std::string& site) {
    auto x = w.ask_as<pool_status>(site, actors[site], pool_status_query{the_link});
    REQUIRE(x);
    return *x;
  }
};

/// Plays one seed and returns what was violated.
std::vector<std::string> play(uint64_t seed, size_t& deliveries) {
  pools p{seed, 0.03 * static_cast<double>(seed % 10)};
  for (int i = 0; i < 12; ++i) {
    p.ingest(8, p.random->next() % 8 == 0);
    for (int k = 0; k < 4; ++k)
      p.deliver();
    p.w.advance(from_seconds(p.random->uniform() * 3));
  }
  p.net->heal();
  p.w.advance(120s); // Deadlines, TTLs and several reconciliations.
  deliveries += p.book->deliveries.size();
  auto out = p.book->violations;
  auto co = p.status("co");
  auto dc1 = p.status("dc1");
  if (co.ready != dc1.ready)
    out.push_back("I15 ready " + std::to_string(co.ready) + " and " + std::to_string(dc1.ready));
  if (dc1.assigned != 0 || co.reserved != 0 || co.stored != 0 || dc1.stored != 0)
    out.push_back("I34 something never ended");
  for (auto* x : {&co, &dc1})
    if (x->ingested != x->stored + x->ready + x->reserved + x->assigned + x->consumed + x->destroyed)
      out.push_back("I14 keys are not conserved");
  return out;
}

} // namespace

TEST_CASE("two pools keep every rule through loss, delay and differing blocks, 300 seeds") {
  size_t deliveries = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    auto found = play(seed, deliveries);
    for (auto& x : found)
      UNSCOPED_INFO("seed " << seed << ": " << x);
    CHECK(found.empty());
  }
  CHECK(deliveries > 300 * 40);
}

TEST_CASE("on a good network every request is served and the ends agree") {
  pools p{5, 0};
  p.ingest(50);
  p.w.advance(1s);
  for (int i = 0; i < 20; ++i)
    p.deliver();
  p.w.advance(5s);
  CHECK(p.book->violations.empty());
  CHECK(p.book->deliveries.size() == 40);
  CHECK(p.status("co").ready == 28);
  CHECK(p.status("dc1").ready == 28);
  CHECK(p.status("dc1").assigned == 0);
}

TEST_CASE("a restarted peer with an empty pool leaves no key that only one end holds") {
  pools p{6, 0};
  p.ingest(50);
  p.w.advance(1s);
  CHECK(p.status("co").ready == 48);
  caf::anon_send_exit(p.actors["dc1"], caf::exit_reason::kill);
  p.w.run();
  p.start("dc1");
  p.w.advance(15s);
  CHECK(p.status("co").ready == 0);
  CHECK(p.status("co").destroyed == 48);
}

TEST_CASE("key material is refused to other sites") {
  pools p{7, 0};
  p.ingest(50);
  p.w.advance(1s);
  auto stolen = p.w.ask_as<key_grant>("dc9", p.actors["co"], reserve_key{the_link, key_bits, {}});
  REQUIRE_FALSE(stolen);
  CHECK(stolen.error() == ec::not_allowed);
  auto claimed = p.w.ask_as<key_grant>("dc9", p.actors["dc1"],
                                       claim_key{the_link, block(1, 0, 50).id(5), {}});
  CHECK_FALSE(claimed);
  auto forged = p.w.ask_as<key_assigned>("dc9", p.actors["dc1"],
                                         assign_key{the_link, block(1, 0, 50).id(5), {}});
  REQUIRE_FALSE(forged);
  CHECK(forged.error() == ec::not_allowed);
  CHECK(p.status("dc1").ready == 48);
}
