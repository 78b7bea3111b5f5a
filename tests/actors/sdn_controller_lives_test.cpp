#include "tests/support/plant.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

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
