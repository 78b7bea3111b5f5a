#include "actors/trusted_node/trusted_node.hpp"
#include "tests/support/lab.hpp"

using namespace qnfv;
using namespace qnfv::test;

namespace {

const char* relayed = "config/topologies/four-site-relay.json";
const site_id co{"co"}, n1{"n1"}, n2{"n2"}, dc3{"dc3"};
const link_id far_link{"co/dc3"};

virtual_link_status relay_of(lab& net) {
  auto x = net.sim().ask<relay_status>(net.sim().role<trusted_node_actor>(co, "trusted_node"),
                                       relay_status_query{});
  REQUIRE(x);
  REQUIRE(x->links.size() == 1);
  return x->links[0];
}

pool_status far_pool(lab& net, const site_id& site) {
  auto all = net.sim().ask<keys_status>(net.sim().role<key_pool_actor>(site, "key_pool"),
                                        keys_status_query{});
  REQUIRE(all);
  for (auto& x : all->pools)
    if (x.link == far_link)
      return x;
  FAIL("no pool of the virtual link");
  return {};
}

void until_relayed(lab& net, uint64_t keys = 256) {
  REQUIRE(net.sim().until([&] { return far_pool(net, co).ready >= keys; }, 3h, 10s));
}

/// Uses keys of the virtual link up, as applications at both ends would.
void use_keys(lab& net, int count) {
  for (int i = 0; i < count; ++i) {
    reserve_keys ask;
    ask.link = far_link;
    ask.request.value = net.sim().random().bytes_of<std::array<uint8_t, 16>>();
    ask.users = {"co/app", {"dc3/app"}};
    auto got =
        net.sim().ask_at<key_grants>(co, net.sim().role<key_pool_actor>(co, "key_pool"), ask);
    if (!got)
      return;
    claim_keys claim{far_link, {got->keys[0].id}, "co/app", "dc3/app"};
    auto same =
        net.sim().ask_at<key_grants>(dc3, net.sim().role<key_pool_actor>(dc3, "key_pool"), claim);
    REQUIRE(same);
    CHECK(equal_constant_time(got->keys[0].material.view(), same->keys[0].material.view()));
  }
}

} // namespace

TEST_CASE("an image reaches a data centre that shares no fibre with the orchestrator") {
  lab net{relayed};
  net.has_image("firewall", 1'000'000);
  auto end = net.ended(net.deploy("firewall", "dc3"));
  CHECK(end.state == order_state::running);
  CHECK(end.digest == end.site_digest);
  CHECK(belongs_to(end.key, far_link));
  // Over n1 or n2, whichever had its keys first; the trace and the status tell which.
  auto seen_by = relay_of(net).exposed_to;
  REQUIRE(seen_by.size() == 1);
  CHECK((seen_by[0] == n1 || seen_by[0] == n2));
  until_relayed(net);
  net.sim().advance(5min);
  net.check_invariants();
}

TEST_CASE("a trusted node crashes: keys for the far site go round it") {
  lab net{relayed};
  net.has_image("firewall", 100'000);
  until_relayed(net);
  auto before = relay_of(net);
  REQUIRE(before.exposed_to.size() == 1);
  auto node = before.exposed_to[0], other = node == n1 ? n2 : n1;
  net.sim().crash(node);
  use_keys(net, 1000);
  net.sim().advance(5min);
  auto status = relay_of(net);
  CHECK(status.exposed_to == std::vector<site_id>{other});
  CHECK(status.session > before.session);
  until_relayed(net);
  CHECK(net.ended(net.deploy("firewall", "dc3")).state == order_state::running);
  net.sim().start(node);
  net.sim().advance(5min);
  net.check_invariants();
}

TEST_CASE("whoever ends a virtual link may crash, and the keys go on") {
  for (auto& site : {co, dc3}) {
    INFO(site.value);
    lab net{relayed};
    until_relayed(net, 100);
    net.sim().crash(site);
    net.sim().advance(30s);
    net.sim().start(site);
    net.sim().advance(15min); // Its devices begin again.
    use_keys(net, 200);
    until_relayed(net);
    use_keys(net, 50);
    net.sim().advance(11min); // The time limits of what was promised.
    net.check_invariants();
  }
}

TEST_CASE("a relay over two paths survives message loss, and its ends agree") {
  auto x = load_topology(std::string{QNFV_SOURCE_DIR} + "/" + relayed);
  REQUIRE(x);
  x->virtual_links[0].paths = 2;
  simulation sim{*x, 5};
  sim.advance(20min);
  sim.lose(0.05);
  sim.advance(10min);
  sim.lose(0);
  sim.advance(11min);
  auto status =
      sim.ask<relay_status>(sim.role<trusted_node_actor>(co, "trusted_node"), relay_status_query{});
  REQUIRE(status);
  CHECK(status->links[0].relays_done > 0);
  CHECK(status->links[0].paths.size() == 2);
  CHECK_FALSE(status->links[0].each_sees_keys);
  auto found = sim.violations(true);
  for (auto& line : found)
    UNSCOPED_INFO(line);
  CHECK(found.empty());
}
