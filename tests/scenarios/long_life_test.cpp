#include "tests/support/lab.hpp"
#include "tools/qnfv/compose.hpp"

using namespace qnfv;
using namespace qnfv::test;

TEST_CASE("a link goes on making keys after its journal has been written over and over") {
  auto topology = load_topology(std::string{QNFV_SOURCE_DIR} + "/config/topologies/two-site.json");
  REQUIRE(topology);
  topology->limits.pool_keys_max = 2000;
  simulation sim{*topology, 3};
  auto pool = [&](const char* site) { return sim.role<key_pool_actor>(site_id{site}, "key_pool"); };
  link_id link{"bob1/alice1"};
  request_id request;
  uint32_t asked = 0;
  // One end draws all it can; the other's quarter stays, and lies spread over the journal.
  auto journal_keys = journal_segments(topology->limits) * 4095ull;
  auto written = [&] {
    auto status = sim.ask_at<pool_status>(site_id{"co"}, pool("co"), pool_status_query{link});
    REQUIRE(status);
    return *status;
  };
  auto filled_twice = sim.until(
    [&] {
      store_be32(request.value.data(), ++asked);
      (void) sim.ask_at<key_grants>(site_id{"co"}, pool("co"),
                                    reserve_keys{link, 128, key_bits, request, {"nfv-co", {"mano"}}});
      return written().ingested > 2 * journal_keys;
    },
    48h, 12s);
  INFO(written().ingested << " of " << 2 * journal_keys << " keys");
  CHECK(filled_twice);
  CHECK(written().kept >= 60);
  CHECK(sim.violations(false).empty());
}
