// Faults of pools, trusted nodes, streams, gateways, schedulers, switches and supervision, each built in
// on purpose: a life of a lab in which much goes wrong must show every one of them. This program has its
// own copy of those actors, built with the faults.
//
//   QNFV_MUTANTS=all                  every fault over seeds 1 to 200, instead of the seed known to do
//   QNFV_MUTANTS="any site may assign"   one fault over seeds 1 to 200

#include "tests/support/faulty_life.hpp"
#include "tests/support/mutants.hpp"

#include <cstdlib>
#include <set>

using namespace qnfv;
using namespace qnfv::test;

namespace {

struct planted {
  std::string_view fault;
  const char* lab;
  uint64_t seed; ///< Known to show it.
};

const planted all[] = {
  {"delivery before consume", "two-site", 2},
  {"delivery before record", "two-site", 2},
  {"acknowledged before durable", "two-site", 2},
  {"repeated assignment unrecorded", "two-site", 2},
  {"reserved key free again", "two-site", 15},
  {"both ends allocate", "two-site", 7},
  {"anybody may claim", "two-site", 2},
  {"failed sync believed", "two-site", 2},
  {"the dead are not buried", "two-site", 3},
  {"any site may assign", "four-site", 1},
  {"keys leave their site", "two-site", 2},
  {"exposure forgotten", "four-site-relay", 2},
  {"anybody announces sessions", "four-site-relay", 2},
  {"anybody may relay", "four-site-relay", 1},
  {"relay mixes up two keys", "four-site-relay", 2},
  {"all shares over one node", "four-site-relay", 2},
  {"a segment is cut", "two-site", 2},
  {"digest not compared", "two-site", 3},
  {"unfinished image stays", "two-site", 2},
  {"refused image stays loaded", "two-site", 23},
  {"gateway obeys anybody", "four-site", 1},
  {"scheduler keeps its epoch", "four-site", 1},
  {"scheduler serves two at once", "four-site", 1},
  {"silence is not noticed", "two-site", 1},
  {"restarts without end", "two-site", 1},
  {"starts are not numbered", "two-site", 1},
  {"dead roles stay down", "two-site", 2},
  {"anybody ends a site", "two-site", 1},
  {"anybody joins as anybody", "two-site", 1},
};

sim_setting troubled(const char* lab) {
  sim_setting x;
  x.lab = lab::load("config/topologies/" + std::string{lab} + ".json");
  for (auto& far : x.lab.virtual_links)
    far.paths = 2;
  x.span = 1h;
  x.orders_per_h = 20;
  x.callers_per_h = 60;
  x.faults = load_plan(std::string{QNFV_SOURCE_DIR} + "/tests/faults/plans/mutants.json");
  // Places that this lab has not are no matter here.
  auto places = places_of(x.lab);
  auto& lines = x.faults->faults;
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [&](auto& each) {
                               auto one = *x.faults;
                               one.faults = {each};
                               return !draw_faults(one, places, 1, 1);
                             }),
              lines.end());
  return x;
}

std::vector<std::string> broken_by(const char* lab, uint64_t seed) {
  auto x = troubled(lab);
  x.seed = seed;
  auto out = live(x, {});
  if (!out)
    return {"no life: " + out.error().text};
  std::vector<std::string> found;
  for (auto& each : out->violations)
    found.push_back(each.what);
  return found;
}

} // namespace

TEST_CASE("a life full of faults shows every fault that was planted") {
  auto* choice = std::getenv("QNFV_MUTANTS");
  for (auto& x : all) {
    auto only_known = choice == nullptr;
    if (choice && std::string_view{choice} != "all" && choice != x.fault)
      continue;
    auto seed_of = [&](uint64_t n) { return only_known ? x.seed : n; };
    auto verdict = hunt(x.fault, only_known ? 1 : mutant_seeds_max,
                        [&](uint64_t n) { return broken_by(x.lab, seed_of(n)); });
    INFO(x.fault << " in " << x.lab);
    CHECK(verdict.found);
    WARN(x.fault << ": seed " << seed_of(verdict.seed) << " of " << x.lab << ", " << verdict.how);
  }
}

TEST_CASE("the same lives without a planted fault show nothing") {
  std::set<std::pair<std::string, uint64_t>> lives;
  for (auto& x : all)
    lives.emplace(x.lab, x.seed);
  for (auto& [lab, seed] : lives) {
    auto sound = hunt({}, 1, [&](uint64_t) { return broken_by(lab.c_str(), seed); });
    INFO("seed " << seed << " of " << lab << ": " << sound.how);
    CHECK_FALSE(sound.found);
  }
}
