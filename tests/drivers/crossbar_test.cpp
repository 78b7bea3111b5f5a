// The glass of the emulated switch, and the actor around it in virtual time.

#include "drivers/switch_emulator/crossbar.hpp"
#include "drivers/switch_emulator/switch_emulator.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace qnfv;
using namespace qnfv::test;

namespace {

using fault = switch_fault::kind;
using verdict = crossbar::verdict;
using list = std::vector<cross_connection>;

verdict turn_on(crossbar& x, port_number in, port_number out) {
  auto came = x.connect({in, out});
  x.settled();
  return came;
}

verdict turn_off(crossbar& x, port_number in, port_number out) {
  auto came = x.disconnect({in, out});
  x.settled();
  return came;
}

/// An ingress port leads to one egress port at most, an egress port comes from one ingress port.
bool injection(const list& x) {
  std::set<port_number> ins, outs;
  for (auto& y : x) {
    ins.insert(y.in);
    outs.insert(y.out);
  }
  return ins.size() == x.size() && outs.size() == x.size();
}

} // namespace

TEST_CASE("a crossbar joins and parts, and a repeated command moves nothing") {
  crossbar x{4};
  CHECK(turn_on(x, 1, 5) == verdict::moves);
  CHECK(turn_on(x, 1, 5) == verdict::as_it_is);
  CHECK(turn_on(x, 2, 8) == verdict::moves);
  CHECK(x.joined() == list{{1, 5}, {2, 8}});
  CHECK(x.truly_joined() == x.joined());
  CHECK(turn_off(x, 1, 6) == verdict::as_it_is);
  CHECK(turn_off(x, 1, 5) == verdict::moves);
  CHECK(turn_off(x, 1, 5) == verdict::as_it_is);
  CHECK(x.joined() == list{{2, 8}});
  CHECK(x.truly_joined() == x.joined());
}

TEST_CASE("a crossbar refuses what overlaps, and ports that it does not have") {
  crossbar x{4};
  REQUIRE(turn_on(x, 1, 5) == verdict::moves);
  CHECK(turn_on(x, 1, 6) == verdict::overlap);
  CHECK(turn_on(x, 2, 5) == verdict::overlap);
  for (cross_connection bad : list{{0, 5}, {5, 6}, {1, 4}, {1, 9}, {1, 0}, {65535, 65535}}) {
    CHECK(turn_on(x, bad.in, bad.out) == verdict::no_such_port);
    CHECK(turn_off(x, bad.in, bad.out) == verdict::no_such_port);
  }
  CHECK(x.joined() == list{{1, 5}});
}

TEST_CASE("light passes from the end of joining to the beginning of parting, and not in the dark") {
  crossbar x{2};
  REQUIRE(x.connect({1, 3}) == verdict::moves);
  CHECK_FALSE(x.light_passes({1, 3}));
  x.settled();
  CHECK(x.light_passes({1, 3}));
  REQUIRE(x.set({fault::dark, 3}));
  CHECK_FALSE(x.light_passes({1, 3}));
  CHECK(x.joined() == list{{1, 3}});
  REQUIRE(x.set({fault::none, 3}));
  CHECK(x.light_passes({1, 3}));
  REQUIRE(x.disconnect({1, 3}) == verdict::moves);
  CHECK_FALSE(x.light_passes({1, 3}));
}

TEST_CASE("each fault does what it says, to the truth and to what the switch says") {
  crossbar x{3};
  SECTION("stuck: refuses to move") {
    REQUIRE(turn_on(x, 1, 4) == verdict::moves);
    x.set({fault::stuck, 1});
    CHECK(turn_off(x, 1, 4) == verdict::refused);
    CHECK(turn_on(x, 1, 4) == verdict::as_it_is);
    CHECK(turn_on(x, 2, 5) == verdict::moves);
    CHECK(x.truly_joined() == list{{1, 4}, {2, 5}});
  }
  SECTION("wrong: joins to the next free egress port, and says so") {
    REQUIRE(turn_on(x, 2, 5) == verdict::moves);
    x.set({fault::wrong, 1});
    CHECK(turn_on(x, 1, 4) == verdict::moves);
    CHECK(x.joined() == list{{1, 6}, {2, 5}});
    CHECK(x.truly_joined() == x.joined());
    CHECK(turn_off(x, 1, 6) == verdict::moves);
    CHECK(turn_on(x, 1, 6) == verdict::moves); // The one after the last is the first.
    CHECK(x.joined() == list{{1, 4}, {2, 5}});
  }
  SECTION("silent: says yes, does nothing, reports the truth") {
    x.set({fault::silent, 1});
    CHECK(turn_on(x, 1, 4) == verdict::moves);
    CHECK(x.joined().empty());
    CHECK(x.truly_joined().empty());
  }
  SECTION("lying: says yes, does nothing, reports what it was asked for") {
    x.set({fault::lying, 1});
    CHECK(turn_on(x, 1, 4) == verdict::moves);
    CHECK(x.joined() == list{{1, 4}});
    CHECK(x.truly_joined().empty());
    x.set({fault::none, 1}); // Mended, it says how things stand.
    CHECK(x.joined().empty());
    CHECK(turn_on(x, 1, 4) == verdict::moves);
    x.set({fault::lying, 1});
    CHECK(turn_off(x, 1, 4) == verdict::moves);
    CHECK(x.joined().empty());
    CHECK(x.truly_joined() == list{{1, 4}});
    // What it believes to be free it turns to somebody else: the old light leads nowhere.
    CHECK(turn_on(x, 2, 4) == verdict::moves);
    CHECK(x.truly_joined() == list{{2, 4}});
  }
  SECTION("a lie that is about to be told when it is mended is not told") {
    x.set({fault::lying, 1});
    REQUIRE(x.connect({1, 4}) == verdict::moves);
    x.set({fault::none, 1});
    x.settled();
    CHECK(x.joined().empty());
    CHECK(x.truly_joined().empty());
  }
  SECTION("one of two liars is mended: the switch still lies") {
    x.set({fault::lying, 1});
    x.set({fault::lying, 2});
    CHECK(turn_on(x, 1, 4) == verdict::moves);
    x.set({fault::none, 2});
    CHECK(x.joined() == list{{1, 4}});
    x.set({fault::none, 1});
    CHECK(x.joined().empty());
  }
  SECTION("lost: neither answer nor effect") {
    x.set({fault::lost, 4});
    CHECK(turn_on(x, 1, 4) == verdict::lost);
    CHECK(turn_off(x, 1, 4) == verdict::lost);
    CHECK(turn_on(x, 1, 5) == verdict::moves);
    CHECK(x.joined() == list{{1, 5}});
  }
}

TEST_CASE("a fault hits so many commands, of its port or of every port") {
  crossbar x{4};
  REQUIRE(x.set({fault::silent, 0, 10, 2}));
  CHECK(x.settle_ms() == 10);
  turn_on(x, 1, 5);
  turn_on(x, 2, 6);
  turn_on(x, 3, 7);
  CHECK(x.joined() == list{{3, 7}});
  x.set({fault::stuck, 0});
  x.set({fault::silent, 1});
  CHECK(turn_on(x, 1, 5) == verdict::moves); // A fault of the port itself comes first.
  CHECK(turn_on(x, 2, 5) == verdict::refused);
  x.set({fault::none, 0});
  CHECK(turn_on(x, 1, 5) == verdict::moves);
  CHECK(x.joined() == list{{1, 5}, {3, 7}});
  CHECK_FALSE(x.set({fault::stuck, 9}));
  CHECK_FALSE(x.set({fault::none, 1, crossbar_settle_ms_max + 1}));
}

TEST_CASE("whatever the commands and faults, light and words are injections") {
  for (uint32_t seed = 0; seed < 1000; ++seed) {
    std::mt19937 random{seed};
    auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
    auto size = static_cast<port_number>(1 + below(6));
    crossbar x{size};
    for (int i = 0; i < 200; ++i) {
      cross_connection ports{static_cast<port_number>(below(size + 2u)),
                             static_cast<port_number>(size + below(size + 2u))};
      auto still = x;
      still.settled();
      auto before = still.joined();
      switch (below(8)) {
      case 0:
        x.set({static_cast<fault>(below(7)), static_cast<port_number>(below(2u * size + 1)), 25,
               below(3)});
        break;
      case 1:
      case 2:
        x.disconnect(ports);
        break;
      default:
        switch (x.connect(ports)) {
        case verdict::overlap:
        case verdict::refused:
        case verdict::lost:
        case verdict::no_such_port:
          REQUIRE(x.joined() == before);
          break;
        default:
          break;
        }
      }
      REQUIRE(injection(x.joined()));
      REQUIRE(injection(x.truly_joined()));
      if (below(2) == 0)
        x.settled();
      REQUIRE(injection(x.joined()));
      REQUIRE(injection(x.truly_joined()));
    }
  }
}

// -- the actor
// ----------------------------------------------------------------------------------------

namespace {

struct ear_state {
  static inline const char* name = "ear";
};

/// Hears what the switch says.
switch_watcher::behavior_type watcher(stateful<switch_watcher, ear_state>*,
                                      std::shared_ptr<std::vector<switch_event>> heard) {
  return {[heard](const switch_event& x) { heard->push_back(x); }};
}

/// Stands for Bob's device: hears of light.
qkd_source_actor::behavior_type bob(stateful<qkd_source_actor, ear_state>*,
                                    std::shared_ptr<std::vector<fibre_light>> heard) {
  auto no = [] { return fail(ec::invalid_argument, "not here"); };
  return {
    [no](const start_distilling&) -> caf::result<accepted> { return no(); },
    [no](const stop_distilling&) -> caf::result<accepted> { return no(); },
    [no](const set_line&) -> caf::result<accepted> { return no(); },
    [no](const emulated_block&) -> caf::result<accepted> { return no(); },
    [heard](const fibre_light& x) { heard->push_back(x); },
    [no](const drawn_block&) -> caf::result<block_fetched> { return no(); },
    [](const device_status_query&) { return device_report{}; },
    [](const peer_up&) {},
    [](const peer_down&) {},
    [](const tick&) {},
    [](const continuation&) {},
  };
}

struct emulated {
  world w;
  std::shared_ptr<std::vector<switch_event>> events = std::make_shared<std::vector<switch_event>>();
  std::shared_ptr<std::vector<fibre_light>> lights = std::make_shared<std::vector<fibre_light>>();
  switch_driver_actor glass;

  emulated() {
    switch_emulator_config c;
    c.name = switch_id{"polatis1"};
    c.size = 4;
    c.owner = w.spawn("co", watcher, events);
    auto device = w.spawn("co", bob, lights);
    c.links = {{link_id{"bob1/alice1"}, {{1, 5}}, device},
               {link_id{"bob1/alice2"}, {{1, 6}}, device}};
    glass = w.spawn("co", switch_emulator, c);
    w.run();
  }
  ~emulated() { w.end_actors(); }

  auto connect(port_number in, port_number out) {
    return w.ask<accepted>(glass, cross_connect{{in, out}});
  }
  auto disconnect(port_number in, port_number out) {
    return w.ask<accepted>(glass, qnfv::disconnect{{in, out}});
  }
  /// "alice1+ alice2-": what Bob heard since the last call.
  std::string light() {
    std::string out;
    for (auto& x : *lights)
      out += x.link.value.substr(5) + (x.passes ? "+ " : "- ");
    lights->clear();
    return out;
  }
};

} // namespace

TEST_CASE("the answer comes when the mirrors have settled") {
  emulated x;
  auto before = x.w.now();
  REQUIRE(x.connect(1, 5));
  CHECK(x.w.now() - before == 25ms);
  REQUIRE(x.connect(1, 5));
  CHECK(x.w.now() - before == 25ms);
  REQUIRE(x.w.ask<accepted>(x.glass, switch_fault{fault::none, 0, 300}));
  REQUIRE(x.disconnect(1, 5));
  CHECK(x.w.now() - before == 325ms);
}

TEST_CASE(
  "Bob sees the light that truly passes, at each change and again for who may have missed it") {
  emulated x;
  CHECK(x.light() == "alice1- alice2- ");
  REQUIRE(x.connect(1, 5));
  CHECK(x.light() == "alice1+ ");
  REQUIRE(x.disconnect(1, 5));
  CHECK(x.light() == "alice1- ");
  REQUIRE(x.w.ask<accepted>(x.glass, switch_fault{fault::wrong, 1}));
  REQUIRE(x.connect(1, 5)); // Says yes, and leads to the other Alice.
  CHECK(x.light() == "alice2+ ");
  REQUIRE(x.w.ask<accepted>(x.glass, switch_fault{fault::dark, 6}));
  CHECK(x.light() == "alice2- ");
  REQUIRE(x.w.ask<accepted>(x.glass, switch_fault{fault::none, 0}));
  CHECK(x.light() == "alice2+ ");
  caf::anon_send(x.glass, peer_up{site_id{"dc1"}, 2});
  x.w.run();
  CHECK(x.light() == "alice1- alice2+ ");
  x.w.advance(10s);
  CHECK(x.light() == "alice1- alice2+ ");
}

TEST_CASE("a lost command is answered with maybe_executed, and holds up nobody") {
  emulated x;
  REQUIRE(x.w.ask<accepted>(x.glass, switch_fault{fault::lost, 1, 25, 1}));
  auto before = x.w.now();
  auto lost = x.connect(1, 5);
  REQUIRE_FALSE(lost);
  CHECK(to_failure(lost.error()).code == ec::maybe_executed);
  CHECK(x.w.now() - before == 2s);
  CHECK(x.w.ask<cross_connections>(x.glass, read_cross_connections{})->joined.empty());
  CHECK(x.connect(1, 5));
}

TEST_CASE("a switch that is too slow may still do what it was told") {
  emulated x;
  REQUIRE(x.w.ask<accepted>(x.glass, switch_fault{fault::none, 0, 60000}));
  auto slow = x.connect(1, 5);
  REQUIRE_FALSE(slow);
  CHECK(to_failure(slow.error()).code == ec::maybe_executed);
  auto read = x.w.ask<cross_connections>(x.glass, read_cross_connections{});
  REQUIRE_FALSE(read);
  CHECK(to_failure(read.error()).code == ec::site_unreachable);
  x.w.advance(60s);
  CHECK(x.w.ask<cross_connections>(x.glass, read_cross_connections{})->joined == list{{1, 5}});
}

TEST_CASE("the switch tells its owner of light that goes and comes") {
  emulated x;
  REQUIRE(x.events->size() == 1);
  CHECK(x.events->front().what == switch_event::kind::connected);
  REQUIRE(x.w.ask<accepted>(x.glass, switch_fault{fault::dark, 3}));
  REQUIRE(x.w.ask<accepted>(x.glass, switch_fault{fault::dark, 3}));
  auto status = x.w.ask<switch_status>(x.glass, switch_status_query{});
  REQUIRE(status);
  CHECK(status->dark == std::vector<port_number>{3});
  CHECK(status->size == 4);
  REQUIRE(x.w.ask<accepted>(x.glass, switch_fault{}));
  REQUIRE(x.events->size() == 3);
  CHECK((*x.events)[1].what == switch_event::kind::light_lost);
  CHECK((*x.events)[1].port == 3);
  CHECK((*x.events)[2].what == switch_event::kind::light_back);
}

TEST_CASE("only its site and the operator command a switch, and no more than it can remember") {
  emulated x;
  auto no = x.w.ask_as<accepted>("dc1", x.glass, cross_connect{{1, 5}});
  REQUIRE_FALSE(no);
  CHECK(to_failure(no.error()).code == ec::not_allowed);
  no = x.w.ask_as<accepted>("dc1", x.glass, switch_fault{});
  REQUIRE_FALSE(no);
  CHECK(to_failure(no.error()).code == ec::not_allowed);
  CHECK(x.w.ask_as<accepted>("co", x.glass, cross_connect{{1, 5}}));
}
