#pragma once

// Two key pools with real journals on simulated disks, a bad network, crashes that lose or tear what
// was not synced, devices that resend old blocks, and callers that ask for other people's keys. The
// checks look at durable state, not only at outcomes.

#include "actors/key_pool/journal_store.hpp"
#include "actors/key_pool/key_pool.hpp"
#include "runtime/crypto/hkdf.hpp"
#include "tests/support/world.hpp"
#include "tools/qnfv/key_ledger.hpp"

#include <set>

namespace qnfv::test {

inline const link_id the_link{"bob1/alice1"};

/// Drops, delays, reorders, duplicates and cuts by the seed.
class bad_network : public network {
public:
  bad_network(uint64_t seed, double loss, double twice)
    : random_(make_seeded_random(seed)), loss_(loss), twice_(twice) {}
  passage judge(const site_id&, const site_id&, const caf::type_erased_tuple&) override {
    passage out;
    out.drop = cut || random_->uniform() < loss_;
    out.delay = from_seconds(0.001 + 0.05 * random_->uniform());
    out.twice = random_->uniform() < twice_;
    auto soon = random_->next() % 2 == 0;
    out.second_delay = from_seconds((soon ? 0.05 : 3) * random_->uniform());
    return out;
  }
  void heal() { loss_ = twice_ = 0; cut = false; }
  bool cut = false;

private:
  std::shared_ptr<random_source> random_;
  double loss_;
  double twice_;
};

struct two_pools {
  world w;
  std::shared_ptr<key_ledger> book = std::make_shared<key_ledger>();
  std::shared_ptr<bad_network> net;
  std::map<std::string, std::unique_ptr<gates>> doors;
  std::map<std::string, key_pool_actor> actors;
  std::map<std::string, std::shared_ptr<audit_trail>> trails;
  std::shared_ptr<random_source> random;
  std::vector<std::pair<block_id, bytes>> sent; ///< Blocks, with Bob's copy of their bits.
  uint64_t next_first = 0;
  uint32_t session = 1;
  std::vector<site_id> exposed_to; ///< Of this session's blocks.
  uint32_t segment_slots = 40;
  uint32_t issue = 1;
  double ahead_s; ///< Of demand that is prepared.

  two_pools(uint64_t seed, double loss, double twice = 0, double ahead = 3)
    : w(seed), net(std::make_shared<bad_network>(seed, loss, twice)),
      random(make_seeded_random(seed + 1)), ahead_s(ahead) {
    for (auto* site : {"co", "dc1"}) {
      auto env = std::const_pointer_cast<environment>(w.site(site));
      env->network = net;
      env->recorder = nullptr;
      doors[site] = std::make_unique<gates>(w.system(), env);
    }
    book->ends = {{"co", {link_end::bob, "dc1"}}, {"dc1", {link_end::alice, "co"}}};
    start("co");
    start("dc1");
  }

  ~two_pools() { w.end_actors(); }

  static std::string other(const std::string& site) { return site == "co" ? "dc1" : "co"; }
  memory_storage& files(const std::string& site) {
    return static_cast<memory_storage&>(*w.site(site)->storage);
  }

  journal_settings settings_of(const std::string& site) const {
    journal_settings s;
    s.link = the_link;
    s.end = site == "co" ? link_end::bob : link_end::alice;
    s.seal_key = secret{bytes(32, 7)};
    s.segments = 24;
    s.segment_slots = segment_slots;
    return s;
  }

  void start(const std::string& site) {
    key_pool_config config;
    config.site = site_id{site};
    config.reconcile_s = 10;
    config.confirm_deadline_s = 20;
    config.assigned_ttl_s = 60;
    config.ahead.horizon_s = ahead_s;
    config.ahead.keep = 20s;
    key_pool_config::link_setting link;
    link.link = the_link;
    link.end = site == "co" ? link_end::bob : link_end::alice;
    link.peer = site_id{other(site)};
    link.peer_pool = doors[site]->to<key_pool_actor>(link.peer, "key_pool");
    link.secret_issue = issue;
    link.initial_secret =
      hkdf_sha256(byte_view{std::string_view{"lab"}}, {}, byte_view{bytes{uint8_t(issue)}}, 2048);
    config.links.push_back(link);
    auto trail = audit_trail::open(w.site(site)->storage, "audit");
    REQUIRE(trail);
    trails[site] = *trail;
    config.open_store = [this, site](const key_pool_config::link_setting&,
                                     key_pool_config::on_actor on_pool)
      -> result<std::unique_ptr<key_store>> {
      auto env = w.site(site);
      journal_site parts{env->storage, env->random, env->clock, trails[site],
                         [this](auto work) { disk(std::move(work)); }, on_pool};
      auto store = open_journal_store(settings_of(site), parts);
      if (!store)
        return store.error();
      return std::unique_ptr<key_store>{
        std::make_unique<watched_key_store>(site, book, std::move(*store))};
    };
    actors[site] = w.spawn(site, key_pool, config);
    auto handle = caf::actor_cast<caf::strong_actor_ptr>(actors[site]);
    doors[other(site)]->retarget(site_id{site}, "key_pool", handle);
    for (auto& [here, actor] : actors)
      if (actor)
        caf::anon_send(actor, peer_up{site_id{other(here)}, 1});
  }

  /// A disk that takes 0 to 6 ms, and now and then 0.1 s.
  void disk(std::function<void()> work) {
    auto slow = random->next() % 8 == 0;
    auto wait = from_seconds((slow ? 0.1 : 0.006) * random->uniform());
    auto actor = [work, wait](instrumented<caf::event_based_actor>* self) -> caf::behavior {
      self->delayed_send(self, wait, continuation{work});
      return {[self](const continuation& x) {
        x.run();
        self->quit();
      }};
    };
    w.spawn("disk", actor);
  }

  /// Power cut: actors gone, un-synced sectors kept or lost one by one.
  void stop(const std::string& site) {
    caf::anon_send_exit(actors[site], caf::exit_reason::kill);
    doors[other(site)]->retarget(site_id{site}, "key_pool", nullptr);
    actors[site] = nullptr;
    w.run();
    trails[site] = nullptr;
    files(site).crash([this] { return random->uniform() < 0.5; });
    if (actors[other(site)])
      caf::anon_send(actors[other(site)], peer_down{site_id{site}, "connection closed"});
    w.run();
  }
  void crash(const std::string& site) {
    stop(site);
    start(site);
  }

  template <class Message>
  void tell(const std::string& site, Message message) {
    if (actors[site])
      w.spawn(site, [to = actors[site], message](instrumented<caf::event_based_actor>* self) {
        self->send(to, message);
      });
  }

  void ingest(uint32_t count, bool differ = false, link_end allocator = link_end::bob) {
    block_id x{the_link, session, allocator, next_first, count};
    next_first += count;
    bytes raw(count * key_bytes);
    random->fill(raw.data(), raw.size());
    tell("co", key_block{x, secret{raw}, exposed_to});
    sent.emplace_back(x, raw);
    if (differ)
      raw[5 * key_bytes] ^= 1;
    tell("dc1", key_block{x, secret{raw}, exposed_to});
  }

  /// The devices send a block again, as they do after a reconnect.
  void resend() {
    if (sent.empty())
      return;
    auto& [x, raw] = sent[random->next() % sent.size()];
    tell("co", key_block{x, secret{raw}, exposed_to});
    tell("dc1", key_block{x, secret{raw}, exposed_to});
  }

  /// One delivery from end to end, master at either site.
  void deliver(uint32_t count = 1, std::string at = "co") {
    if (!actors[at])
      return;
    request_id r{random->bytes_of<std::array<uint8_t, 16>>()};
    auto who = std::to_string(random->next() % 3);
    auto master = "app-" + at + who, slave = "app-" + other(at) + who;
    reserve_keys ask{the_link, count, key_bits, r, {master, {slave}}};
    auto client = [this, ask, at, master, slave](instrumented<caf::event_based_actor>* self) {
      self->request(actors[at], 30s, ask)
        .then(
          [this, at, master, slave](const key_grants& grants) {
            for (auto& grant : grants.keys) {
              book->delivered(at, grant, master + ">" + slave);
              claim(grant.id, other(at), master, slave);
            }
          },
          [](const caf::error&) {});
    };
    w.spawn(at, client);
  }

  void claim(const key_id& id, const std::string& at, const std::string& master,
             const std::string& slave) {
    if (!actors[at])
      return;
    // Somebody else tries first, now and then.
    if (random->next() % 8 == 0)
      claim_as(id, at, master, "thief");
    claim_as(id, at, master, slave);
    if (random->next() % 8 == 0)
      claim_as(id, at, master, slave);
  }

  void claim_as(const key_id& id, const std::string& at, const std::string& master,
                const std::string& slave) {
    auto wait = from_seconds(random->next() % 2 == 0 ? random->uniform() : 0);
    auto client = [=](instrumented<caf::event_based_actor>* self) -> caf::behavior {
      self->after(wait, tick{0, "claim"});
      return {[=](const tick&) {
        self->request(actors[at], 5s, claim_keys{the_link, {id}, master, slave})
          .then(
            [=](const key_grants& grants) {
              book->delivered(at, grants.keys.front(), master + ">" + slave);
              self->quit();
            },
            [=](const caf::error&) { self->quit(); });
      }};
    };
    w.spawn(at, client);
  }

  /// The peer's site, but not its pool, says that a key held there is for somebody else.
  void forge(const std::string& at) {
    for (auto& [key, life] : book->lives) {
      if (key.first != at || life.recorded != key_state::assigned || !actors[at])
        continue;
      auto id = key.second;
      auto master = "app-" + other(at) + "0";
      key_assignment forged{{id}, key_bits, {}, {master, {"thief"}}};
      auto liar = [to = actors[at], forged](instrumented<caf::event_based_actor>* self) {
        self->send(to, assign_keys{the_link, 0, {forged}});
      };
      w.spawn(other(at), liar);
      claim_as(id, at, master, "thief");
      return;
    }
  }

  pool_status status(const std::string& site) {
    auto x = w.ask_as<pool_status>(site, actors[site], pool_status_query{the_link});
    REQUIRE(x);
    return *x;
  }
};

/// Plays one seed and returns what was violated.
inline std::vector<std::string> play(uint64_t seed, size_t& deliveries, size_t& crashes) {
  two_pools p{seed, 0.03 * static_cast<double>(seed % 10), 0.05 * static_cast<double>(seed % 4)};
  auto chance = [&](uint64_t one_in) { return p.random->next() % one_in == 0; };
  for (int i = 0; i < 14; ++i) {
    p.ingest(24, seed % 2 == 0 && chance(16), chance(3) ? link_end::alice : link_end::bob);
    for (int k = 0; k < 3; ++k)
      p.deliver(chance(4) ? 3 : 1, chance(3) ? "dc1" : "co");
    if (chance(5))
      p.resend();
    if (chance(6))
      p.net->cut = !p.net->cut;
    // In the middle of things.
    p.w.advance(from_seconds(p.random->uniform() * (chance(2) ? 0.02 : 1)));
    if (chance(4)) {
      auto* site = chance(2) ? "co" : "dc1";
      p.crash(site);
      ++crashes;
      if (chance(2))
        p.resend();
    }
    if (chance(12)) {
      p.crash("co");
      p.crash("dc1");
      crashes += 2;
    }
    if (chance(3))
      p.forge(chance(2) ? "co" : "dc1");
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
  if (co.kept != dc1.kept)
    out.push_back("I15 kept " + std::to_string(co.kept) + " and " + std::to_string(dc1.kept));
  if (dc1.assigned + co.assigned + co.reserved + dc1.reserved + co.stored + dc1.stored != 0)
    out.push_back("I34 something never ended");
  for (auto* x : {&co, &dc1}) {
    if (x->ingested
        != x->stored + x->ready + x->kept + x->reserved + x->assigned + x->consumed + x->destroyed)
      out.push_back("I14 keys are not conserved");
    if (x->trouble.find("older") != std::string::npos)
      out.push_back("I12 a rollback where there was none");
  }
  // Every end of a key is in the audit trail once, and the chain holds.
  for (auto* site : {"co", "dc1"}) {
    REQUIRE(p.trails[site]->flush());
    std::map<std::string, int> ends;
    auto report = verify_audit(p.files(site), "audit", [&](const std::string& line) {
      auto at = line.find("\"key\":\"") + 7;
      auto ended = line.find("\"event\":\"delivered\"") != std::string::npos
                   || line.find("\"event\":\"destroyed\"") != std::string::npos
                   || line.find("\"event\":\"spent\"") != std::string::npos;
      if (ended)
        ++ends[line.substr(at, line.find('"', at) - at)];
    });
    if (!report)
      out.push_back("I30 " + report.error().text);
    for (auto& [key, n] : p.book->deliveries)
      if (key.first == site && ends[to_string(key.second)] != 1)
        out.push_back("I30 a delivery at " + std::string{site} + " is in no audit record, or in several");
    for (auto& [key, n] : ends)
      if (n > 1)
        out.push_back("I30 " + key + " has two ends in the audit trail of " + site);
  }
  return out;
}

} // namespace qnfv::test
