#include "tests/support/lab.hpp"

using namespace qnfv;
using namespace qnfv::test;

TEST_CASE("an image becomes a running VNF at a data centre") {
  lab net{two_site};
  net.has_image("firewall", 3'000'000);
  auto id = net.deploy("firewall", "dc1");
  auto end = net.ended(id);
  CHECK(end.state == order_state::running);
  CHECK(end.digest == end.site_digest);
  CHECK(end.sent_bytes == 3'000'000);
  REQUIRE(net.vnfs().size() == 1);
  CHECK(net.vnfs()[0].vnf == end.vnf);
  CHECK(net.vnfs()[0].state == vnf_state::running);
  // The key was reserved at one end, assigned at the other, and consumed at both.
  CHECK(belongs_to(end.key, link_id{"bob1/alice1"}));
  CHECK(net.pool("co").assigned == 0);
  CHECK(net.pool("dc1").assigned == 0);
  net.sim().advance(2min);
  net.check_invariants();
}

TEST_CASE("an order waits for the first key and says so") {
  lab net{two_site};
  net.has_image("firewall", 10'000);
  auto id = net.deploy("firewall", "dc1");
  net.until(id, order_state::waiting_for_key, 1min);
  CHECK_FALSE(net.see(id).reason.empty());
  auto asked = net.sim().elapsed();
  CHECK(net.ended(id).state == order_state::running);
  // Initialisation of a 5 km link takes 471 s, give or take 10 %, and the order could not be sooner.
  CHECK(net.sim().elapsed() > 380s);
  CHECK(net.sim().elapsed() - asked < 600s);
}

TEST_CASE("a VNF starts although Bob crashes during the first key") {
  lab net{two_site};
  net.has_image("firewall", 100'000);
  auto id = net.deploy("firewall", "dc1");
  net.until_link(link_state::initialising);
  net.sim().advance(200s);
  net.sim().kill_role(site_id{"co"}, "source/bob1/alice1");
  auto before = net.link().session;
  auto end = net.ended(id);
  CHECK(end.state == order_state::running);
  CHECK(net.link().session > before); // A new session: ids never repeat.
  CHECK(session_of(end.key) > before);
  net.sim().advance(2min);
  net.check_invariants();
}

TEST_CASE("a data centre dies in the middle of a transfer") {
  lab net{two_site};
  net.has_image("firewall", 40'000'000);
  net.until_link(link_state::distilling);
  net.sim().advance(1min);
  auto id = net.deploy("firewall", "dc1");
  net.until(id, order_state::streaming);
  auto first_key = net.see(id).key;
  net.sim().crash(site_id{"dc1"});
  net.sim().advance(2s); // Less than four heartbeats.
  auto end = net.see(id);
  CHECK(end.state == order_state::failed);
  CHECK(end.code == ec::site_unreachable);
  CHECK(end.reason.find("dc1") != std::string::npos);

  net.sim().start(site_id{"dc1"});
  net.sim().advance(5s);
  auto again = net.deploy("firewall", "dc1");
  auto second = net.ended(again);
  CHECK(second.state == order_state::running);
  CHECK(second.key != first_key);
  net.sim().advance(2min);
  CHECK(net.vnfs().size() == 1);
  net.check_invariants();
}

TEST_CASE("the data centre is cut off in the middle of a transfer and comes back") {
  lab net{two_site};
  net.has_image("firewall", 40'000'000);
  net.until_link(link_state::distilling);
  net.sim().advance(1min);
  auto id = net.deploy("firewall", "dc1");
  net.until(id, order_state::streaming);
  net.sim().cut(site_id{"co"}, site_id{"dc1"});
  net.sim().advance(3s);
  CHECK(net.see(id).state == order_state::failed);
  net.sim().heal(site_id{"co"}, site_id{"dc1"});
  net.sim().advance(1min);
  CHECK(net.vnfs().empty());
  auto second = net.ended(net.deploy("firewall", "dc1"));
  CHECK(second.state == order_state::running);
  net.sim().advance(5min);
  net.check_invariants();
}

TEST_CASE("the key runs out and comes back") {
  lab net{two_site};
  net.has_image("config", 5'000);
  net.until_link(link_state::distilling);
  net.sim().advance(1min);
  // Eve takes the line: every block fails, and what is in the pool is all there is.
  auto device = net.sim().role<qkd_device_actor>(site_id{"co"}, "qkd_device/bob1");
  line_conditions eve;
  eve.eavesdropper_share = 1;
  REQUIRE(net.sim().ask<accepted>(device, set_line{link_id{"bob1/alice1"}, eve}));
  net.sim().advance(10min); // The block under way ends.
  key_users users{"co/test", {"dc1/test"}};
  auto pool = net.sim().role<key_pool_actor>(site_id{"co"}, "key_pool");
  size_t drawn = 0;
  for (;; ++drawn) {
    request_id request{net.sim().random().bytes_of<std::array<uint8_t, 16>>()};
    auto grants = net.sim().ask_at<key_grants>(
      site_id{"co"}, pool, reserve_keys{link_id{"bob1/alice1"}, 1, key_bits, request, users});
    if (grants)
      continue;
    CHECK(grants.error().code == ec::key_exhausted);
    break;
  }
  REQUIRE(drawn > 100);
  CHECK(net.pool("co").ready_here == 0);
  auto id = net.deploy("config", "dc1");
  net.until(id, order_state::waiting_for_key, 1min);
  net.sim().advance(1h);
  REQUIRE(net.sim().ask<accepted>(device, set_line{link_id{"bob1/alice1"}, line_conditions{}}));
  CHECK(net.ended(id).state == order_state::running);
  net.check_invariants(false);
}

TEST_CASE("the orchestrator crashes while a transfer is under way") {
  lab net{two_site};
  net.has_image("firewall", 40'000'000);
  net.until_link(link_state::distilling);
  net.sim().advance(1min);
  auto id = net.deploy("firewall", "dc1");
  net.until(id, order_state::streaming);
  net.sim().crash(site_id{"co"});
  net.sim().advance(10s);
  net.sim().start(site_id{"co"});
  net.sim().advance(1min);
  auto end = net.see(id);
  CHECK(end.state == order_state::failed);
  CHECK(end.reason.find("orchestrator") != std::string::npos);
  CHECK(net.vnfs().empty());
  auto second = net.ended(net.deploy("firewall", "dc1"));
  CHECK(second.state == order_state::running);
  net.sim().advance(5min);
  net.check_invariants();
}

TEST_CASE("an operator cancels a transfer and nothing is left of it") {
  lab net{two_site};
  net.has_image("firewall", 40'000'000);
  net.until_link(link_state::distilling);
  net.sim().advance(1min);
  auto id = net.deploy("firewall", "dc1");
  net.until(id, order_state::streaming);
  auto cancelled = net.sim().ask<order>(net.sim().orchestrator(), cancel_order{id});
  REQUIRE(cancelled);
  CHECK(cancelled->state == order_state::cancelled);
  net.sim().advance(1min);
  CHECK(net.vnfs().empty());
  CHECK(net.see(id).state == order_state::cancelled);
  net.check_invariants();
}

TEST_CASE("orders that cannot be are refused with the reason") {
  lab net{two_site};
  auto unknown = net.sim().deliver("nothing", site_id{"dc1"});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ec::unknown_image);
  net.has_image("firewall", 1000);
  auto nowhere = net.sim().deliver("firewall", site_id{"dc9"});
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == ec::unknown_site);
  CHECK(nowhere.error().text.find("dc1") != std::string::npos);
  net.sim().crash(site_id{"dc1"});
  net.sim().advance(2s);
  auto away = net.sim().deliver("firewall", site_id{"dc1"});
  REQUIRE_FALSE(away);
  CHECK(away.error().code == ec::site_unreachable);
  auto all = net.sim().ask<order_list>(net.sim().orchestrator(), list_orders{});
  REQUIRE(all);
  CHECK(all->orders.empty());
}

TEST_CASE("the bytes that arrive follow from the channel that their sender opened") {
  lab net{two_site};
  net.has_image("firewall", 300'000);
  auto end = net.ended(net.deploy("firewall", "dc1"));
  REQUIRE(end.state == order_state::running);
  std::map<std::string, trace_event> events;
  for (auto& x : net.sim().events(end.trace))
    events[x.id()] = x;
  size_t notes = 0;
  for (auto& entry : events) {
    auto& x = entry.second;
    if (x.site != "dc1" || x.message != "frames")
      continue;
    ++notes;
    auto cause = x.cause;
    if (events[cause].message == "pump_finished")
      cause = events[cause].cause;
    CHECK(events[cause].site == "co");
    CHECK(events[cause].message == "open_channel");
  }
  CHECK(notes == 2); // The first and the last.
}

TEST_CASE("the same seed gives the same trace, another seed another") {
  auto play = [](uint64_t seed) {
    lab net{two_site, seed};
    net.has_image("firewall", 300'000);
    auto end = net.ended(net.deploy("firewall", "dc1"));
    CHECK(end.state == order_state::running);
    return net.sim().trace_hash();
  };
  auto first = play(7);
  CHECK(first == play(7));
  CHECK(first != play(8));
}

TEST_CASE("images go to the data centre under message loss") {
  lab net{two_site, 11};
  net.has_image("firewall", 200'000);
  net.until_link(link_state::distilling);
  net.sim().advance(1min);
  net.sim().lose(0.05);
  int delivered = 0;
  for (int i = 0; i < 20; ++i) {
    auto placed = net.sim().deliver("firewall", site_id{"dc1"});
    if (!placed) {
      net.sim().advance(5s);
      continue;
    }
    delivered += net.ended(placed->id).state == order_state::running ? 1 : 0;
  }
  CHECK(delivered > 5);
  net.sim().lose(0);
  net.sim().advance(20min);
  net.check_invariants();
}
