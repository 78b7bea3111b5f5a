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
  std::map<std::string, uint32_t> answers;
  // One end draws all it can; the other's quarter stays, and lies spread over the journal.
  auto journal_keys = journal_segments(topology->limits) * 4095ull;
  auto written = [&] {
    auto status = sim.ask_at<pool_status>(site_id{"co"}, pool("co"), pool_status_query{link});
    REQUIRE(status);
    return *status;
  };
  auto filled_twice = sim.until(
    [&] {
      ++asked;
      sim.random().fill(request.value.data(), request.value.size());
      auto got = sim.ask_at<key_grants>(site_id{"co"}, pool("co"),
                                    reserve_keys{link, 128, key_bits, request, {"nfv-co", {"mano"}}});
      if (!got)
        ++answers[describe(got.error())];
      return written().ingested > 2 * journal_keys;
    },
    48h, 12s);
  auto now = written();
  std::string last;
  for (auto& x : sim.events())
    if (x.kind == trace_kind::note && (x.message == "alarm" || x.message == "keys"))
      last = x.text;
  std::string all;
  for (auto& [text, n] : answers)
    all += std::to_string(n) + " x " + text + "; ";
  INFO(all);
  INFO(format_duration(sim.elapsed()) << ", " << asked << " asked, refused " << now.refused << ", consumed " << now.consumed << ", destroyed " << now.destroyed);
  INFO("ready " << now.ready << ", ours " << now.ready_here << ", stored " << now.stored << ", kept " << now.kept
                << "; " << now.trouble << "; last: " << last);
  INFO(written().ingested << " of " << 2 * journal_keys << " keys");
  CHECK(filled_twice);
  CHECK(written().kept >= 60);
  CHECK(sim.violations(false).empty());
}
