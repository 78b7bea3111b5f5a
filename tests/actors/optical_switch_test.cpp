#include "actors/optical_switch/optical_switch.hpp"
#include "tests/support/fake_switch.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

using fault = fake_glass::fault;

struct heard_state {
  static inline const char* name = "sdn_controller";
};

/// A controller that listens only.
sdn_controller_actor::behavior_type listener(stateful<sdn_controller_actor, heard_state>*,
                                             std::shared_ptr<std::vector<switch_event>> heard) {
  return {
    [](const connect_path&) -> caf::result<path_ready> { return fail(ec::internal, ""); },
    [](const release_path&) { return accepted{}; },
    [](const put_flow&) { return flow_stored{}; },
    [](const remove_flow&) { return accepted{}; },
    [](const paths_query&) { return path_list{}; },
    [heard](const switch_event& x) { heard->push_back(x); },
    [](const tick&) {},
    [](const continuation& x) { x.run(); },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

struct bench {
  world w;
  std::shared_ptr<fake_glass> glass = std::make_shared<fake_glass>();
  std::shared_ptr<std::vector<switch_event>> heard = std::make_shared<std::vector<switch_event>>();
  switch_driver_actor driver = w.spawn("co", fake_switch, glass);
  optical_switch_config config;
  optical_switch_actor oxc;

  bench() {
    w.timeout = 200s;
    config.name = switch_id{"polatis1"};
    config.controller_site = site_id{"co"};
    config.driver = driver;
    config.controller = w.spawn("co", listener, heard);
    start();
  }
  ~bench() { w.end_actors(); }

  void start() { oxc = w.spawn("co", optical_switch, config); }

  /// Nothing, or why not.
  failure join(cross_connection x, uint64_t epoch = 0, const std::string& as = "co") {
    auto out = w.ask_as<accepted>(as, oxc, cross_connect{x, epoch});
    return out ? failure{ec::none, {}} : to_failure(out.error());
  }
  failure part(cross_connection x, uint64_t epoch = 0) {
    auto out = w.ask_as<accepted>("co", oxc, disconnect{x, epoch});
    return out ? failure{ec::none, {}} : to_failure(out.error());
  }
  switch_status status() {
    auto out = w.ask<switch_status>(oxc, switch_status_query{});
    REQUIRE(out);
    return *out;
  }
};

} // namespace

TEST_CASE("a cross-connection is made, repeated and parted, and repeating moves no mirror") {
  bench b;
  CHECK(b.join({1, 25}).code == ec::none);
  CHECK(b.glass->truth.at(1) == 25);
  CHECK(b.join({1, 25}).code == ec::none);
  CHECK(b.glass->moves == 1);
  CHECK(b.part({1, 25}).code == ec::none);
  CHECK(b.part({1, 25}).code == ec::none);
  CHECK(b.glass->truth.empty());
  CHECK(b.glass->moves == 2);
}

TEST_CASE("ports that are joined elsewhere or do not exist are refused, with the reason") {
  bench b;
  REQUIRE(b.join({1, 25}).code == ec::none);
  for (auto x : {cross_connection{1, 26}, cross_connection{2, 25}}) {
    auto why = b.join(x);
    CHECK(why.code == ec::busy);
    CHECK(why.text == "polatis1: port 1 is joined to 25");
  }
  CHECK(b.status().commands == 1);
  for (auto x : {cross_connection{0, 25}, cross_connection{25, 26}, cross_connection{1, 24},
                 cross_connection{1, 49}, cross_connection{1, 0}})
    CHECK(b.join(x).code == ec::invalid_argument);
}

TEST_CASE("only the controller's site and the operator command") {
  bench b;
  CHECK(b.join({1, 25}, 0, "dc1").code == ec::not_allowed);
  CHECK(b.join({1, 25}, 0, "operator").code == ec::none);
  auto out = b.w.ask_as<accepted>("dc1", b.oxc, switch_fault{switch_fault::kind::dark, 1, 25, 0});
  REQUIRE_FALSE(out);
  CHECK(to_failure(out.error()).code == ec::not_allowed);
}

TEST_CASE("a wrong port is found by reading back, named and parted") {
  bench b;
  b.glass->faults[1] = {fault::wrong, 0};
  auto why = b.join({1, 25});
  CHECK(why.code == ec::device_failed);
  CHECK(why.text == "polatis1: port 1 leads to 26, not to 25");
  CHECK(b.glass->truth.empty());
  CHECK(b.status().mismatches == 1);
  b.glass->faults.clear();
  CHECK(b.join({1, 25}).code == ec::none);
}

TEST_CASE("silent success is no success") {
  bench b;
  b.glass->faults[1] = {fault::silent, 0};
  auto why = b.join({1, 25});
  CHECK(why.code == ec::device_failed);
  CHECK(why.text == "polatis1: port 1 leads nowhere, not to 25");
  b.glass->faults.clear();
  REQUIRE(b.join({1, 25}).code == ec::none);
  b.glass->faults[1] = {fault::silent, 1};
  why = b.part({1, 25});
  CHECK(why.text == "polatis1: port 1 leads to 25, though it was parted");
}

TEST_CASE("a stuck port is the switch's own error") {
  bench b;
  b.glass->faults[1] = {fault::stuck, 0};
  auto why = b.join({1, 25});
  CHECK(why.code == ec::device_failed);
  CHECK(why.text == "polatis1: port 1 does not move");
  CHECK(b.join({2, 26}).code == ec::none); // Others keep their service.
}

TEST_CASE("a lying switch cannot be found out by reading back") {
  bench b;
  b.glass->faults[1] = {fault::lying, 0};
  CHECK(b.join({1, 25}).code == ec::none);
  CHECK(b.glass->truth.empty());
}

TEST_CASE("a lost command is given once more, a lost answer costs none") {
  bench b;
  b.glass->faults[1] = {fault::lost, 1};
  CHECK(b.join({1, 25}).code == ec::none);
  CHECK(b.glass->truth.at(1) == 25);
  b.glass->faults[2] = {fault::deaf, 1};
  CHECK(b.join({2, 26}).code == ec::none);
  CHECK(b.glass->moves == 2);
  CHECK(b.status().commands == 3);
  b.glass->faults[3] = {fault::lost, 0};
  CHECK(b.join({3, 27}).code == ec::maybe_executed);
  b.glass->faults.clear();
  b.glass->faults[1] = {fault::lost, 1};
  CHECK(b.part({1, 25}).code == ec::none);
}

TEST_CASE("refused when given again, because the first one worked after all: it is done") {
  using act = switch_command::step::act;
  switch_command x{switch_command::kind::join, {1, 25}, {}};
  CHECK(x.start().what == act::read);
  CHECK(x.read_came(joined_ports{}).what == act::join);
  CHECK(x.write_came({ec::maybe_executed, "no answer in time"}).what == act::read);
  CHECK(x.read_came(joined_ports{}).what == act::join);
  CHECK(x.write_came({ec::busy, "a port is joined elsewhere"}).what == act::read);
  CHECK(x.read_came(joined_ports{{1, 25}}).what == act::answer);
  CHECK(x.verdict());
}

TEST_CASE("a switch that refuses and does it all the same is not believed: it is undone") {
  using act = switch_command::step::act;
  switch_command x{switch_command::kind::join, {1, 25}, {}};
  x.start();
  x.read_came(joined_ports{});
  x.write_came({ec::device_failed, "a motor"});
  auto undo = x.read_came(joined_ports{{1, 25}});
  CHECK(undo.what == act::part);
  CHECK(undo.ports == cross_connection{1, 25});
  CHECK(x.write_came({ec::device_failed, "a motor"}).what == act::read);
  CHECK(x.read_came(joined_ports{{1, 25}}).what == act::answer);
  REQUIRE_FALSE(x.verdict());
  CHECK(x.verdict().error().text == "a motor; 1 to 25 could not be parted");
  CHECK(x.doubtful() == std::set<cross_connection>{{1, 25}});
}

TEST_CASE("a slow switch times out honestly, and what it joins after all is parted") {
  bench b;
  b.glass->settle = 60s;
  auto began = b.w.now();
  CHECK(b.join({1, 25}).code == ec::maybe_executed);
  CHECK(b.w.now() - began < 10s);
  // Others do not wait for it for ever.
  CHECK(b.join({2, 26}).code == ec::maybe_executed);
  CHECK(b.w.now() - began < 20s);
  CHECK(b.glass->truth.empty());
  b.glass->settle = 25ms;
  b.w.advance(5min);
  CHECK(b.glass->truth.empty());
  CHECK(b.glass->moves > 0); // It did join.
  CHECK(b.join({1, 25}).code == ec::none);
  b.w.advance(5min);
  CHECK(b.glass->truth.size() == 1);
}

TEST_CASE("what a slow switch joined late makes way for the next command") {
  bench b;
  b.glass->settle = 5s;
  REQUIRE(b.join({1, 25}).code == ec::maybe_executed);
  b.w.advance(3s);
  REQUIRE(b.glass->truth.count(1) == 1);
  b.glass->settle = 25ms;
  b.glass->free_at = {};
  CHECK(b.join({1, 26}).code == ec::none);
  b.w.advance(5min);
  CHECK(b.glass->truth == std::map<port_number, port_number>{{1, 26}});
}

TEST_CASE("commands run one by one, in the order they come, and no more than the queue holds") {
  bench b;
  b.config.queue_max = 3;
  b.start();
  auto answers = std::make_shared<std::vector<std::string>>();
  auto asker = [oxc = b.oxc, answers](instrumented<caf::event_based_actor>* self) {
    for (port_number i = 1; i <= 5; ++i)
      self->request(oxc, 60s, cross_connect{{1, static_cast<port_number>(24 + i)}, 0})
        .then([=](const accepted&) { answers->push_back(std::to_string(i) + " done"); },
              [=](const caf::error& why) {
                answers->push_back(std::to_string(i) + " " + to_string(to_failure(why).code));
              });
  };
  b.w.spawn("co", asker);
  b.w.advance(10s);
  CHECK(*answers == std::vector<std::string>{"4 busy", "5 busy", "1 done", "2 busy", "3 busy"});
  CHECK(b.glass->truth.at(1) == 25);
}

TEST_CASE("an older epoch is refused, also after a restart, and nobody's always passes") {
  bench b;
  REQUIRE(b.join({1, 25}, 7).code == ec::none);
  CHECK(b.join({2, 26}, 6).code == ec::stale_epoch);
  CHECK(b.part({1, 25}, 6).code == ec::stale_epoch);
  static_cast<memory_storage&>(*b.w.site("co")->storage).crash();
  b.start();
  CHECK(b.join({2, 26}, 6).code == ec::stale_epoch);
  CHECK(b.join({2, 26}, 0).code == ec::none);
  CHECK(b.glass->truth.size() == 2);
}

TEST_CASE("a command that an older epoch had waiting is not carried out") {
  bench b;
  auto asker = [oxc = b.oxc](instrumented<caf::event_based_actor>* self) {
    auto nothing = [](const accepted&) {};
    auto none = [](const caf::error&) {};
    self->request(oxc, 60s, cross_connect{{1, 25}, 1}).then(nothing, none);
    self->request(oxc, 60s, cross_connect{{2, 26}, 1}).then(nothing, none);
    self->request(oxc, 60s, cross_connect{{3, 27}, 2}).then(nothing, none);
  };
  b.w.spawn("co", asker);
  b.w.advance(10s);
  CHECK(b.glass->truth == std::map<port_number, port_number>{{1, 25}, {3, 27}});
}

TEST_CASE("an epoch that cannot be made durable is not obeyed, nor is a damaged file guessed at") {
  bench b;
  auto& files = static_cast<memory_storage&>(*b.w.site("co")->storage);
  files.before([](memory_storage::operation, const std::string&) { return false; });
  CHECK(b.join({1, 25}, 7).code == ec::storage_failed);
  CHECK(b.glass->truth.empty());
  files.before({});
  REQUIRE(files.replace("epochs/switch-polatis1", byte_view{std::string_view{"7x"}}));
  b.start();
  CHECK(b.join({1, 25}, 9).code == ec::storage_failed);
}

TEST_CASE("a gone switch is said to be so, and events go to the controller under its name") {
  bench b;
  b.glass->gone = true;
  CHECK(b.join({1, 25}).code == ec::site_unreachable);
  CHECK_FALSE(b.status().reachable);
  b.w.spawn("dc1", [oxc = b.oxc](instrumented<caf::event_based_actor>* self) {
    self->send(oxc, switch_event{switch_event::kind::port_failed, 1, "a stranger", {}});
  });
  b.w.run();
  CHECK(b.heard->empty());
  tell_as(b.w, "co", b.oxc, switch_event{switch_event::kind::light_lost, 25, "", {}});
  REQUIRE(b.heard->size() == 1);
  CHECK(b.heard->front().at == b.config.name);
  CHECK(b.heard->front().port == 25);
}

TEST_CASE("a connection of others that goes while we write is said to the controller") {
  bench b;
  REQUIRE(b.join({1, 25}).code == ec::none);
  b.glass->settle = 100ms;
  auto ask = [oxc = b.oxc](instrumented<caf::event_based_actor>* self) {
    self->request(oxc, 60s, cross_connect{{2, 26}, 0})
      .then([](const accepted&) {}, [](const caf::error&) {});
  };
  b.w.spawn("co", ask);
  b.w.advance(50ms);
  b.glass->truth.erase(1);
  b.w.advance(1s);
  REQUIRE(b.heard->size() == 1);
  CHECK(b.heard->front().what == switch_event::kind::connected);
  CHECK(b.heard->front().text == "1 to 25 has gone");
}
