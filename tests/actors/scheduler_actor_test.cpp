#include "actors/scheduler/scheduler.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

/// What the test's links do, and what was asked of them.
struct link_play {
  struct one {
    uint64_t epoch = 0, visit = 0;
    bool serving = false;
    link_state state = link_state::off;
    bool deaf = false;  ///< Answers nothing.
    bool mute = false;  ///< Does not say how it is.
    bool fails = false; ///< Its sessions end at once.
    uint32_t serves = 0, releases = 0, claims = 0;
  };
  std::map<link_id, one> links;
  scheduler_actor scheduler;
  uint32_t both = 0; ///< How often two were served at a time.

  link_status status(const link_id& id) {
    auto& x = links[id];
    link_status out;
    out.link = id;
    out.epoch = x.epoch;
    out.visit = x.visit;
    out.serving = x.serving;
    out.state = x.state;
    if (x.state == link_state::failed)
      out.reason = "no light";
    if (x.state == link_state::distilling)
      out.device.secret_rate_bps = 100;
    return out;
  }
};
using play_ptr = std::shared_ptr<link_play>;

struct no_state {
  static inline const char* name = "played";
};

link_actor::behavior_type played_link(stateful<link_actor, no_state>* self, play_ptr play,
                                      link_id id) {
  // Texts are for people: whom it obeys is in its link_status.
  auto stale = [](uint64_t) { return fail(ec::stale_epoch, "it obeys another one of 99999"); };
  auto& mine = play->links[id];
  auto tell = [self, play, id] { self->send(play->scheduler, play->status(id)); };
  return {
    [](const device_report&) {},
    [self, play, id, &mine](const link_status_query&) -> caf::result<link_status> {
      if (mine.deaf || mine.mute)
        return self->make_response_promise<link_status>();
      return play->status(id);
    },
    [self, play, id, stale, &mine](const claim_link& x) -> caf::result<link_status> {
      ++mine.claims;
      if (mine.deaf)
        return self->make_response_promise<link_status>();
      if (x.epoch < mine.epoch)
        return stale(mine.epoch);
      mine.epoch = x.epoch;
      return play->status(id);
    },
    [self, play, tell, stale, &mine](const serve_link& x) -> caf::result<accepted> {
      ++mine.serves;
      if (mine.deaf)
        return self->make_response_promise<accepted>();
      if (x.epoch != mine.epoch)
        return stale(mine.epoch);
      mine.visit = x.visit;
      if (mine.fails) {
        mine.state = link_state::failed;
        tell();
        return accepted{};
      }
      for (auto& [other, y] : play->links)
        play->both += y.serving ? 1 : 0;
      mine.serving = true;
      mine.state = link_state::initialising;
      tell();
      self->after_lab(400s, link_tick{});
      return accepted{};
    },
    [self, tell, stale, &mine](const release_link& x) -> caf::result<accepted> {
      ++mine.releases;
      if (mine.deaf)
        return self->make_response_promise<accepted>();
      if (x.epoch != mine.epoch)
        return stale(mine.epoch);
      mine.serving = false;
      mine.state = link_state::off;
      tell();
      return accepted{};
    },
    [](const path_lost&) {},
    [tell, &mine](const link_tick&) {
      if (!mine.serving)
        return;
      mine.state = link_state::distilling;
      tell();
    },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

struct pool_play {
  std::map<link_id, double> stock_bits;
  std::map<link_id, double> asked_bits;
  bool deaf = false;
  uint32_t queries = 0;
};
using pool_ptr = std::shared_ptr<pool_play>;

key_pool_actor::behavior_type played_pool(stateful<key_pool_actor, no_state>* self, pool_ptr play) {
  auto no = [] { return fail(ec::invalid_argument, "played"); };
  return {
    [](const key_block&) {},
    [no](const reserve_keys&) -> caf::result<key_grants> { return no(); },
    [no](const claim_keys&) -> caf::result<key_grants> { return no(); },
    [no](const compare_stores&) -> caf::result<compare_stores> { return no(); },
    [no](const confirm_block&) -> caf::result<block_confirmed> { return no(); },
    [no](const assign_keys&) -> caf::result<keys_assigned> { return no(); },
    [no](const reconcile_keys&) -> caf::result<keys_gone> { return no(); },
    [](const store_progress&) {},
    [no](const pool_status_query&) -> caf::result<pool_status> { return no(); },
    [self, play](const keys_status_query&) -> caf::result<keys_status> {
      ++play->queries;
      if (play->deaf)
        return self->make_response_promise<keys_status>();
      keys_status out;
      for (auto& [link, bits] : play->stock_bits) {
        pool_status x;
        x.link = link;
        x.ready = static_cast<uint64_t>(bits / key_bits);
        x.capacity = 10000;
        x.asked_bits = static_cast<uint64_t>(play->asked_bits[link]);
        out.pools.push_back(x);
      }
      return out;
    },
    [no](const reconcile_now&) -> caf::result<pool_status> { return no(); },
    [](const peer_up&) {},
    [](const peer_down&) {},
    [](const tick&) {},
    [](const continuation&) {},
  };
}

class fixture : public world {
public:
  fixture() {
    for (int i = 1; i <= 3; ++i) {
      auto alice = std::to_string(i);
      link_id id{"bob1/alice" + alice};
      ids.push_back(id);
      play->links[id];
      bob_pool->stock_bits[id] = 25600.0 * i;
      alice_pools.push_back(std::make_shared<pool_play>());
      alice_pools.back()->stock_bits[id] = 25600.0 * i;
      scheduled_link_config x;
      x.link = id;
      x.bob = device_id{"bob1"};
      x.bob_site = site_id{"co"};
      x.alice_site = site_id{"dc" + alice};
      x.link_actor_handle = spawn("co", played_link, play, id);
      x.alice_pool = spawn("dc" + alice, played_pool, alice_pools.back());
      x.rate_guess_bps = 100;
      x.initialisation_guess_s = 400;
      config.links.push_back(x);
    }
    auto bobs = spawn("co", played_pool, bob_pool);
    for (auto& x : config.links)
      x.bob_pool = bobs;
    config.policy = "earliest_deadline";
  }
  ~fixture() { end_actors(); }

  scheduler_actor start(const std::string& at = "co") {
    auto out = spawn(at, scheduler, config);
    play->scheduler = out;
    run();
    for (int i = 1; i <= 3; ++i)
      join(out, "dc" + std::to_string(i));
    if (at != "co")
      join(out, "co");
    return out;
  }

  void join(const scheduler_actor& to, const std::string& site) {
    caf::anon_send(to, peer_up{site_id{site}, 1});
    run();
  }
  void leave(const scheduler_actor& to, const std::string& site) {
    caf::anon_send(to, peer_down{site_id{site}, "silent"});
    run();
  }

  /// Lets time pass with 10 bit/s of demand on every link.
  void pass(duration d) {
    for (auto end = now() + d; now() < end;) {
      advance(10s);
      for (size_t i = 0; i < ids.size(); ++i) {
        auto& x = play->links[ids[i]];
        for (auto* pool : {bob_pool.get(), alice_pools[i].get()}) {
          auto& stock = pool->stock_bits[ids[i]];
          if (x.state == link_state::distilling)
            stock = std::min(2.56e6, stock + 1000);
          stock = std::max(0.0, stock - 100);
        }
        bob_pool->asked_bits[ids[i]] += 100;
      }
    }
  }

  schedule_status status(const scheduler_actor& x) {
    auto out = ask<schedule_status>(x, schedule_query{});
    REQUIRE(out);
    return *out;
  }
  link_play::one& link(size_t i) { return play->links[ids[i]]; }

  play_ptr play = std::make_shared<link_play>();
  pool_ptr bob_pool = std::make_shared<pool_play>();
  std::vector<pool_ptr> alice_pools;
  std::vector<link_id> ids;
  scheduler_config config;
};

} // namespace

TEST_CASE_METHOD(fixture, "a scheduler claims its links and serves the shortest-lived first") {
  auto s = start();
  pass(60s);
  CHECK(link(0).epoch / 1000 == 1);
  CHECK(link(0).serving);
  CHECK_FALSE(link(1).serving);
  auto now = status(s);
  CHECK(now.epoch == link(0).epoch);
  CHECK(now.policy == "earliest_deadline");
  REQUIRE(now.bobs.size() == 1);
  CHECK(now.bobs[0].active == ids[0]);
  CHECK_FALSE(now.bobs[0].why.empty());
  REQUIRE(now.links.size() == 3);
  CHECK(now.links[0].stock_bits == Approx(25600).margin(1000));
}

TEST_CASE_METHOD(fixture, "all links get their turn, and never two at a time") {
  auto s = start();
  pass(12h);
  for (size_t i = 0; i < 3; ++i)
    CHECK(link(i).serves > 0);
  CHECK(play->both == 0);
  CHECK(status(s).switches >= 3);
}

TEST_CASE_METHOD(fixture, "each pool is asked once a tick, however many links it has") {
  start();
  auto before = bob_pool->queries;
  pass(100s);
  CHECK(bob_pool->queries - before == 10);
}

TEST_CASE_METHOD(fixture,
                 "a second scheduler takes a higher epoch and the first one stands down (I43)") {
  auto first = start();
  pass(100s);
  auto second = start("co2");
  pass(20s);
  auto epoch = status(second).epoch;
  CHECK(epoch > status(first).epoch);
  CHECK(link(0).epoch == epoch);
  // The first one learns it at its next command.
  caf::anon_send(first, peer_down{site_id{"dc1"}, "silent"});
  caf::anon_send(first, peer_up{site_id{"co"}, 2});
  run();
  auto old = status(first);
  CHECK(old.standing_down);
  REQUIRE_FALSE(old.alarms.empty());
  auto serves = link(0).serves + link(1).serves + link(2).serves;
  auto releases = link(0).releases + link(1).releases + link(2).releases;
  auto claims = link(0).claims;
  play->scheduler = second;
  leave(second, "dc1");
  leave(second, "dc2");
  leave(second, "dc3");
  pass(2h);
  // Whatever happens, it commands nothing any more.
  CHECK(link(0).claims == claims);
  CHECK(link(0).serves + link(1).serves + link(2).serves <= serves);
  CHECK(link(0).releases + link(1).releases + link(2).releases <= releases + 1);
  CHECK(link(0).epoch == epoch);
}

TEST_CASE_METHOD(fixture,
                 "a restarted scheduler has a higher epoch and goes on with the visit under way") {
  auto first = start();
  pass(500s);
  REQUIRE(link(0).state == link_state::distilling);
  caf::anon_send_exit(first, caf::exit_reason::kill);
  run();
  auto again = start();
  pass(30s);
  auto now = status(again);
  CHECK(now.epoch / 1000 == 2);
  CHECK(now.bobs[0].active == ids[0]);
  CHECK(link(0).serves == 1);
  pass(12h);
  CHECK(play->both == 0);
  CHECK(link(1).serves > 0);
}

TEST_CASE_METHOD(fixture, "a new scheduler whose links obey a far higher epoch goes above it") {
  for (auto& id : ids)
    play->links[id].epoch = 41000;
  auto s = start();
  pass(30s);
  CHECK(status(s).epoch / 1000 == 42);
  CHECK(link(2).epoch / 1000 == 42);
  CHECK(link(2).claims == 2);
  CHECK_FALSE(status(s).standing_down);
}

TEST_CASE_METHOD(fixture, "a link that refuses a claim and does not say whom it obeys is asked again") {
  link(1).epoch = 41000;
  link(1).mute = true;
  auto s = start();
  pass(1min);
  CHECK(status(s).epoch / 1000 == 1);
  CHECK(link(1).epoch == 41000);
  link(1).mute = false;
  pass(30s);
  CHECK(status(s).epoch / 1000 == 42);
  CHECK(link(1).epoch == status(s).epoch);
}

TEST_CASE_METHOD(fixture, "what was learnt of demand outlives a scheduler") {
  auto first = start();
  pass(3h);
  caf::anon_send_exit(first, caf::exit_reason::kill);
  auto again = start();
  for (auto& x : status(again).links)
    CHECK(x.demand_bps == Approx(10).epsilon(0.05));
}

TEST_CASE_METHOD(fixture, "a damaged file of learnt demand is ignored, and said to be") {
  std::string_view text{"qnfv-demand 1\nbob1/alice1 bps=many\n"};
  REQUIRE(site("co")->storage->replace("scheduler-demand", byte_view{text}));
  auto s = start();
  CHECK(status(s).links[0].demand_bps == 0);
  bool said = false;
  for (auto& event : site("co")->recorder->since({}, "", 10000).events)
    said = said || event.text.find("scheduler-demand is ignored") != std::string::npos;
  CHECK(said);
  pass(12h);
  CHECK(link(0).serves > 0);
  CHECK(status(s).links[0].demand_bps == Approx(10).epsilon(0.05));
}

TEST_CASE_METHOD(fixture, "a link that forgot its scheduler is claimed again") {
  start();
  pass(500s);
  auto& x = link(0);
  REQUIRE(x.serving);
  x = {};
  link_status said;
  said.link = ids[0];
  said.reason = "restarted";
  auto tell = [&](instrumented<caf::event_based_actor>* self) {
    self->send(play->scheduler, said);
  };
  spawn("co", tell);
  run();
  pass(30s);
  CHECK(link(0).epoch / 1000 == 1);
  CHECK(play->both == 0);
}

TEST_CASE_METHOD(fixture,
                 "a failing link backs off and has an alarm of its own; others keep service") {
  link(0).fails = true;
  auto s = start();
  pass(30min);
  CHECK(link(0).serves >= 3);
  CHECK(link(0).serves <= 6);
  CHECK(link(1).serves + link(2).serves > 0);
  pass(4h);
  auto now = status(s);
  CHECK(now.links[0].failures >= config.book.alarm_after);
  CHECK(now.links[0].note.find("no light") != std::string::npos);
  REQUIRE_FALSE(now.alarms.empty());
  CHECK(now.alarms.back().worst == ids[0]);
  CHECK(link(0).serves < 30);
}

TEST_CASE_METHOD(fixture, "a link that never answers costs its time-out, not the others' service") {
  link(0).deaf = true;
  start();
  pass(3h);
  CHECK(link(0).serves == 0); // It was never claimed.
  CHECK(link(1).serves > 0);
}

TEST_CASE_METHOD(fixture,
                 "a link that goes deaf under service keeps its Bob, until it speaks again") {
  start();
  pass(500s);
  REQUIRE(link(0).serving);
  link(0).deaf = true;
  pass(8h);
  CHECK(play->both == 0);
  CHECK(link(1).serves == 0);
  link(0).deaf = false;
  pass(1h);
  CHECK(link(1).serves + link(2).serves > 0);
  CHECK(play->both == 0);
}

TEST_CASE_METHOD(fixture, "an unreachable pool does not stop planning") {
  alice_pools[1]->deaf = true;
  bob_pool->deaf = false;
  start();
  pass(3h);
  CHECK(link(0).serves + link(1).serves + link(2).serves > 1);
  bob_pool->deaf = true;
  alice_pools[0]->deaf = alice_pools[2]->deaf = true;
  auto before = link(0).serves + link(1).serves + link(2).serves;
  pass(12h);
  CHECK(link(0).serves + link(1).serves + link(2).serves > before);
}

TEST_CASE_METHOD(fixture, "a link whose Alice is not there is not served") {
  auto s = start();
  leave(s, "dc2");
  pass(12h);
  CHECK(link(1).serves == 0);
  join(s, "dc2");
  pass(12h);
  CHECK(link(1).serves > 0);
}

TEST_CASE_METHOD(fixture, "a Bob whose site is gone is waited for") {
  for (auto& x : config.links)
    x.bob_site = site_id{"far"};
  for (size_t i = 0; i < 3; ++i)
    config.links[i].link_actor_handle = spawn("far", played_link, play, ids[i]);
  auto s = start();
  pass(100s);
  CHECK(link(0).serves == 0);
  join(s, "far");
  pass(100s);
  CHECK(link(0).serves == 1);
  leave(s, "far");
  auto before = link(0).serves + link(1).serves + link(2).serves;
  pass(1h);
  CHECK(link(0).serves + link(1).serves + link(2).serves == before);
  join(s, "far");
  pass(1h);
  CHECK(status(s).bobs[0].active.empty() == false);
  CHECK(play->both == 0);
}

TEST_CASE_METHOD(fixture, "the policy is the operator's to change, and must exist") {
  auto s = start();
  pass(1000s);
  auto demand = status(s).links[0].demand_bps;
  CHECK(demand > 0);
  auto now = ask<schedule_status>(s, set_policy{"best"});
  REQUIRE(now);
  CHECK(now->policy == "best");
  CHECK(now->links[0].demand_bps == Approx(demand));
  auto bad = ask<schedule_status>(s, set_policy{"lottery"});
  REQUIRE_FALSE(bad);
  CHECK(to_failure(bad.error()).code == ec::invalid_argument);
  auto stranger = ask_as<schedule_status>("dc1", s, set_policy{"paper"});
  REQUIRE_FALSE(stranger);
  CHECK(to_failure(stranger.error()).code == ec::not_allowed);
  pass(6h);
  CHECK(play->both == 0);
}

TEST_CASE_METHOD(fixture, "words of a link come from Bob's site only") {
  auto s = start();
  pass(500s);
  link_status lie = play->status(ids[0]);
  lie.serving = false;
  lie.state = link_state::off;
  auto liar = [&](instrumented<caf::event_based_actor>* self) { self->send(s, lie); };
  spawn("dc1", liar);
  run();
  pass(30s);
  CHECK(status(s).bobs[0].active == ids[0]);
}
