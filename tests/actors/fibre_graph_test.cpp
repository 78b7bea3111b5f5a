#include "actors/sdn_controller/fibre_graph.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

const switch_id s1{"s1"}, s2{"s2"};

fibre to_end(std::string end, switch_id at, port_number port, double km) {
  return {std::move(end), {std::move(at), port}, {}, km};
}
fibre between(switch_port a, switch_port b, double km) {
  return {"", a, b, km};
}

/// Bob and a short Alice at s1; a far Alice at s2, behind a short trunk and a long one.
fibre_graph two_switches() {
  auto g = fibre_graph::make({{s1, 24}, {s2, 24}},
                             {to_end("bob1", s1, 1, 0.5), to_end("alice1", s1, 25, 5),
                              between({s1, 30}, {s2, 1}, 10), between({s1, 31}, {s2, 2}, 20),
                              to_end("alice2", s2, 25, 1), to_end("alice3", s1, 2, 3)});
  REQUIRE(g);
  return *g;
}

port_use all_good(const switch_port&) {
  return port_use::good;
}

std::string problem(std::vector<fibre> fibres) {
  auto g = fibre_graph::make({{s1, 24}, {s2, 24}}, std::move(fibres));
  return g ? "" : g.error().text;
}

} // namespace

TEST_CASE("a way crosses the switch from its ingress to its egress side, whoever asks first") {
  auto g = two_switches();
  auto there = g.find("bob1", "alice1", all_good);
  auto back = g.find("alice1", "bob1", all_good);
  REQUIRE(there);
  REQUIRE(back);
  REQUIRE(there->hops.size() == 1);
  CHECK(there->hops[0].ports == cross_connection{1, 25});
  CHECK(back->hops[0].ports == cross_connection{1, 25});
  CHECK(there->length_km == Approx(5.5));
  CHECK(back->length_km == Approx(5.5));
  CHECK(g.entry_of(*back, "alice1") == switch_port{s1, 25});
  CHECK(g.entry_of(*back, "bob1") == switch_port{s1, 1});
}

TEST_CASE("two ends on the same side of one switch cannot be joined by it") {
  CHECK_FALSE(two_switches().find("bob1", "alice3", all_good));
}

TEST_CASE("the shortest way is taken, and another one if a port of it is held or failed lately") {
  auto g = two_switches();
  auto best = g.find("bob1", "alice2", all_good);
  REQUIRE(best);
  CHECK(best->length_km == Approx(11.5));
  REQUIRE(best->hops.size() == 2);
  CHECK(best->hops[1].ports == cross_connection{1, 25});
  for (auto use : {port_use::closed, port_use::poor}) {
    auto other = g.find("bob1", "alice2", [use](const switch_port& x) {
      return x == switch_port{s1, 30} ? use : port_use::good;
    });
    REQUIRE(other);
    CHECK(other->length_km == Approx(21.5));
    CHECK(other->hops[1].ports == cross_connection{2, 25});
  }
  // Poor is better than nothing.
  auto poor = g.find("bob1", "alice1", [](const switch_port&) { return port_use::poor; });
  CHECK(poor);
  CHECK_FALSE(g.find("bob1", "alice1", [](const switch_port& x) {
    return x == switch_port{s1, 25} ? port_use::closed : port_use::good;
  }));
}

TEST_CASE("of equal lengths the way over fewer switches is taken") {
  auto g =
    fibre_graph::make({{s1, 4}, {s2, 4}}, {to_end("a", s1, 1, 1), to_end("b", s1, 5, 9),
                                           between({s1, 6}, {s2, 1}, 4), to_end("b", s2, 5, 5)});
  REQUIRE(g);
  auto way = g->find("a", "b", all_good);
  REQUIRE(way);
  CHECK(way->hops.size() == 1);
}

TEST_CASE("a search among many trunks that lead nowhere ends") {
  std::vector<fibre> fibres{to_end("a", s1, 1, 1), to_end("b", switch_id{"s9"}, 1, 1)};
  std::map<switch_id, uint16_t> sizes{{switch_id{"s9"}, 24}};
  for (int i = 1; i <= 8; ++i) {
    switch_id here{"s" + std::to_string(i)}, next{"s" + std::to_string(i + 1)};
    sizes[here] = 24;
    for (port_number p = 1; i < 8 && p <= 20; ++p)
      fibres.push_back(between({here, static_cast<port_number>(24 + p)},
                               {next, static_cast<port_number>(i == 0 ? p : p + 1)}, 1));
  }
  auto g = fibre_graph::make(sizes, fibres);
  REQUIRE(g);
  CHECK_FALSE(g->find("a", "b", all_good));
}

TEST_CASE("light is followed over all switches, in both directions, to where it really goes") {
  auto g = two_switches();
  crossbars bars{{s1, {{1, 30}, {2, 25}}}, {s2, {{1, 25}}}};
  auto light = g.follow({s1, 1}, bars);
  CHECK(light.end == "alice2");
  CHECK(light.length_km == Approx(11.5));
  CHECK(light.hops.size() == 2);
  CHECK(g.follow({s2, 25}, bars).end == "bob1");
  CHECK(g.follow({s1, 25}, bars).end == "alice3");

  bars[s2].clear();
  light = g.follow({s1, 1}, bars);
  CHECK(light.end.empty());
  CHECK(light.why_none == "s2:1 leads nowhere");
  bars.erase(s2);
  CHECK(g.follow({s1, 1}, bars).why_none == "s2 does not say where s2:1 leads");
  bars[s1] = {{1, 40}};
  CHECK(g.follow({s1, 1}, bars).why_none == "s1:40 has no fibre");
}

TEST_CASE("fibres that cannot lie so are refused with their number") {
  CHECK(problem({to_end("a", s1, 49, 1)}) == "fibre 1: s1:49 is no port of 1 to 48");
  CHECK(problem({to_end("a", s1, 0, 1)}) == "fibre 1: s1:0 is no port of 1 to 48");
  CHECK(problem({to_end("a", switch_id{"s3"}, 1, 1)}) == "fibre 1: no switch named 's3'");
  CHECK(problem({to_end("a", s1, 1, 1), to_end("b", s1, 1, 1)})
        == "fibre 2: s1:1 has a fibre already");
  CHECK(problem({between({s1, 1}, {s1, 30}, 1)}) == "fibre 1: joins s1 to itself");
  CHECK(problem({to_end("a", s1, 1, -1)}).find("length") != std::string::npos);
  CHECK(problem({to_end("a", s1, 1, std::numeric_limits<double>::quiet_NaN())}).find("length")
        != std::string::npos);
  CHECK_FALSE(fibre_graph::make({{s1, 0}}, {}));
}
