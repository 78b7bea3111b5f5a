#include "tests/support/lab.hpp"
#include "tools/qnfv/compose.hpp"

using namespace qnfv;
using namespace qnfv::test;

// One end draws all it can and nobody claims at the other: a pool that is full for hours, at one end more
// than at the other, with keys of one allocator spread over the whole journal.
TEST_CASE("a link goes on making keys after its journal has been written over twice") {
  auto topology = load_topology(std::string{QNFV_SOURCE_DIR} + "/config/topologies/two-site.json");
  REQUIRE(topology);
  topology->limits.pool_keys_max = 2000;
  simulation sim{*topology, 3};
  auto pool = sim.role<key_pool_actor>(site_id{"co"}, "key_pool");
  link_id link{"bob1/alice1"};
  auto status = [&] {
    auto x = sim.ask_at<pool_status>(site_id{"co"}, pool, pool_status_query{link});
    REQUIRE(x);
    return *x;
  };
  auto journal_keys = journal_segments(topology->limits) * 4095ull;

  auto written_twice = sim.until(
    [&] {
      request_id request;
      sim.random().fill(request.value.data(), request.value.size());
      (void) sim.ask_at<key_grants>(site_id{"co"}, pool,
                                    reserve_keys{link, 128, key_bits, request, {"nfv-co", {"mano"}}});
      return status().ingested > 2 * journal_keys;
    },
    48h, 12s);

  auto now = status();
  INFO(now.ingested << " of " << 2 * journal_keys << " keys; " << now.trouble);
  CHECK(written_twice);
  CHECK(now.trouble.empty());
  CHECK(now.kept >= 60); // Of 64: the authentication reserve has not been spent on blocks that are lost.
  CHECK(sim.violations(false).empty());
}
