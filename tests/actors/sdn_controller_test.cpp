#include "tests/support/plant.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

TEST_CASE("a path is what the switches say when they are read back") {
  plant p;
  auto x = p.ask("bob1", "alice1", 1);
  REQUIRE(x);
  CHECK(x->from == "bob1");
  CHECK(x->to == "alice1");
  CHECK(x->length_km == Approx(5.5));
  CHECK(p.glass[s1]->truth == truth{{1, 25}});
  auto list = p.list();
  REQUIRE(list.paths.size() == 1);
  CHECK(list.paths[0].standing);
  CHECK(list.epoch == 1);
  CHECK(list.switches.size() == 2);
  CHECK(list.switches[0].name == s1);
  CHECK(list.switches[0].reachable);
}

TEST_CASE("the ends may be asked for in either order, and repeating changes nothing") {
  plant p;
  REQUIRE(p.ask("alice1", "bob1"));
  CHECK(p.glass[s1]->truth == truth{{1, 25}});
  auto again =
    p.w.ask_as<path_ready>("bob", p.sdn, connect_path{"alice1/bob1", "bob1", "alice1", 0});
  REQUIRE(again);
  CHECK(again->from == "bob1");
  CHECK(again->to == "alice1");
  CHECK(p.glass[s1]->moves == 1);
  CHECK(p.let_go("alice1/bob1").code == ec::none);
  CHECK(p.let_go("alice1/bob1").code == ec::none);
  CHECK(p.let_go("never/was").code == ec::none);
  CHECK(p.glass[s1]->truth.empty());
  CHECK(p.list().paths.empty());
}

TEST_CASE("a path over two switches takes the short trunk, and the long one if that is held") {
  plant p;
  auto x = p.ask("bob1", "alice3");
  REQUIRE(x);
  CHECK(x->hops.size() == 2);
  CHECK(x->length_km == Approx(11.5));
  CHECK(p.glass[s1]->truth == truth{{1, 30}});
  CHECK(p.glass[s2]->truth == truth{{1, 25}});
  REQUIRE(p.let_go("bob1/alice3").code == ec::none);

  REQUIRE(p.w.ask<flow_stored>(p.sdn, put_flow{"test-light", s1, {9, 30}}));
  x = p.ask("bob1", "alice3");
  REQUIRE(x);
  CHECK(x->length_km == Approx(21.5));
  CHECK(p.glass[s2]->truth == truth{{2, 25}});
}

TEST_CASE("conflicting requests are refused by the name of who holds the port") {
  plant p;
  REQUIRE(p.ask("bob1", "alice1"));
  auto why = p.refusal("bob1", "alice2");
  CHECK(why.code == ec::busy);
  CHECK(why.text.find("held by bob1/alice1") != std::string::npos);
  auto other = p.w.ask_as<path_ready>("bob", p.sdn, connect_path{"bob1/alice1", "co", "dc1", 0});
  REQUIRE_FALSE(other);
  CHECK(to_failure(other.error()).code == ec::busy);
  CHECK(p.refusal("bob1", "dc9").code == ec::invalid_argument);
  CHECK(p.refusal("bob1", "bob1").code == ec::invalid_argument);
  CHECK(p.refusal("alice1", "alice2").code == ec::invalid_argument); // One side of one switch.
  CHECK(p.refusal("co", "dc1", 0, "dc9").code == ec::not_allowed);
  CHECK(p.refusal("co", "dc1", 0, "co").code == ec::none); // Others are not disturbed.
  CHECK(p.let_go("co/dc1").code == ec::not_allowed);       // It is not bob's.
  CHECK(p.let_go("co/dc1", 0, "operator").code == ec::none);
}

TEST_CASE("older epochs are refused, also after a restart") {
  plant p;
  REQUIRE(p.ask("bob1", "alice1", 5));
  CHECK(p.refusal("co", "dc1", 4).code == ec::stale_epoch);
  CHECK(p.let_go("bob1/alice1", 4).code == ec::stale_epoch);
  CHECK(p.glass[s1]->truth == truth{{1, 25}});
  p.restart();
  CHECK(p.let_go("bob1/alice1", 4).code == ec::stale_epoch);
  CHECK(p.refusal("bob1", "alice1", 4).code == ec::stale_epoch);
  CHECK(p.list().epoch == 5);
  CHECK(p.ask("bob1", "alice1", 5));
  CHECK(p.ask("co", "dc1", 0));
}

TEST_CASE("requests that come together never interleave") {
  plant p;
  auto answers = std::make_shared<std::vector<std::string>>();
  auto asker = [sdn = p.sdn, answers](instrumented<caf::event_based_actor>* self) {
    for (auto* to : {"alice1", "alice3", "alice2"}) {
      std::string name = to;
      self->request(sdn, 60s, connect_path{"bob1/" + name, "bob1", name, 0})
        .then([=](const path_ready& x) { answers->push_back(x.to); },
              [=](const caf::error& why) { answers->push_back(describe(why)); });
    }
  };
  p.w.spawn("bob", asker);
  p.w.advance(30s);
  REQUIRE(answers->size() == 3);
  CHECK((*answers)[0] == "alice1");
  CHECK((*answers)[1].find("held by bob1/alice1") != std::string::npos);
  CHECK((*answers)[2].find("held by bob1/alice1") != std::string::npos);
  CHECK(p.glass[s1]->truth == truth{{1, 25}});
  CHECK(p.glass[s2]->truth.empty());
}

TEST_CASE("what cannot be made is undone, and the next way is tried if there is one") {
  plant p;
  SECTION("a stuck port at the far switch, on every way") {
    p.glass[s2]->faults[0] = {fault::stuck, 0};
    auto why = p.refusal("bob1", "alice3");
    CHECK(why.code == ec::device_failed);
    CHECK(p.glass[s1]->truth.empty());
    CHECK(p.glass[s2]->truth.empty());
    p.glass[s2]->faults.clear();
    CHECK(p.ask("bob1", "alice3"));
  }
  SECTION("a stuck port at the short trunk's end") {
    p.glass[s2]->faults[1] = {fault::stuck, 0};
    auto x = p.ask("bob1", "alice3");
    REQUIRE(x);
    CHECK(x->length_km == Approx(21.5));
    CHECK(p.glass[s1]->truth == truth{{1, 31}});
    CHECK(p.glass[s2]->truth == truth{{2, 25}});
  }
  SECTION("a wrong port: the only way, so it fails") {
    p.glass[s1]->faults[1] = {fault::wrong, 0};
    auto why = p.refusal("bob1", "alice1");
    CHECK(why.code == ec::device_failed);
    CHECK(why.text.find("port 1 leads to 26, not to 25") != std::string::npos);
    CHECK(p.glass[s1]->truth.empty());
  }
  SECTION("silent success") {
    p.glass[s1]->faults[1] = {fault::silent, 0};
    CHECK(p.refusal("bob1", "alice1").code == ec::device_failed);
    CHECK(p.glass[s1]->truth.empty());
  }
  SECTION("a lost command is found and repeated below") {
    p.glass[s1]->faults[1] = {fault::lost, 1};
    CHECK(p.ask("bob1", "alice1"));
  }
  SECTION("a switch that is gone") {
    p.glass[s2]->gone = true;
    CHECK(p.refusal("bob1", "alice3").code == ec::site_unreachable);
    CHECK(p.glass[s1]->truth.empty());
    p.glass[s2]->gone = false;
    p.w.advance(1min);
    CHECK(p.ask("bob1", "alice3"));
  }
  SECTION("very slow mirrors") {
    p.glass[s1]->settle = 60s;
    auto began = p.w.now();
    CHECK(p.refusal("bob1", "alice1").code == ec::maybe_executed);
    CHECK(p.w.now() - began < 60s);
    p.glass[s1]->settle = 25ms;
    p.w.advance(10min);
    CHECK(p.glass[s1]->truth.empty());
    CHECK(p.ask("bob1", "alice1"));
  }
  p.w.advance(2min);
  auto list = p.list();
  for (auto& x : list.paths)
    CHECK(x.standing);
}

TEST_CASE("a lying switch passes: only the keys' confirmation can tell") {
  plant p;
  p.glass[s1]->faults[1] = {fault::lying, 0};
  CHECK(p.ask("bob1", "alice1"));
  CHECK(p.glass[s1]->truth.empty());
}

TEST_CASE("a port that fails or goes dark while a path stands ends it, and its owner is told") {
  plant p;
  REQUIRE(p.ask("bob1", "alice1"));
  SECTION("its light is lost") {
    p.event(s1, switch_event::kind::light_lost, 25);
    p.w.advance(1s);
    CHECK(p.lost_names() == std::vector<std::string>{"bob1/alice1"});
    CHECK(p.glass[s1]->truth.empty());
    CHECK(p.ask("bob1", "alice1")); // A dark port may be tried again.
  }
  SECTION("it fails") {
    p.event(s1, switch_event::kind::port_failed, 25);
    p.w.advance(1s);
    CHECK(p.lost_names() == std::vector<std::string>{"bob1/alice1"});
    auto why = p.refusal("bob1", "alice1");
    CHECK(why.code == ec::device_failed);
    CHECK(why.text == "s1:25 has failed");
    CHECK(p.ask("bob1", "alice2"));
    p.let_go("bob1/alice2");
    p.event(s1, switch_event::kind::light_back, 25);
    CHECK(p.ask("bob1", "alice1"));
  }
  SECTION("ports of others do not matter, nor do strangers' words") {
    p.event(s1, switch_event::kind::light_lost, 26);
    p.event(s2, switch_event::kind::gone);
    tell_as(p.w, "dc9", p.sdn, switch_event{switch_event::kind::light_lost, 25, "", s1});
    p.w.advance(1s);
    CHECK(p.lost->empty());
    CHECK(p.glass[s1]->truth == truth{{1, 25}});
  }
}

TEST_CASE("when the control connection breaks owners are told; what is left is parted later") {
  plant p;
  REQUIRE(p.ask("bob1", "alice3"));
  p.glass[s2]->gone = true;
  p.event(s2, switch_event::kind::gone);
  p.w.advance(1s);
  CHECK(p.lost_names() == std::vector<std::string>{"bob1/alice3"});
  CHECK(p.glass[s1]->truth.empty());
  CHECK(p.glass[s2]->truth == truth{{1, 25}}); // Out of reach.
  CHECK(p.refusal("bob1", "alice3").code != ec::none);
  p.settle();
  p.glass[s2]->gone = false;
  p.event(s2, switch_event::kind::connected);
  p.w.advance(1s);
  CHECK(p.glass[s2]->truth.empty());
  CHECK(p.ask("bob1", "alice3"));
}

TEST_CASE("a switch that comes back as it was disturbs nobody, one that forgot its paths does") {
  plant p;
  REQUIRE(p.ask("bob1", "alice1"));
  p.event(s1, switch_event::kind::connected);
  p.w.advance(1s);
  CHECK(p.lost->empty());
  p.glass[s1]->truth.clear();
  p.event(s1, switch_event::kind::connected);
  p.w.advance(1s);
  CHECK(p.lost_names() == std::vector<std::string>{"bob1/alice1"});
}

TEST_CASE("the audit finds what was parted by hand, and mends a path without an owner") {
  plant p;
  REQUIRE(p.ask("bob1", "alice1"));
  REQUIRE(p.ask("co", "dc1", 0, "co"));
  p.settle();
  p.glass[s1]->truth = {{5, 40}};
  p.w.advance(1min);
  CHECK(p.lost_names() == std::vector<std::string>{"bob1/alice1"});
  CHECK(p.glass[s1]->truth == truth{{2, 27}}); // And what nobody explains is parted.
  auto list = p.list();
  REQUIRE(list.paths.size() == 1);
  CHECK(list.paths[0].standing);
}

TEST_CASE("an operator who releases a link's path, or finds it broken, ends its session") {
  plant p;
  REQUIRE(p.ask("bob1", "alice1"));
  CHECK(p.refusal("bob1", "alice1", 0, "operator").code == ec::none);
  CHECK(p.lost->empty());
  SECTION("released") {
    CHECK(p.let_go("bob1/alice1", 0, "operator").code == ec::none);
  }
  SECTION("broken and asked for") {
    p.glass[s1]->truth.clear();
    p.glass[s1]->faults[1] = {fault::stuck, 0};
    CHECK(p.refusal("bob1", "alice1", 0, "operator").code == ec::device_failed);
  }
  p.w.advance(1s);
  CHECK(p.lost_names() == std::vector<std::string>{"bob1/alice1"});
  CHECK(p.glass[s1]->truth.empty());
}

TEST_CASE("after a restart owners are told; who asks again keeps the glass, the rest is parted") {
  plant p;
  REQUIRE(p.ask("bob1", "alice1"));
  REQUIRE(p.ask("co", "dc1", 0, "co"));
  p.settle();
  auto moves = p.glass[s1]->moves;
  p.restart();
  p.w.advance(1s);
  CHECK(p.lost_names() == std::vector<std::string>{"bob1/alice1"});
  auto again = p.ask("bob1", "alice1");
  REQUIRE(again);
  CHECK(p.glass[s1]->moves == moves);
  // Within the grace nothing is taken from whoever may ask again.
  CHECK(p.glass[s1]->truth == truth{{1, 25}, {2, 27}});
  p.settle();
  CHECK(p.glass[s1]->truth == truth{{1, 25}});
  CHECK(p.lost->size() == 1);
}

TEST_CASE("a restart with nothing joined tells nobody") {
  plant p;
  p.restart();
  p.settle();
  CHECK(p.lost->empty());
}

TEST_CASE("a flow by hand holds its ports, has a name, and outlives a restart") {
  plant p;
  auto put = [&](const std::string& name, cross_connection ports,
                 const std::string& as = "operator") {
    return p.w.ask_as<flow_stored>(as, p.sdn, put_flow{name, s1, ports});
  };
  auto first = put("xc1", {1, 25});
  REQUIRE(first);
  CHECK_FALSE(first->replaced);
  auto listed = p.list();
  REQUIRE(listed.paths.size() == 1);
  CHECK(listed.paths[0].path.path == "flow xc1");
  CHECK(listed.paths[0].path.from == "bob1");
  CHECK(listed.paths[0].path.to == "alice1");
  CHECK(p.refusal("bob1", "alice2").text.find("held by flow xc1") != std::string::npos);
  auto same = put("xc1", {1, 25});
  REQUIRE(same);
  CHECK(same->replaced);
  auto other = put("xc1", {1, 26});
  REQUIRE(other);
  CHECK(other->replaced);
  CHECK(p.glass[s1]->truth == truth{{1, 26}});

  auto conflict = put("xc2", {2, 26});
  REQUIRE_FALSE(conflict);
  CHECK(to_failure(conflict.error()).code == ec::busy);
  CHECK(to_failure(put("xc2", {25, 26}).error()).code == ec::invalid_argument);
  CHECK(to_failure(put("../x", {2, 27}).error()).code == ec::invalid_argument);
  CHECK(to_failure(put("xc2", {2, 27}, "bob").error()).code == ec::not_allowed);
  auto elsewhere = p.w.ask<flow_stored>(p.sdn, put_flow{"xc2", switch_id{"s9"}, {1, 25}});
  REQUIRE_FALSE(elsewhere);
  CHECK(to_failure(elsewhere.error()).code == ec::not_found);

  p.restart();
  p.settle();
  CHECK(p.glass[s1]->truth == truth{{1, 26}});
  REQUIRE(p.list().paths.size() == 1);
  CHECK(p.list().paths[0].standing);
  CHECK(p.w.ask<accepted>(p.sdn, remove_flow{"xc1", s1}));
  auto gone = p.w.ask<accepted>(p.sdn, remove_flow{"xc1", s1});
  REQUIRE_FALSE(gone);
  CHECK(to_failure(gone.error()).code == ec::not_found);
  CHECK(p.glass[s1]->truth.empty());
}

TEST_CASE("a full queue refuses, and fibres that cannot lie so stop everything") {
  plant p;
  p.config.queue_max = 2;
  p.restart();
  auto answers = std::make_shared<std::vector<ec>>();
  auto asker = [sdn = p.sdn, answers](instrumented<caf::event_based_actor>* self) {
    for (int i = 0; i < 6; ++i)
      self->request(sdn, 60s, connect_path{"bob1/alice1", "bob1", "alice1", 0})
        .then([=](const path_ready&) { answers->push_back(ec::none); },
              [=](const caf::error& why) { answers->push_back(to_failure(why).code); });
  };
  p.w.spawn("bob", asker);
  p.w.advance(30s);
  CHECK(std::count(answers->begin(), answers->end(), ec::busy) == 3);
  CHECK(std::count(answers->begin(), answers->end(), ec::none) == 3);
  p.config.fibres.push_back({"carol", {s1, 25}, {}, 1});
  p.restart();
  CHECK(p.refusal("bob1", "alice1").code == ec::bad_config);
}
