// Ten faults of the two-ended protocol, each built in on purpose: the checks of two_pools.hpp must find
// every one of them. This program has its own copy of the pool, built with the faults (mutant.hpp).

#include "actors/key_pool/mutant.hpp"
#include "tests/support/two_pools.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace qnfv {
int key_pool_mutant = -1;
}

using namespace qnfv;
using namespace qnfv::test;

namespace {

constexpr uint64_t seeds_max = 200;
constexpr uint8_t survived = 0, killed = 1;

/// Plays seeds with a fault until one is found out. In a process of its own: a broken invariant
/// aborts, and that is finding it, too.
struct verdict {
  bool found = false;
  uint64_t seed = 0;
  std::string how;
};

verdict hunt(int mutant, uint64_t seeds) {
  int out[2];
  REQUIRE(::pipe(out) == 0);
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    std::freopen("/dev/null", "w", stderr);
    key_pool_mutant = mutant;
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      if (::write(out[1], &seed, sizeof seed) != sizeof seed)
        ::_exit(2);
      size_t deliveries = 0, crashes = 0;
      auto found = play(seed, deliveries, crashes);
      if (found.empty())
        continue;
      if (::write(out[1], found.front().data(), found.front().size()) < 0)
        ::_exit(2);
      ::_exit(killed);
    }
    ::_exit(survived);
  }
  ::close(out[1]);
  std::string all;
  char buffer[4096];
  for (ssize_t n; (n = ::read(out[0], buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<size_t>(n));
  ::close(out[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  verdict x;
  x.found = !WIFEXITED(status) || WEXITSTATUS(status) == killed;
  REQUIRE((x.found || WEXITSTATUS(status) == survived));
  // Each seed was announced in eight bytes; after the last one comes what it found.
  uint64_t at = 0;
  while (at + 8 <= all.size()) {
    uint64_t seed = 0;
    std::copy_n(all.data() + at, 8, reinterpret_cast<char*>(&seed));
    if (seed != x.seed + 1)
      break;
    x.seed = seed;
    at += 8;
  }
  x.how = WIFEXITED(status) ? all.substr(at) : "a broken invariant aborted it";
  return x;
}

} // namespace

TEST_CASE("without a fault nothing is found") {
  auto x = hunt(-1, 50);
  INFO(x.how);
  CHECK_FALSE(x.found);
  CHECK(x.seed == 50);
}

TEST_CASE("each of ten faults of the protocol is found within 200 seeds") {
  const char* faults[] = {
    "a repeated assignment is acknowledged from memory",
    "the allocating end delivers before its own consume is durable",
    "a reserved key becomes free again after a time-out or a restart",
    "both ends hand out keys of one range",
    "the other end does not look who asks",
    "the other end delivers, then records",
    "the two copies of a block are not compared",
    "the numbers of dead keys are forgotten in a restart",
    "an assigned key may change its users",
    "an assignment is acknowledged before it is durable",
  };
  for (int mutant = 0; mutant < 10; ++mutant) {
    auto x = hunt(mutant, seeds_max);
    INFO("fault " << mutant << ": " << faults[mutant]);
    CHECK(x.found);
    WARN("fault " << mutant << ", " << faults[mutant] << ": found by seed " << x.seed << ", "
                  << x.how);
  }
}
