#include "actors/optical_switch/optical_switch.hpp"
#include "actors/sdn_controller/sdn_controller.hpp"
#include "tests/support/fake_switch.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

using fault = fake_glass::fault;
using truth = std::map<port_number, port_number>;

const switch_id s1{"s1"}, s2{"s2"};

struct owner_state {
  static inline const char* name = "link";
};

/// A link that listens only.
link_actor::behavior_type owner(stateful<link_actor, owner_state>*,
                                std::shared_ptr<std::vector<path_lost>> lost) {
  auto no = [] { return fail(ec::internal, ""); };
  return {
    [](const device_report&) {},
    [](const link_status_query&) { return link_status{}; },
    [no](const claim_link&) -> caf::result<link_status> { return no(); },
    [no](const serve_link&) -> caf::result<accepted> { return no(); },
    [no](const release_link&) -> caf::result<accepted> { return no(); },
    [lost](const path_lost& x) { lost->push_back(x); },
    [](const link_tick&) {},
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

/// Bob and his Alices: 1 and 2 at s1; 3 at s2, behind a short trunk and a long one. And the data
/// channels of two sites.
struct plant {
  world w;
  std::map<switch_id, std::shared_ptr<fake_glass>> glass;
  std::shared_ptr<std::vector<path_lost>> lost = std::make_shared<std::vector<path_lost>>();
  std::map<switch_id, optical_switch_actor> switches;
  sdn_controller_config config;
  sdn_controller_actor sdn;
  std::unique_ptr<gates> doors; ///< The controller restarts behind one.

  explicit plant(uint64_t seed = 1) : w(seed) {
    w.timeout = 300s;
    w.site("co");
    doors = std::make_unique<gates>(w.system(), w.site("co"));
    config.site = site_id{"co"};
    config.allowed = {site_id{"bob"}};
    sdn = doors->to<sdn_controller_actor>(config.site, "sdn_controller");
    for (auto& name : {s1, s2}) {
      glass[name] = std::make_shared<fake_glass>();
      optical_switch_config x;
      x.name = name;
      x.controller_site = config.site;
      x.driver = w.spawn("co", fake_switch, glass[name]);
      x.controller = sdn;
      switches[name] = w.spawn("co", optical_switch, x);
      config.switches.push_back({name, config.site, switches[name], 24});
    }
    config.fibres = {{"bob1", {s1, 1}, {}, 0.5},  {"alice1", {s1, 25}, {}, 5},
                     {"alice2", {s1, 26}, {}, 9}, {"", {s1, 30}, {s2, 1}, 10},
                     {"", {s1, 31}, {s2, 2}, 20}, {"alice3", {s2, 25}, {}, 1},
                     {"co", {s1, 2}, {}, 0},      {"dc1", {s1, 27}, {}, 7}};
    auto handle = w.spawn("bob", owner, lost);
    for (auto& name : {"bob1/alice1", "bob1/alice2", "bob1/alice3"})
      config.owners[name] = handle;
    start();
  }
  ~plant() { w.end_actors(); }

  void start() {
    auto x = w.spawn("co", sdn_controller, config);
    doors->retarget(config.site, "sdn_controller", caf::actor_cast<caf::strong_actor_ptr>(x));
    current = x;
    w.run();
  }
  /// Its memory is lost, its disk is not.
  void restart() {
    caf::anon_send_exit(current, caf::exit_reason::kill);
    w.run();
    start();
  }
  void settle() { w.advance(std::chrono::milliseconds{config.grace_ms} + 2s); }

  caf::expected<path_ready> ask(const std::string& from, const std::string& to, uint64_t epoch = 0,
                                const std::string& as = "bob") {
    return w.ask_as<path_ready>(as, sdn, connect_path{from + "/" + to, from, to, epoch});
  }
  failure refusal(const std::string& from, const std::string& to, uint64_t epoch = 0,
                  const std::string& as = "bob") {
    auto x = ask(from, to, epoch, as);
    return x ? failure{ec::none, {}} : to_failure(x.error());
  }
  failure let_go(const std::string& path, uint64_t epoch = 0, const std::string& as = "bob") {
    auto x = w.ask_as<accepted>(as, sdn, release_path{path, epoch});
    return x ? failure{ec::none, {}} : to_failure(x.error());
  }
  path_list list() {
    auto x = w.ask<path_list>(sdn, paths_query{});
    REQUIRE(x);
    return *x;
  }
  void event(const switch_id& at, switch_event::kind what, port_number port = 0) {
    tell_as(w, "co", switches[at], switch_event{what, port, "", {}});
  }
  std::vector<std::string> lost_names() const {
    std::vector<std::string> out;
    for (auto& x : *lost)
      out.push_back(x.path);
    return out;
  }

  sdn_controller_actor current;
};

} // namespace

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

namespace {

/// No two active with the same in or the same out (I7).
bool injective(const truth& t) {
  std::set<port_number> outs;
  for (auto& x : t)
    if (!outs.insert(x.second).second)
      return false;
  return true;
}

/// Where the light of an end goes, whatever anybody says.
std::string true_end(const plant& p, const std::string& end) {
  auto graph = fibre_graph::make({{s1, 24}, {s2, 24}}, p.config.fibres);
  REQUIRE(graph);
  crossbars bars;
  for (auto& [name, g] : p.glass)
    for (auto& x : g->truth)
      bars[name].push_back({x.first, x.second});
  return graph->follow(graph->entries_of(end).front(), bars).end;
}

/// One life of a plant with everything going wrong; what was violated.
std::vector<std::string> play(uint64_t seed, size_t& stood) {
  plant p{seed};
  auto random = make_seeded_random(seed);
  auto pick = [&](uint64_t n) { return random->next() % n; };
  const std::vector<std::string> alices{"alice1", "alice2", "alice3"};
  std::vector<std::string> wrong;
  uint64_t epoch = 1;
  auto slow = pick(2) == 0;
  p.w.timeout = 2s; // Whoever asks does not always wait for the end.
  for (int i = 0; i < 12; ++i) {
    auto& at = pick(3) == 0 ? s2 : s1;
    auto& g = *p.glass[at];
    switch (pick(8)) {
    case 0:
    case 1:
    case 2: {
      auto to = alices[pick(3)];
      auto x = p.ask("bob1", to, pick(4) == 0 ? epoch - 1 : epoch);
      if (x && (x->from != "bob1" || x->to != to))
        wrong.push_back("a path to another end");
      if (x && true_end(p, "bob1") != to)
        wrong.push_back("a path that the light does not take");
      if (x)
        ++stood;
      break;
    }
    case 3:
      p.let_go("bob1/" + alices[pick(3)], epoch);
      break;
    case 4:
      g.faults[static_cast<port_number>(pick(3))] = {static_cast<fault>(pick(7)),
                                                     static_cast<uint32_t>(1 + pick(4))};
      // A lie about the glass cannot be seen from here.
      for (auto& f : g.faults)
        if (f.second.what == fault::lying)
          f.second.what = fault::silent;
      break;
    case 5: {
      g.gone = !g.gone;
      p.event(at, g.gone ? switch_event::kind::gone : switch_event::kind::connected);
      break;
    }
    case 6:
      if (pick(3) == 0)
        p.restart();
      else if (pick(2) == 0)
        p.ask("co", "dc1", 0, "co");
      else
        p.let_go("co/dc1", 0, "co");
      epoch += pick(2);
      break;
    case 7:
      g.settle =
        slow && pick(2) == 0 ? std::chrono::milliseconds{8000} : std::chrono::milliseconds{25};
      if (pick(3) == 0)
        p.event(at, switch_event::kind::light_lost, static_cast<port_number>(25 + pick(3)));
      break;
    }
    for (auto& [name, each] : p.glass)
      if (!injective(each->truth))
        wrong.push_back("I7 at " + name.value);
    p.w.advance(std::chrono::milliseconds{pick(3000)});
  }
  for (auto& [name, g] : p.glass) {
    g->faults.clear();
    g->gone = false;
    g->settle = std::chrono::milliseconds{25};
    p.event(name, switch_event::kind::connected);
  }
  p.w.advance(6min);
  p.w.timeout = 30s;
  // Mirrors that move late may meet a command that could not know of them.
  for (auto& [name, g] : p.glass)
    if (!slow && g->overlaps > 0)
      wrong.push_back("the last to refuse an overlap was " + name.value + " itself");
  // Nothing half made: the glass is exactly what the standing paths say.
  std::map<switch_id, truth> explained{{s1, {}}, {s2, {}}};
  for (auto& x : p.list().paths) {
    if (!x.standing)
      wrong.push_back(x.path.path + " does not stand: " + x.trouble);
    for (auto& hop : x.path.hops)
      explained[hop.name][hop.ports.in] = hop.ports.out;
  }
  for (auto& [name, g] : p.glass)
    if (g->truth != explained[name])
      wrong.push_back("what is joined at " + name.value + " is not what the paths say");
  return wrong;
}

} // namespace

TEST_CASE("1,000 random lives: at all times an injection, at the end nothing half made") {
  size_t stood = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    auto wrong = play(seed, stood);
    INFO("seed " << seed << (wrong.empty() ? "" : ": " + wrong.front()));
    REQUIRE(wrong.empty());
  }
  CHECK(stood > 500);
}
