#include "tools/qnfv/schedule_lab.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace qnfv;

namespace {

const std::string good = R"({"name": "two", "seed": 3, "horizon_s": 86400, "bobs": 1,
 "links": [
  {"rate": 1000, "init": 400, "cap": 1000000, "pool": 800000},
  {"rate": 500, "init": 600, "cap": 1000000, "pool": 800000}],
 "flows": [
  {"path": [0], "kind": "poisson", "bits": 256, "rps": 0.5},
  {"path": [0, 1], "kind": "burst", "bits": 256, "n": 4, "gap_s": 20, "rps": 0.2, "amp": 0.5,
   "phase_h": 8, "crowd": [[1000, 500, 3]]}],
 "faults": [{"kind": "link_down", "id": 1, "at": 5000, "dur": 600},
            {"kind": "bob_down", "id": 0, "at": 20000, "dur": 600},
            {"kind": "degrade", "id": 0, "at": 5000, "ramp_s": 600, "rate_x": 0.5, "init_x": 2}]})";

std::string with(std::string text, const std::string& what, const std::string& by) {
  auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

} // namespace

TEST_CASE("a scenario is read") {
  auto x = parse_scenario(good, "two.json");
  REQUIRE(x);
  CHECK(x->links.size() == 2);
  CHECK(x->flows[1].burst == 4);
  CHECK(x->flows[1].factor(1200)
        == Approx(3 * (1 + 0.5 * std::cos(2 * 3.14159265 * (1200 / 3600.0 - 8) / 24))));
  CHECK(x->faults.size() == 3);
  CHECK(x->demand_bps()[1] == Approx(0.2 * 256));
}

TEST_CASE("what is wrong in a scenario is named with its place") {
  struct mistake {
    std::string what, by, says;
  };
  for (auto& x :
       std::vector<mistake>{{"\"bobs\": 1", "\"bobs\": 0", "/bobs"},
                            {"\"bobs\": 1,", "", "bobs"},
                            {"\"rate\": 1000", "\"rate\": -4", "/links/0/rate"},
                            {"\"rate\": 1000", "\"rate\": \"fast\"", "/links/0/rate"},
                            {"\"pool\": 800000", "\"pool\": 8000000", "/links/0/pool"},
                            {"\"path\": [0]", "\"path\": [7]", "no such link"},
                            {"\"path\": [0, 1]", "\"path\": [1, 1]", "once"},
                            {"\"path\": [0]", "\"path\": []", "path"},
                            {"poisson", "fractal", "poisson or burst"},
                            {"[1000, 500, 3]", "[1000, 500]", "crowd"},
                            {"link_down", "link_up", "bob_down"},
                            {"\"id\": 1", "\"id\": 2", "/faults/0/id"},
                            {"\"horizon_s\": 86400", "\"horizon_s\": 1e300", "/horizon_s"},
                            {"\"n\": 4", "\"n\": 4.5", "whole"},
                            {"\"seed\": 3", "\"seed\": 3, \"seed\": 4", "seed"},
                            {"\"links\": [", "\"links\": [7, ", "/links/0"}}) {
    auto out = parse_scenario(with(good, x.what, x.by), "two.json");
    INFO(x.by);
    REQUIRE_FALSE(out);
    CHECK(out.error().code == ec::bad_config);
    CHECK(out.error().text.find("two.json") != std::string::npos);
    CHECK(out.error().text.find(x.says) != std::string::npos);
  }
  CHECK_FALSE(parse_scenario("[]", "x.json"));
  CHECK_FALSE(parse_scenario("{", "x.json"));
  CHECK_FALSE(parse_scenario("", "x.json"));
}

TEST_CASE("the committed scenarios are read") {
  size_t n = 0;
  for (auto& file : std::filesystem::directory_iterator(QNFV_SOURCE_DIR "/config/schedules")) {
    if (file.path().extension() != ".json")
      continue;
    std::ifstream in{file.path()};
    std::stringstream text;
    text << in.rdbuf();
    auto x = parse_scenario(text.str(), file.path().filename().string());
    INFO(file.path());
    REQUIRE(x);
    CHECK(fluid_bound(*x) > 0.5);
    CHECK(fluid_bound(*x) <= 1);
    ++n;
  }
  CHECK(n == 26);
}

TEST_CASE("every policy meets the same demand, and a run repeats") {
  auto x = parse_scenario(good, "two.json");
  REQUIRE(x);
  auto a = play(*x, "paper"), b = play(*x, "paper"), c = play(*x, "best");
  CHECK(a.world.q == b.world.q);
  CHECK(a.world.switches == b.world.switches);
  CHECK(a.decisions == b.decisions);
  CHECK(c.world.switches > 0);
  auto d = play(*x, "best");
  CHECK(c.world.q == d.world.q);
  CHECK(c.decisions == d.decisions);
  CHECK_THROWS(play(*x, "lottery"));
}

TEST_CASE("the n-th visit of a link goes the same whoever sends Bob there") {
  auto x = parse_scenario(good, "two.json");
  REQUIRE(x);
  schedule_world a{*x, {0, 0}}, b{*x, {0, 0}};
  a.advance(100);
  b.advance(1000);
  REQUIRE(a.serve(0));
  REQUIRE(b.serve(0));
  CHECK(a.links()[0].rate_bps == b.links()[0].rate_bps);
  CHECK_FALSE(a.serve(1)); // Bob is with another.
  a.advance(1000);
  CHECK(a.links()[0].asked_bits == b.links()[0].asked_bits);
}
