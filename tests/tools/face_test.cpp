#include "tools/face/json_out.hpp"
#include "tools/face/progress.hpp"
#include "tools/face/table.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace std::chrono_literals;

namespace {

const face_settings plain{false, 100};

} // namespace

TEST_CASE("a table aligns, and cuts what does not fit") {
  table t{{"NAME", "SIZE#", "REASON"}};
  t.add({"a", "1", "short"});
  t.add({"größer", "1000", std::string(200, 'x')});
  auto text = t.text({false, 40});
  CHECK(text
        == "NAME    SIZE  REASON\n"
           "a          1  short\n"
           "größer  1000  xxxxxxxxxxxxxxxxxxxxxxx…");
  CHECK(table{{"A"}}.text(plain, "nothing yet") == "nothing yet");
}

TEST_CASE("the progress line shows share, rate and time left") {
  order x;
  x.state = order_state::streaming;
  x.size_bytes = 769'000'000;
  x.sent_bytes = 401'000'000;
  CHECK(render_progress("fw -> dc1", x, 212e6)
        == "fw -> dc1  [############............]  52 %  401 MB / 769 MB  212 MB/s  ETA 1.74 s  "
           "streaming");
  x.state = order_state::waiting_for_key;
  x.sent_bytes = 0;
  x.reason = "link bob1/alice1 has no unused key";
  CHECK(render_progress("fw -> dc1", x, 0)
        == "fw -> dc1  [........................]   0 %  waiting_for_key: link bob1/alice1 has no "
           "unused key");
}

TEST_CASE("the rate follows the bytes") {
  rate_estimate r;
  time_point t{};
  for (int i = 0; i <= 10; ++i)
    r.add(static_cast<uint64_t>(i) * 10'000'000, t + i * 100ms);
  CHECK(r.bytes_per_s() == Approx(100e6).epsilon(0.01));
  r.add(0, t + 2s); // A new transfer: no negative rates.
  CHECK(r.bytes_per_s() > 0);
}

TEST_CASE("results print as JSON with units in the names") {
  order x;
  x.id = order_id{"order-1"};
  x.image = image_id{"fw"};
  x.site = site_id{"dc1"};
  x.state = order_state::running;
  x.size_bytes = 2'000'000;
  x.stream_s = 0.5;
  x.reason = "a \"quote\"";
  auto text = to_json(x);
  CHECK(text.find("\"order\":\"order-1\"") != std::string::npos);
  CHECK(text.find("\"mb_per_s\":4.0") != std::string::npos);
  CHECK(text.find("\"key_id\":\"\"") != std::string::npos);
  CHECK(text.find("a \\\"quote\\\"") != std::string::npos);
  CHECK(to_json(order_list{}) == "[]");
}

TEST_CASE("relays of several sites are one row per virtual link, with what each hop has spent") {
  virtual_link_status x;
  x.link = link_id{"co/dc3"};
  x.a = site_id{"co"};
  x.b = site_id{"dc3"};
  x.session = 2;
  x.paths = {{site_id{"co"}, site_id{"n1"}, site_id{"dc3"}},
             {site_id{"co"}, site_id{"n2"}, site_id{"dc3"}}};
  x.exposed_to = {site_id{"n1"}, site_id{"n2"}};
  x.each_sees_keys = false;
  x.stock = 300;
  x.keys_high = 1024;
  x.relays_done = 5;
  x.last_reason = "co - n1: site_unreachable";
  std::vector<relay_status> all{
    {site_id{"co"}, {x}, {{x.link, link_id{"bob1/alice1"}, 325}}},
    {site_id{"n1"}, {}, {{x.link, link_id{"bob3/alice3"}, 260}, {link_id{"a/b"}, link_id{"c/d"}, 1}}}};
  auto text = render(all, {false, 300});
  CHECK(text.find("300/1024") != std::string::npos);
  CHECK(text.find("co - n1 - dc3 + co - n2 - dc3") != std::string::npos);
  CHECK(text.find("n1, n2 (shares only)") != std::string::npos);
  CHECK(text.find("bob1/alice1 325, bob3/alice3 260 ") != std::string::npos);
  CHECK(text.find("co - n1: site_unreachable") != std::string::npos);
  auto json = to_json(all);
  CHECK(json.find("\"exposed_to\":[\"n1\",\"n2\"],\"each_sees_keys\":false") != std::string::npos);
  CHECK(json.find("\"spent\":[{\"hop\":\"bob1/alice1\",\"keys\":325},{\"hop\":\"bob3/alice3\","
                  "\"keys\":260}]")
        != std::string::npos);
  CHECK(render(std::vector<relay_status>{}, plain) == "this lab has no virtual links");
}

TEST_CASE("a lab at one glance: who runs, who is down and why, what each role is like") {
  lab_report x;
  site_status co;
  co.site = site_id{"co"};
  co.epoch = 3;
  co.pid = 77;
  co.uptime_s = 5;
  co.heartbeats = 9;
  co.roles = {{"orchestrator", true, 2, 3}, {"key_pool", false, 0, 0}};
  peer_status dc1, dc2;
  dc1.site = site_id{"dc1"};
  dc1.up = true;
  dc1.silent_s = 0.25;
  dc2.site = site_id{"dc2"};
  dc2.reason = "silent for 3 heartbeats";
  co.peers = {dc1, dc2};
  x.sites = {co};
  x.silent = {"cannot reach site dc2"};
  switch_status polatis;
  polatis.name = switch_id{"polatis1"};
  polatis.reachable = true;
  polatis.joined = {{1, 25}, {2, 26}};
  polatis.failed = {7};
  polatis.dark = {3};
  x.switches = {polatis};
  auto text = render(x, {false, 200});
  CHECK(text.find("co        3   77  5.00 s      9    1/2         2  dc1 250 ms ago, dc2 down: silent for 3 heartbeats")
        != std::string::npos);
  CHECK(text.find("down: cannot reach site dc2") != std::string::npos);
  CHECK(text.find("orchestrator  alive, 3 waiting (2 restarts)") != std::string::npos);
  CHECK(text.find("key_pool                               dead") != std::string::npos);
  CHECK(text.find("1-25, 2-26") != std::string::npos);
  CHECK(text.find("port 7 failed, no light at port 3") != std::string::npos);
  CHECK(text.find("no transfer is under way") != std::string::npos);
  auto json = to_json(x);
  CHECK(json.find("\"silent\":[\"cannot reach site dc2\"]") != std::string::npos);
  CHECK(json.find("\"joined\":[{\"in\":1,\"out\":25},{\"in\":2,\"out\":26}],\"dark\":[3],\"failed\":[7]") != std::string::npos);
  CHECK(json.find("{\"role\":\"key_pool\",\"alive\":false,\"restarts\":0,\"waiting\":0}") != std::string::npos);
  CHECK(to_json(lab_report{})
        == "{\"sites\":[],\"links\":[],\"keys\":[],\"switches\":[],\"transfers\":[],\"silent\":[]}");
}

TEST_CASE("hosts are told with what was done there, or why not") {
  hosted_site good, bad;
  good.site = site_id{"co"};
  good.host = "lab@co";
  good.manager = "system";
  good.running = true;
  bad.site = site_id{"dc1"};
  bad.host = "dc1";
  bad.error = "it refuses ssh";
  auto text = render({good, bad}, {false, 200});
  CHECK(text.find("systemd (system)") != std::string::npos);
  CHECK(text.find("running  unchanged") != std::string::npos);
  CHECK(text.find("failed   it refuses ssh") != std::string::npos);
  auto json = to_json(std::vector<hosted_site>{bad});
  CHECK(json.find("\"running\":false,\"done\":\"\",\"error\":\"it refuses ssh\"") != std::string::npos);
}
