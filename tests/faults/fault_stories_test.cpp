// Rows of the fault catalogue (tests/README.md) that promise something of their own.

#include "tests/support/faulty_life.hpp"

using namespace qnfv;
using namespace qnfv::test;

namespace {

/// An image is delivered, and afterwards everybody agrees.
void still_delivers(faulty_lab& net, const std::string& image) {
  auto end = net.ended(net.deploy(image, "dc1"));
  INFO(end.reason);
  CHECK(end.state == order_state::running);
  net.sim().advance(3min);
  net.check_invariants();
}

void ready(faulty_lab& net) {
  net.has_image("firewall", 5'000'000);
  net.until_link(link_state::distilling);
  net.sim().advance(2min);
}

} // namespace

TEST_CASE("who is stopped is given up within three heartbeats, and joins again when he wakes") {
  faulty_lab net;
  ready(net);
  net.goes_wrong(fault_kind::freeze, "dc1", 60s);
  net.sim().advance(2s);
  CHECK(net.noted("co", "peer_down", "dc1"));
  auto refused = net.sim().deliver("firewall", site_id{"dc1"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ec::site_unreachable);
  net.sim().advance(70s);
  CHECK(net.noted("dc1", "peer_up", "co"));
  still_delivers(net, "firewall");
}

TEST_CASE("a full disk of a data centre ends the order with the reason, and nothing is left of it") {
  faulty_lab net;
  ready(net);
  net.goes_wrong(fault_kind::disk_full, "dc1", 10min);
  auto end = net.ended(net.deploy("firewall", "dc1"), 9min);
  CHECK(end.state == order_state::failed);
  CHECK(end.code != ec::none);
  CHECK_FALSE(end.reason.empty());
  CHECK(net.vnfs().empty());
  net.sim().advance(12min);
  net.check_invariants();
  still_delivers(net, "firewall");
}

TEST_CASE("a VIM that does not answer, or fails, ends the order in time, and the next one goes") {
  auto kind = GENERATE(fault_kind::vim_hang, fault_kind::vim_failure);
  faulty_lab net;
  ready(net);
  net.goes_wrong(kind, "dc1", 20min);
  auto end = net.ended(net.deploy("firewall", "dc1"), 15min);
  CHECK(end.state == order_state::failed);
  CHECK_FALSE(end.reason.empty());
  CHECK(net.vnfs().empty());
  net.sim().advance(25min);
  net.check_invariants();
  still_delivers(net, "firewall");
}

TEST_CASE("an image that changed in the catalogue is refused by its digest") {
  faulty_lab net;
  ready(net);
  auto added = net.sim().add_image("router", 100'000);
  REQUIRE(added);
  auto& files = net.sim().files(site_id{"co"});
  auto content = files.load(added->file, 1 << 20);
  REQUIRE(content);
  content->back() ^= 1;
  REQUIRE(files.replace(added->file, *content));
  auto end = net.ended(net.deploy("router", "dc1"));
  CHECK(end.state == order_state::failed);
  CHECK(end.code == ec::digest_mismatch);
  CHECK(net.vnfs().empty());
  still_delivers(net, "firewall");
}

TEST_CASE("a role that dies too often stays down and says so, and a start of its site brings it back") {
  faulty_lab net;
  ready(net);
  for (int i = 0; i < 12; ++i) {
    net.sim().kill_role(site_id{"dc1"}, "vim"); // Once it is down for good there is nothing to kill.
    net.sim().advance(4s);
  }
  CHECK(net.noted("dc1", "alarm", "vim died too often and stays down"));
  CHECK(net.ended(net.deploy("firewall", "dc1")).state == order_state::failed);
  net.goes_wrong(fault_kind::crash, "dc1", 3s);
  net.sim().advance(10s);
  still_delivers(net, "firewall");
}
