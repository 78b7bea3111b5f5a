// Ten faults of the two-ended protocol, each built in on purpose: the checks of two_pools.hpp must find
// every one of them. This program has its own copy of the pool, built with the faults.

#include "tests/support/mutants.hpp"
#include "tests/support/two_pools.hpp"

using namespace qnfv;
using namespace qnfv::test;

TEST_CASE("each of ten faults of the protocol is found within 200 seeds, and nothing without one") {
  auto seed = [](uint64_t x) {
    size_t deliveries = 0, crashes = 0;
    return play(x, deliveries, crashes);
  };
  find_each({"repeated assignment unrecorded", "delivery before consume", "reserved key free again",
             "both ends allocate", "anybody may claim", "delivery before record",
             "copies not compared", "dead numbers forgotten", "users may change",
             "acknowledged before durable"},
            50, seed);
}
