// Nine faults of link, device, controller, switch and scheduler, each built in on purpose: random
// networks must find every one of them, though the other layers would make up for it. This program has
// its own copy of these actors, built with the faults.

#include "tests/support/mutants.hpp"
#include "tests/support/network_night.hpp"

using namespace qnfv;
using namespace qnfv::test;

TEST_CASE("each of nine faults of the light's layers is found within 200 seeds, and nothing without one") {
  auto seed = [](uint64_t x) {
    night_figures sum;
    return play(x, sum);
  };
  find_each({"link believes any light", "link ignores a lost path", "link obeys an old scheduler",
             "device takes a second link", "controller believes its orders",
             "switch believes its driver", "switch takes the newest first",
             "switch obeys an old scheduler", "scheduler serves two at once"},
            20, seed);
}
