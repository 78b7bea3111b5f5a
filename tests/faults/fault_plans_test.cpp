// Every plan of config/faults lives in a simulation: each of its faults has an effect, and nothing that
// must hold is broken. all.json has its own test: every seed of tests/faults/history.json.

#include "tests/support/faulty_life.hpp"

#include <filesystem>

using namespace qnfv;
using namespace qnfv::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t seeds = 1; // Each takes several times as long there.
#else
constexpr uint64_t seeds = 2;
#endif

/// The smallest lab that has every place of the plan.
topology lab_of(const fault_plan& plan) {
  for (auto* name : {"two-site", "four-site", "four-site-relay"}) {
    auto lab = lab::load("config/topologies/" + std::string{name} + ".json");
    auto places = places_of(lab);
    if (draw_faults(plan, places, 1, 1) && placeless(plan, places).empty())
      return lab;
  }
  FAIL("no lab has the places of " << plan.name);
  return {};
}

} // namespace

TEST_CASE("every plan of faults does what it says, and breaks nothing that must hold") {
  size_t plans = 0;
  for (auto& file : std::filesystem::directory_iterator{std::string{QNFV_SOURCE_DIR} + "/config/faults"}) {
    if (file.path().filename() == "all.json")
      continue;
    ++plans;
    sim_setting x;
    x.faults = load_plan(file.path().string());
    x.lab = lab_of(*x.faults);
    x.span = 1h;
    x.orders_per_h = 6;
    std::set<fault_kind> silent;
    for (auto& each : x.faults->faults)
      silent.insert(each.what);
    for (x.seed = 1; x.seed <= seeds; ++x.seed)
      for (auto kind : live_soundly(x).fired)
        silent.erase(kind);
    for (auto kind : silent)
      UNSCOPED_INFO(x.faults->name << " in " << x.lab.name << ": " << to_string(kind) << " never fired");
    if (seeds > 1) // One life is too short for every kind.
      CHECK(silent.empty());
  }
  CHECK(plans > 0);
}
