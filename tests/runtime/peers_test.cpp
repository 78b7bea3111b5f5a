#include "runtime/deployment/peers.hpp"
#include "runtime/supervision/restarts.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace std::chrono_literals;

namespace {

const site_id dc1{"dc1"};
const time_point start = time_point{} + 1h;

peer_table table() {
  return peer_table{{500ms, 3}, {dc1}};
}

} // namespace

TEST_CASE("a site is dead after three missed heartbeats and not before") {
  auto peers = table();
  REQUIRE(peers.join(dc1, 1, start));
  CHECK(peers.bury(start + 1499ms).empty());
  CHECK(peers.heard(dc1, 1, 1, start + 1499ms));
  CHECK(peers.bury(start + 2998ms).empty());
  CHECK(peers.bury(start + 2999ms) == std::vector<site_id>{dc1});
  CHECK_FALSE(peers.up(dc1));
  CHECK(peers.bury(start + 9s).empty()); // Once.
}

TEST_CASE("a heartbeat that comes again or late is no sign of life") {
  auto peers = table();
  REQUIRE(peers.join(dc1, 1, start));
  CHECK(peers.heard(dc1, 1, 2, start));
  CHECK_FALSE(peers.heard(dc1, 1, 2, start + 1s));
  CHECK_FALSE(peers.heard(dc1, 1, 1, start + 1s));
  CHECK(peers.bury(start + 1500ms) == std::vector<site_id>{dc1});
  // The same start joins again: what was on its way before counts no more than it did.
  REQUIRE(peers.join(dc1, 1, start + 2s));
  CHECK_FALSE(peers.heard(dc1, 1, 2, start + 2s));
  CHECK(peers.heard(dc1, 1, 3, start + 2s));
  // A new start counts anew.
  REQUIRE(peers.join(dc1, 2, start + 2s));
  CHECK(peers.heard(dc1, 2, 1, start + 2s));
}

TEST_CASE("an older start of a site is fenced off") {
  auto peers = table();
  REQUIRE(peers.join(dc1, 5, start));
  auto older = peers.join(dc1, 4, start);
  REQUIRE_FALSE(older);
  CHECK(older.error().code == ec::stale_epoch);
  CHECK(peers.up(dc1));
  CHECK_FALSE(peers.heard(dc1, 4, 1, start));
  CHECK(peers.epoch(dc1) == 5);
}

TEST_CASE("a remembered epoch fences across our own restart") {
  auto peers = table();
  peers.remember(dc1, 9);
  CHECK_FALSE(peers.join(dc1, 8, start));
  CHECK(peers.join(dc1, 9, start)); // We restarted, it did not.
}

TEST_CASE("a newer start of a site replaces the older one") {
  auto peers = table();
  CHECK_FALSE(*peers.join(dc1, 1, start));
  CHECK_FALSE(*peers.join(dc1, 1, start)); // The same start joins again: nothing ended.
  CHECK(*peers.join(dc1, 2, start));
}

TEST_CASE("a site that is no neighbour cannot join") {
  auto peers = table();
  auto stranger = peers.join(site_id{"dc9"}, 1, start);
  REQUIRE_FALSE(stranger);
  CHECK(stranger.error().code == ec::unknown_site);
}

TEST_CASE("a child restarts ever later and not for ever") {
  restart_policy policy{{3, 60s, 100ms, 10s}};
  CHECK(policy.died(start) == duration{100ms});
  CHECK(policy.died(start + 1s) == duration{200ms});
  CHECK(policy.died(start + 2s) == duration{400ms});
  CHECK_FALSE(policy.died(start + 3s));
}

TEST_CASE("old deaths are forgotten") {
  restart_policy policy{{1, 60s, 100ms, 10s}};
  CHECK(policy.died(start));
  CHECK_FALSE(policy.died(start + 59s));
  CHECK(policy.died(start + 10min) == duration{100ms});
}
