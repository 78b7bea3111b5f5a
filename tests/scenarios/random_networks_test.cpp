// 1,000 random networks with faults at random times, and a checker that sees where light really goes.

#include "tests/support/network_night.hpp"

#include <cstdlib>

using namespace qnfv;
using namespace qnfv::test;

TEST_CASE("1,000 random networks keep I7, I14, I25, I27 to I29 and I43") {
  uint64_t seeds = 1000;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  seeds = 60; // Each takes ten times as long there.
#endif
  if (auto* more = std::getenv("QNFV_SEEDS"))
    seeds = std::strtoull(more, nullptr, 10);
  night_figures sum;
  uint64_t first = 1;
  if (auto* from = std::getenv("QNFV_FIRST_SEED"))
    first = std::strtoull(from, nullptr, 10);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    auto found = play(seed, sum);
    for (auto& x : found)
      UNSCOPED_INFO("seed " << seed << ", " << policy_of(seed) << ": " << x);
    CHECK(found.empty());
  }
  WARN(seeds << " networks, " << sum.visits << " sessions, " << sum.keys << " blocks at both ends, "
             << sum.changes << " changes by the paper's rules, " << sum.alarms << " alarms, "
             << sum.refused << " commands refused that nobody may give");
  CHECK(sum.visits > seeds * 5);
  CHECK(sum.keys > seeds * 20);
  CHECK(sum.refused > seeds / 10);
}
