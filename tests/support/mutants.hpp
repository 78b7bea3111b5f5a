#pragma once

// Finds out by which seed, if any, a planted fault (runtime/base/mutant.hpp) is noticed. For a program
// that has its own copy of the faulty sources, built with QNFV_MUTANTS.

#include "runtime/base/mutant.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

namespace qnfv {
std::string_view mutant;
}

namespace qnfv::test {

constexpr uint64_t mutant_seeds_max = 200;

struct mutant_verdict {
  bool found = false;
  uint64_t seed = 0; ///< The last one played.
  std::string how;
};

/// What is wrong after a seed, in words; empty: nothing.
using seed_player = std::function<std::vector<std::string>(uint64_t seed)>;

/// Plays seeds 1, 2, ... with a fault until one is found out. In a process of its own: a broken
/// invariant aborts, and that is finding it, too.
inline mutant_verdict hunt(std::string_view fault, uint64_t seeds, const seed_player& play) {
  constexpr uint8_t survived = 0, killed = 1;
  int out[2];
  REQUIRE(::pipe(out) == 0);
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    std::freopen("/dev/null", "w", stderr);
    mutant = fault;
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      if (::write(out[1], &seed, sizeof seed) != sizeof seed)
        ::_exit(2);
      auto found = play(seed);
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
  mutant_verdict x;
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

/// Without a fault nothing is found in `quiet_seeds`; each of the faults is.
inline void find_each(const std::vector<std::string_view>& faults, uint64_t quiet_seeds,
                      const seed_player& play) {
  auto sound = hunt({}, quiet_seeds, play);
  INFO(sound.how);
  CHECK_FALSE(sound.found);
  CHECK(sound.seed == quiet_seeds);
  for (auto& fault : faults) {
    auto x = hunt(fault, mutant_seeds_max, play);
    INFO(fault);
    CHECK(x.found);
    WARN(fault << ": found by seed " << x.seed << ", " << x.how);
  }
}

} // namespace qnfv::test
