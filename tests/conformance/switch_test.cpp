// The promises of the SWITCH DRIVER interface, on every driver; and each way in which a switch can
// be wrong.

#include "tests/support/switch_lab.hpp"

#include <algorithm>
#include <random>

using namespace qnfv;
using namespace qnfv::test;

namespace {

using fault = switch_fault::kind;
using list = std::vector<cross_connection>;

list table_of(const std::map<port_number, port_number>& x) {
  list out;
  for (auto& [in, egress] : x)
    out.push_back({in, egress});
  return out;
}

} // namespace

#define EVERY_SWITCH(x)                                                                            \
  auto name = GENERATE(from_range(switch_driver_names()));                                         \
  INFO(name);                                                                                      \
  switch_lab x {                                                                                   \
    switch_drivers().at(name)                                                                      \
  }

#define EVERY_SWITCH_BEHIND_A_PROTOCOL(x)                                                          \
  auto name = GENERATE(from_range(switch_driver_names(false)));                                    \
  INFO(name);                                                                                      \
  switch_lab x {                                                                                   \
    switch_drivers().at(name)                                                                      \
  }

TEST_CASE("an answered command is true, and repeating it changes nothing") {
  EVERY_SWITCH(x);
  CHECK(x.read().empty());
  for (int i = 0; i < 2; ++i) {
    CHECK(x.connect(1, 5));
    CHECK(x.read() == list{{1, 5}});
  }
  CHECK(x.connect(3, 6));
  CHECK(x.read() == list{{1, 5}, {3, 6}});
  for (int i = 0; i < 2; ++i) {
    CHECK(x.disconnect(1, 5));
    CHECK(x.read() == list{{3, 6}});
  }
  CHECK(x.disconnect(3, 7));
  CHECK(x.disconnect(2, 6));
  CHECK(x.read() == list{{3, 6}});
}

TEST_CASE("a port that is joined elsewhere is refused, and nothing changes") {
  EVERY_SWITCH(x);
  REQUIRE(x.connect(1, 5));
  REQUIRE(x.connect(2, 6));
  CHECK(x.code(x.connect(1, 7)) == ec::busy);
  CHECK(x.code(x.connect(3, 5)) == ec::busy);
  CHECK(x.code(x.connect(1, 6)) == ec::busy);
  CHECK(x.read() == list{{1, 5}, {2, 6}});
}

TEST_CASE("ports that the switch does not have are refused") {
  EVERY_SWITCH(x);
  for (cross_connection bad : list{{0, 5}, {5, 6}, {1, 4}, {1, 9}, {1, 0}, {65535, 65535}}) {
    CHECK(x.code(x.connect(bad.in, bad.out)) == ec::invalid_argument);
    CHECK(x.code(x.disconnect(bad.in, bad.out)) == ec::invalid_argument);
  }
  CHECK(x.read().empty());
}

TEST_CASE("commands are carried out in the order they come") {
  EVERY_SWITCH(x);
  x.fault({fault::none, 0, 5});
  auto answers = std::make_shared<std::promise<list>>();
  auto driver = x.driver;
  // All at once, none waits for another.
  auto asker = [driver, answers](instrumented<caf::event_based_actor>* self) {
    auto bad = [answers](caf::error& why) {
      try {
        answers->set_exception(std::make_exception_ptr(std::runtime_error(describe(why))));
      } catch (const std::future_error&) {
      }
    };
    auto good = [](accepted&) {};
    for (port_number i = 0; i < 4; ++i) {
      auto out = static_cast<port_number>(5 + i);
      self->request(driver, 30s, cross_connect{{1, out}}).then(good, bad);
      if (i < 3)
        self->request(driver, 30s, disconnect{{1, out}}).then(good, bad);
    }
    self->request(driver, 30s, read_cross_connections{})
      .then([answers](cross_connections& y) { answers->set_value(y.joined); }, bad);
  };
  spawn_at(x.w.system(), x.w.site("co"), asker);
  CHECK(answers->get_future().get() == list{{1, 8}});
}

TEST_CASE("whatever is ordered, the switch holds what a table of one to one would") {
  EVERY_SWITCH(x);
  x.fault({fault::none, 0, 0});
  std::mt19937 random{5};
  std::map<port_number, port_number> table;
  for (int i = 0; i < 200; ++i) {
    auto in = static_cast<port_number>(1 + random() % 4);
    auto out = static_cast<port_number>(5 + random() % 4);
    auto at = table.find(in);
    auto is = at != table.end() && at->second == out;
    if (random() % 3 == 0) {
      REQUIRE(x.disconnect(in, out));
      if (is)
        table.erase(in);
      continue;
    }
    auto taken = !is && (at != table.end() || std::any_of(table.begin(), table.end(), [&](auto& y) {
                           return y.second == out;
                         }));
    REQUIRE(x.code(x.connect(in, out)) == (taken ? ec::busy : ec::none));
    if (!taken)
      table[in] = out;
    if (i % 10 == 0)
      REQUIRE(x.read() == table_of(table));
  }
  CHECK(x.read() == table_of(table));
}

TEST_CASE("the answer comes when the mirrors have settled") {
  EVERY_SWITCH(x);
  auto time = make_real_clock();
  auto before = time->now();
  REQUIRE(x.connect(1, 5));
  CHECK(time->now() - before >= 25ms);
  x.fault({fault::none, 0, 300});
  before = time->now();
  REQUIRE(x.disconnect(1, 5));
  CHECK(time->now() - before >= 300ms);
}

TEST_CASE("the switch says what it is") {
  EVERY_SWITCH(x);
  REQUIRE(x.connect(2, 7));
  x.read();
  auto status = x.status();
  CHECK(status.name.value == "polatis1");
  CHECK(status.reachable);
  CHECK_FALSE(status.model.empty());
  CHECK(status.size == 4);
  CHECK(status.joined == list{{2, 7}});
  CHECK(status.commands == 1);
  CHECK(status.trouble.empty());
}

TEST_CASE("only its site and the operator command a switch") {
  EVERY_SWITCH(x);
  for (auto* site : {"co", "dc1"}) {
    std::promise<ec> answer;
    auto driver = x.driver;
    auto asker = [driver, &answer](instrumented<caf::event_based_actor>* self) {
      self->request(driver, 30s, cross_connect{{1, 5}})
        .then([&answer](accepted&) { answer.set_value(ec::none); },
              [&answer](caf::error& why) { answer.set_value(to_failure(why).code); });
    };
    spawn_at(x.w.system(), x.w.site(site), asker);
    CHECK(answer.get_future().get() == (site == std::string{"co"} ? ec::none : ec::not_allowed));
  }
}

TEST_CASE("a stuck port is an error, and the others move on") {
  EVERY_SWITCH(x);
  x.fault({fault::stuck, 1});
  CHECK(x.code(x.connect(1, 5)) == ec::device_failed);
  CHECK(x.connect(2, 5));
  CHECK(x.read() == list{{2, 5}});
}

TEST_CASE("a port that joins wrongly is seen when it is read back") {
  EVERY_SWITCH(x);
  x.fault({fault::wrong, 1});
  x.connect(1, 5); // Some protocols say what was joined at once: yes or an error, both are true.
  CHECK(x.read() == list{{1, 6}});
  CHECK(x.disconnect(1, 6));
  CHECK(x.read().empty());
}

TEST_CASE("a switch that says yes and does nothing is seen when it is read back") {
  EVERY_SWITCH(x);
  x.fault({fault::silent, 1, 25, 1});
  x.connect(1, 5); // A driver that reads back itself says that it failed.
  CHECK(x.read().empty());
  CHECK(x.connect(1, 5));
  CHECK(x.read() == list{{1, 5}});
}

TEST_CASE("a switch that lies is believed by its driver") {
  EVERY_SWITCH(x);
  x.fault({fault::lying, 1});
  CHECK(x.connect(1, 5));
  CHECK(x.read() == list{{1, 5}});
}

TEST_CASE("a switch that lied says so when it is mended, and can be read truly") {
  EVERY_SWITCH(x);
  REQUIRE(x.connect(2, 6));
  x.fault({fault::lying, 1});
  REQUIRE(x.connect(1, 5));
  REQUIRE(x.disconnect(1, 5));
  REQUIRE(x.connect(1, 8));
  REQUIRE(x.read() == list{{1, 8}, {2, 6}});
  x.fault({fault::none, 1});
  x.ear->next(switch_event::kind::connected);
  CHECK(x.read() == list{{2, 6}});
  CHECK(x.connect(1, 5));
  CHECK(x.read() == list{{1, 5}, {2, 6}});
}

TEST_CASE("a command that was lost may have been executed; repeating it is safe") {
  EVERY_SWITCH(x);
  x.fault({fault::lost, 1, 25, 1});
  CHECK(x.code(x.connect(1, 5)) == ec::maybe_executed);
  CHECK(x.connect(1, 5));
  CHECK(x.read() == list{{1, 5}});
  x.fault({fault::lost, 1, 25, 1});
  CHECK(x.code(x.disconnect(1, 5)) == ec::maybe_executed);
  CHECK(x.disconnect(1, 5));
  CHECK(x.read().empty());
}

TEST_CASE("a command of a slow switch may have been executed, and is in the end") {
  EVERY_SWITCH(x);
  x.fault({fault::none, 0, switch_lab::request_timeout_ms + 500});
  CHECK(x.code(x.connect(1, 5)) == ec::maybe_executed);
  // Reading waits for the mirrors too; the driver may lose its patience once more.
  for (int i = 0;; ++i) {
    auto joined = x.w.ask<cross_connections>(x.driver, read_cross_connections{});
    if (joined) {
      CHECK(joined->joined == list{{1, 5}});
      break;
    }
    CHECK(joined.error().code == ec::site_unreachable);
    REQUIRE(i < 10);
  }
  x.fault({fault::none, 0, 25});
  CHECK(x.connect(1, 5));
}

TEST_CASE("light that goes and comes back is told") {
  EVERY_SWITCH(x);
  x.fault({fault::dark, 7});
  CHECK(x.ear->next(switch_event::kind::light_lost).port == 7);
  CHECK(x.status().dark == std::vector<port_number>{7});
  x.fault({fault::none, 7});
  CHECK(x.ear->next(switch_event::kind::light_back).port == 7);
  CHECK(x.status().dark.empty());
}

TEST_CASE("a switch that is gone is unreachable, and what it had joined may be gone with it") {
  EVERY_SWITCH_BEHIND_A_PROTOCOL(x);
  REQUIRE(x.connect(1, 5));
  caf::anon_send_exit(x.glass, caf::exit_reason::kill);
  x.ear->next(switch_event::kind::gone);
  CHECK(x.code(x.connect(2, 6)) == ec::site_unreachable);
  auto read = x.w.ask<cross_connections>(x.driver, read_cross_connections{});
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ec::site_unreachable);
  CHECK_FALSE(x.status().reachable);
  CHECK_FALSE(x.status().trouble.empty());
  x.with.start_switch(x);
  x.ear->next(switch_event::kind::connected);
  CHECK(x.read().empty());
  CHECK(x.connect(2, 6));
}

TEST_CASE("a driver that starts again reads what the switch has joined") {
  EVERY_SWITCH_BEHIND_A_PROTOCOL(x);
  REQUIRE(x.connect(1, 5));
  caf::anon_send_exit(x.driver, caf::exit_reason::kill);
  x.with.start_driver(x);
  x.ear->next(switch_event::kind::connected);
  CHECK(x.read() == list{{1, 5}});
  CHECK(x.code(x.connect(1, 6)) == ec::busy);
  CHECK(x.disconnect(1, 5));
  CHECK(x.read().empty());
}

TEST_CASE("faults are for emulators") {
  EVERY_SWITCH(x);
  auto came = x.w.ask<accepted>(x.driver, switch_fault{fault::stuck, 1});
  if (x.with.direct)
    CHECK(came);
  else
    CHECK(x.code(came) == ec::invalid_argument);
}
