#include "tools/face/chart.hpp"
#include "tools/face/json_out.hpp"
#include "tools/face/progress.hpp"
#include "tools/face/table.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

using namespace qnfv;
using namespace std::chrono_literals;

namespace {

const face_settings plain{false, 100};

trace_event event(const std::string& site, uint64_t sequence, trace_kind kind, int64_t ms,
                  const std::string& cause, const std::string& from, const std::string& to,
                  const std::string& message, const std::string& text = "") {
  trace_event x;
  x.unix_ns = ms * 1'000'000;
  x.site = site;
  x.sequence = sequence;
  x.kind = kind;
  x.trace = "co:1";
  x.cause = cause;
  x.from = from;
  x.to = to;
  x.message = message;
  x.text = text.empty() ? message + "(...)" : text;
  return x;
}

/// One delivery; the clock of dc1 is 40 ms behind, so its events seem to come before their causes.
trace_log delivery() {
  auto receive = trace_kind::receive;
  trace_log log;
  log.events = {
    event("dc1", 1, receive, -30, "co:5", "co/#9", "dc1/mano_gateway", "transfer_offer"),
    event("dc1", 2, receive, -29, "dc1:1", "dc1/mano_gateway", "dc1/vnf_manager", "load_image"),
    event("dc1", 3, receive, -28, "dc1:1", "dc1/image_stream", "dc1/key_pool", "claim_keys"),
    event("dc1", 4, receive, 50, "dc1:3", "dc1/vnf_manager", "dc1/vim", "create_instance"),
    event("co", 1, receive, 0, "", "operator/#1", "co/orchestrator", "deliver_image"),
    event("co", 2, receive, 1, "co:1", "co/orchestrator", "co/store", "save_order"),
    event("co", 3, receive, 2, "co:1", "co/image_stream", "co/key_pool", "reserve_keys"),
    event("co", 4, receive, 3, "co:3", "co/image_stream", "co/channel", "open_channel"),
    event("co", 5, trace_kind::send, 4, "co:4", "co/orchestrator", "dc1/mano_gateway", "transfer_offer"),
    event("co", 6, trace_kind::note, 5, "co:4", "co/image_stream", "co/image_stream", "frames",
          "first frame"),
    event("co", 7, trace_kind::send, 90, "co:6", "co/orchestrator", "dc1/mano_gateway", "transfer_done"),
    event("co", 8, trace_kind::reply, 100, "co:7", "dc1/#4", "co/orchestrator", "transfer_verdict"),
  };
  return log;
}

std::string golden(const std::string& name) {
  std::ifstream in{std::string{QNFV_SOURCE_DIR} + "/tests/golden/" + name};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace

TEST_CASE("the chart of a delivery shows the paper's chain in its order") {
  CHECK(render_chart(delivery(), false, plain) == golden("delivery_chart.txt"));
}

TEST_CASE("an event comes after its cause, whatever the clocks say") {
  auto log = delivery();
  log.sort();
  std::vector<std::string> order;
  for (auto& x : log.events)
    order.push_back(x.id());
  auto at = [&](const char* id) { return std::find(order.begin(), order.end(), id) - order.begin(); };
  CHECK(order.size() == 12);
  CHECK(at("co:5") < at("dc1:1"));
  CHECK(at("dc1:1") < at("dc1:3"));
  CHECK(at("co:4") < at("co:5"));
}

TEST_CASE("losses and garbage in a trace are said, not hidden") {
  trace_log log;
  log.add("garbage");
  log.lost["dc1"] = 12;
  auto text = render_chart(log, false, plain);
  CHECK(text.find("12 events lost at dc1") != std::string::npos);
  CHECK(text.find("1 lines are no events") != std::string::npos);
}

TEST_CASE("the long chart has every message once") {
  auto text = render_chart(delivery(), true, plain);
  CHECK(std::count(text.begin(), text.end(), '\n') == 11); // Send and arrival are one line.
  CHECK(text.find("co/orchestrator -> dc1/mano_gateway  transfer_offer") != std::string::npos);
}

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
