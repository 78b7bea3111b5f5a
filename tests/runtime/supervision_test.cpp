// What a supervisor must be able to rely on: mailboxes end somewhere, and a message that kills is not
// let in for ever. Restarts with back-off and giving up: peers_test, and the stories below.

#include "tests/support/lab.hpp"
#include "tests/support/world.hpp"

#include <stdexcept>

using namespace qnfv;
using namespace qnfv::test;

namespace {

using victim_actor = actor_of<caf::result<accepted>(site_status_query), caf::result<void>(heartbeat),
                              caf::result<void>(tick)>;

struct victim_state {
  static inline const char* name = "victim";
  size_t handled = 0, ticks = 0;
};

/// Dies of every heartbeat number 13.
victim_actor::behavior_type victim(stateful<victim_actor, victim_state>* self) {
  return {
    [self](const site_status_query&) {
      ++self->state.handled;
      return accepted{};
    },
    [self](const heartbeat& x) {
      ++self->state.handled;
      if (x.sequence == 13)
        throw std::runtime_error("thirteen");
    },
    [self](const tick&) { ++self->state.ticks; },
  };
}

struct fixture {
  world w;
  std::shared_ptr<environment> env = std::const_pointer_cast<environment>(w.site("dc1"));

  fixture() {
    env->mailbox_max = 100;
    env->meters = std::make_shared<meters>();
    env->quarantine = std::make_shared<quarantine>();
  }
  victim_state& state_of(const victim_actor& x) {
    return dynamic_cast<stateful<victim_actor, victim_state>&>(*caf::actor_cast<caf::abstract_actor*>(x)).state;
  }
  bool alive(const victim_actor& x) {
    return !caf::actor_cast<caf::abstract_actor*>(x)->getf(caf::abstract_actor::is_cleaned_up_flag);
  }
  heartbeat beat(uint64_t n) { return {site_id{"co"}, 1, n}; }
};

} // namespace

TEST_CASE_METHOD(fixture, "a full mailbox takes no more messages, and counts them") {
  auto x = w.spawn("dc1", victim);
  w.run();
  for (uint64_t i = 0; i < 250; ++i)
    caf::anon_send(x, beat(100 + i));
  auto& meter = env->meters->of("victim");
  CHECK(meter.waiting == 100);
  CHECK(meter.refused == 150);
  w.run();
  CHECK(state_of(x).handled == 100);
  CHECK(meter.waiting == 0);
  CHECK(meter.handled >= 100);
  caf::anon_send(x, beat(1));
  w.run();
  CHECK(state_of(x).handled == 101);
}

TEST_CASE_METHOD(fixture, "a request that finds the mailbox full is answered, at once") {
  auto x = w.spawn("dc1", victim);
  w.run();
  caf::error answer;
  w.spawn("dc1", [&](instrumented<caf::event_based_actor>* self) {
    for (uint64_t i = 0; i < 100; ++i)
      self->send(x, beat(100 + i));
    self->request(x, 1s, site_status_query{}).then([](const accepted&) {}, [&](const caf::error& why) {
      answer = why;
    });
  });
  w.run();
  CHECK(to_failure(answer).code == ec::busy);
  CHECK(to_failure(answer).text == "the mailbox of dc1/victim is full");
}

TEST_CASE_METHOD(fixture, "an actor's own timers enter a full mailbox") {
  auto x = w.spawn("dc1", victim);
  w.run();
  for (uint64_t i = 0; i < 100; ++i)
    caf::anon_send(x, beat(100 + i));
  caf::anon_send(x, tick{1, "own"});
  w.run();
  CHECK(state_of(x).ticks == 1);
}

TEST_CASE_METHOD(fixture, "a message that killed twice is not let in a third time") {
  for (int life = 1; life <= 2; ++life) {
    auto x = w.spawn("dc1", victim);
    w.run();
    caf::anon_send(x, beat(13));
    w.run();
    CHECK_FALSE(alive(x));
  }
  auto third = w.spawn("dc1", victim);
  w.run();
  caf::anon_send(third, beat(13));
  caf::anon_send(third, beat(14));
  w.run();
  CHECK(alive(third));
  CHECK(state_of(third).handled == 1);
}

TEST_CASE_METHOD(fixture, "a mailbox's depth is right after an actor died with messages in it") {
  auto x = w.spawn("dc1", victim);
  w.run();
  caf::anon_send(x, beat(13));
  for (uint64_t i = 0; i < 20; ++i)
    caf::anon_send(x, beat(100 + i));
  w.run();
  x = nullptr;
  w.run();
  CHECK(env->meters->of("victim").waiting == 0);
}

TEST_CASE("a quarantine forgets the oldest suspects, and remembers a bounded number") {
  quarantine q;
  CHECK_FALSE(q.killed("a", "first"));
  CHECK_FALSE(q.holds_any());
  CHECK(q.killed("a", "first"));
  CHECK(q.holds("a", "first"));
  CHECK_FALSE(q.holds("b", "first"));
  for (size_t i = 0; i < quarantine::suspects_max; ++i)
    q.killed("a", "other " + std::to_string(i));
  CHECK_FALSE(q.holds("a", "first"));
  CHECK_FALSE(q.holds_any());
}

TEST_CASE("a role that is poisoned again and again is restarted twice, then the poison is kept out") {
  lab net{lab::load(two_site), 7, {true}};
  net.has_image("fw", 100000);
  net.until_link(link_state::distilling);
  fault x;
  x.what = fault_kind::poison;
  x.where = "dc1/vnf_manager";
  x.amount = 6;
  REQUIRE(net.sim().inject(x));
  net.sim().advance(30s);
  auto status = net.sim().ask<site_status>(net.sim().role<node_actor>(site_id{"dc1"}, "node"), site_status_query{});
  REQUIRE(status);
  for (auto& role : status->roles) {
    CHECK(role.alive);
    CHECK(role.restarts == (role.role == "vnf_manager" ? 2 : 0));
  }
  net.until(net.deploy("fw", "dc1"), order_state::running);
  net.check_invariants();
}

TEST_CASE("a flood to one role delays nobody else, and is thrown away beyond the bound") {
  lab net{lab::load(two_site), 7, {true}};
  net.has_image("fw", 100000);
  net.until_link(link_state::distilling);
  fault x;
  x.what = fault_kind::flood;
  x.where = "dc1/key_pool";
  x.amount = 50000;
  REQUIRE(net.sim().inject(x));
  net.until(net.deploy("fw", "dc1"), order_state::running);
  net.check_invariants();
}

TEST_CASE("a role that dies faster than its supervisor may restart it stays down, with an alarm") {
  lab net{two_site};
  std::vector<std::string> alarms;
  net.sim().watch_trace([&](const trace_record& x) {
    if (x.message() == "alarm" && x.id.site_name() == "dc1")
      alarms.emplace_back(x.text());
  });
  auto restarts_max = net.sim().lab().limits.restarts_max;
  for (uint32_t i = 0; i <= restarts_max; ++i) {
    net.sim().kill_role(site_id{"dc1"}, "vnf_manager");
    net.sim().advance(5s);
  }
  REQUIRE_FALSE(alarms.empty());
  CHECK(alarms.back().find("vnf_manager died too often and stays down") == 0);
  auto status = net.sim().ask<site_status>(net.sim().role<node_actor>(site_id{"dc1"}, "node"), site_status_query{});
  REQUIRE(status);
  for (auto& role : status->roles)
    CHECK(role.alive == (role.role != "vnf_manager"));
}
