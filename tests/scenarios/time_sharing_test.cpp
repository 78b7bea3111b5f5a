// One Bob, three Alices, a switch, and what can go wrong with them. Whatever it is: no key in a wrong
// pool or out of a bad session, the others are served, and a failing link costs a bounded part of Bob.

#include "actors/scheduler/book.hpp"
#include "drivers/qkd_emulator/physics.hpp"
#include "tests/support/shared_lab.hpp"

using namespace qnfv;
using namespace qnfv::test;

namespace {

using on_switch = switch_fault::kind;

constexpr port_number bob_port = 1, alice1_port = 25, alice2_port = 26;
const site_id co{"co"}, dc1{"dc1"};
const std::vector<link_id> all_links{link1, link2, link3};

/// What the scheduler grants a link that fails, whose tries last so long: Bob's time in `of`.
double granted_s(duration of, double try_s) {
  book_options x;
  constexpr double while_back_off_grows = 5;
  auto tries = while_back_off_grows + to_seconds(of) / x.backoff_max_s + 1;
  return std::min(tries * try_s, x.retry_credit_s + x.retry_share * to_seconds(of) + try_s);
}

/// All three have had a visit.
void all_served(shared_lab& net) {
  for (auto& x : all_links)
    if (net.checker.keys_of(x) == 0)
      net.until_more_keys(x);
}

/// Hours of trouble with one link: it gets nothing, the others live, it costs Bob no more than its
/// tries; afterwards it is served again.
void outlast(shared_lab& net, const link_id& failing, const std::vector<link_id>& others,
             double try_s, const std::function<void()>& mend) {
  net.live(5min); // What was under way ends.
  auto before = net.checker.keys_of(failing);
  auto since = net.sim().now();
  constexpr auto hours = 5h;
  net.live(hours);
  CHECK(net.checker.keys_of(failing) == before);
  for (auto& x : others) {
    INFO(x.value);
    CHECK(net.use_keys(x, 10));
    CHECK(net.link(x).sessions_with_keys > 0);
  }
  auto spent = to_seconds(net.bobs_time(failing, since));
  INFO(failing.value << " took " << spent << " s of Bob");
  CHECK(spent <= granted_s(hours, try_s));
  auto seen = net.scheduled(failing);
  INFO(seen.note);
  CHECK(seen.failures > 0);
  CHECK_FALSE(seen.note.empty());
  CHECK(net.traced("alarm", failing.value));
  net.check(false);
  mend();
  net.until_more_keys(failing);
  CHECK(net.use_keys(failing, 5));
  net.sim().advance(2min);
  net.check();
}

} // namespace

TEST_CASE("Bob serves three Alices in turn while images go to all three") {
  shared_lab net;
  net.has_image("firewall", 300'000);
  std::vector<order_id> orders;
  for (auto* site : {"dc1", "dc2", "dc3"})
    orders.push_back(net.deploy("firewall", site));
  for (auto& x : orders)
    CHECK(net.ended(x).state == order_state::running);
  all_served(net);
  for (auto& x : all_links)
    net.until_more_keys(x);
  net.sim().advance(2min);
  net.check();
}

TEST_CASE("a stuck port costs its link, and no other") {
  shared_lab net;
  net.fault(on_switch::stuck, alice2_port);
  outlast(net, link2, {link1, link3}, 30, [&] { net.mend(); });
}

TEST_CASE("a mirror that turns to the wrong port gives nobody a wrong key") {
  shared_lab net;
  net.fault(on_switch::wrong, alice1_port);
  outlast(net, link1, {link2, link3}, 30, [&] { net.mend(); });
}

TEST_CASE("a switch that says yes and does nothing is found out by reading it back") {
  shared_lab net;
  net.fault(on_switch::silent, alice2_port);
  outlast(net, link2, {link1, link3}, 30, [&] { net.mend(); });
}

TEST_CASE("a switch that lies about its mirrors is found out by the light") {
  shared_lab net;
  net.fault(on_switch::lying, alice2_port);
  outlast(net, link2, {link1, link3}, 120, [&] { net.mend(); });
}

TEST_CASE("a switch that lies about everything leaves Bob with one Alice, and no key goes astray") {
  shared_lab net;
  net.until_link(link1, link_state::distilling);
  net.fault(on_switch::lying, bob_port);
  net.live(6h);
  net.check(false);
  net.mend();
  for (auto& x : all_links)
    net.until_more_keys(x);
  net.sim().advance(2min);
  net.check();
}

TEST_CASE("a slow switch takes its minute, and its links live") {
  shared_lab net;
  net.fault(on_switch::none, 0, 0, 60000);
  net.live(6h);
  net.check(false);
  net.fault(on_switch::none, 0, 0, 25);
  for (auto& x : all_links)
    net.until_more_keys(x);
  net.sim().advance(2min);
  net.check();
}

TEST_CASE("a flow-mod that is lost once is sent again") {
  shared_lab net;
  net.fault(on_switch::lost, bob_port, 1);
  all_served(net);
  CHECK(net.link(link1).attempts + net.link(link2).attempts + net.link(link3).attempts == 0);
  net.sim().advance(2min);
  net.check();
}

TEST_CASE("a port whose commands are all lost costs its link, and no other") {
  shared_lab net;
  net.fault(on_switch::lost, alice2_port);
  outlast(net, link2, {link1, link3}, 120, [&] { net.mend(); });
}

TEST_CASE("loss of light ends the session in whatever phase it is") {
  for (auto wait : {1s, 30s, 100s, 200s, 400s, 700s}) {
    INFO("after " << wait.count() << " s");
    shared_lab net;
    net.until_link(link2, link_state::initialising);
    auto session = net.link(link2).session;
    net.sim().advance(wait);
    auto was_served = net.link(link2).serving;
    net.fibre(link2, false);
    net.sim().advance(5s);
    CHECK_FALSE(net.link(link2).serving);
    if (was_served)
      CHECK(net.link(link2).state == link_state::lost);
    CHECK_FALSE(net.checker.lit(link2));
    net.until_more_keys(link1);
    net.fibre(link2, true);
    net.until_more_keys(link2);
    CHECK(net.link(link2).session > session);
    net.sim().advance(2min);
    net.check();
  }
}

TEST_CASE("a port that goes dark ends the visit, and a link without light costs its tries only") {
  shared_lab net;
  net.until_link(link1, link_state::distilling);
  net.fault(on_switch::dark, alice1_port);
  net.sim().advance(5s);
  CHECK_FALSE(net.link(link1).serving);
  outlast(net, link1, {link2, link3}, 120, [&] { net.mend(); });
}

TEST_CASE("initialisation fails as often as it wants: the others live") {
  shared_lab net;
  // Noise without end: no block ever gives a key.
  line_conditions line;
  line.noise_factor = 100;
  REQUIRE(net.sim().set_line(link2, line));
  outlast(net, link2, {link1, link3}, 1200, [&] { net.eve(link2, 0); });
}

TEST_CASE("the controller restarts in the middle of a visit") {
  for (auto state : {link_state::initialising, link_state::distilling}) {
    INFO(to_string(state));
    shared_lab net;
    net.until_link(link1, state);
    net.sim().kill_role(co, "sdn_controller");
    net.sim().advance(1min);
    net.check(false);
    for (auto& x : all_links)
      net.until_more_keys(x);
    net.sim().advance(2min);
    net.check();
  }
}

TEST_CASE("the scheduler restarts in the middle of a visit, and the visit goes on") {
  shared_lab net;
  net.until_link(link1, link_state::distilling);
  auto session = net.link(link1).session;
  auto epoch = net.schedule().epoch;
  net.sim().kill_role(co, "scheduler");
  net.sim().advance(30s);
  CHECK(net.schedule().epoch > epoch);
  CHECK_FALSE(net.schedule().standing_down);
  CHECK(net.link(link1).epoch == net.schedule().epoch);
  CHECK(net.link(link1).session == session);
  CHECK(net.link(link1).state == link_state::distilling);
  REQUIRE(net.schedule().bobs.size() == 1);
  CHECK(net.schedule().bobs[0].active == link1);
  for (auto& x : all_links)
    net.until_more_keys(x);
  net.sim().advance(2min);
  net.check();
}

TEST_CASE("a switch restarts with its mirrors parted") {
  for (auto* role : {"optical_switch/polatis1", "switch_emulator/polatis1"}) {
    INFO(role);
    shared_lab net;
    net.until_link(link1, link_state::distilling);
    net.sim().kill_role(co, role);
    net.sim().advance(1min);
    net.check(false);
    for (auto& x : all_links)
      net.until_more_keys(x);
    net.sim().advance(2min);
    net.check();
  }
}

TEST_CASE("link, device or driver restarts in the middle of a visit") {
  for (auto [site, role] : {std::make_pair(co, "link/bob1/alice1"), {co, "qkd_device/bob1"},
                            {dc1, "qkd_device/alice1"}, {co, "source/bob1/alice1"},
                            {dc1, "source/bob1/alice1"}}) {
    for (auto state : {link_state::initialising, link_state::distilling}) {
      INFO(site.value << "/" << role << " while " << to_string(state));
      shared_lab net;
      net.until_link(link1, state);
      net.sim().kill_role(site, role);
      net.sim().advance(1min);
      for (auto& x : all_links)
        net.until_more_keys(x);
      net.sim().advance(2min);
      net.check();
    }
  }
}

TEST_CASE("Bob's site crashes in the middle of a visit") {
  shared_lab net;
  all_served(net);
  net.crash("co");
  net.sim().advance(1min);
  net.start("co");
  for (auto& x : all_links)
    net.until_more_keys(x);
  net.sim().advance(2min);
  net.check();
}

TEST_CASE("an Alice's site is away for hours: Bob serves the others and comes back to her") {
  shared_lab net;
  net.until_link(link2, link_state::distilling);
  net.crash("dc2");
  net.sim().advance(5s);
  CHECK_FALSE(net.link(link2).serving);
  auto since = net.sim().now();
  net.live(4h);
  CHECK(net.bobs_time(link2, since) < 1min);
  CHECK(net.use_keys(link1, 10));
  CHECK(net.use_keys(link3, 10));
  net.start("dc2");
  net.until_more_keys(link2);
  net.sim().advance(2min);
  net.check();
}

TEST_CASE("Eve on one link: alarm, Bob moves on, an image waits and comes when she has left") {
  shared_lab net;
  net.has_image("firewall", 50'000);
  net.eve(link2, 1);
  REQUIRE(net.live([&] { return net.link(link2).attempts > 0; }, 6h));
  auto caught = net.link(link2);
  CHECK(caught.device.qber > 0.11);
  CHECK(caught.device.failed_blocks > 0);
  CHECK(caught.device.keys == 0);
  CHECK(caught.reason.find("QBER") != std::string::npos);
  net.sim().advance(5s);
  CHECK_FALSE(net.link(link2).serving);
  CHECK_FALSE(net.checker.lit(link2));
  CHECK(net.traced("alarm", "bob1/alice2"));
  CHECK(net.scheduled(link2).note.find("QBER") != std::string::npos);
  CHECK(net.scheduled(link2).blocked_s > 0);

  auto waiting = net.deploy("firewall", "dc2");
  CHECK(net.ended(net.deploy("firewall", "dc1")).state == order_state::running);
  net.live(20min);
  CHECK(net.see(waiting).state == order_state::waiting_for_key);
  CHECK(net.checker.keys_of(link2) == 0);
  net.eve(link2, 0);
  CHECK(net.ended(waiting).state == order_state::running);
  net.sim().advance(2min);
  net.check();
}

TEST_CASE("Eve stays for hours: her link is in the schedule's alarms, and costs its tries only") {
  shared_lab net;
  all_served(net);
  net.eve(link2, 1);
  net.live(10min);
  outlast(net, link2, {link1, link3}, 700, [&] {
    bool named = false;
    for (auto& x : net.schedule().alarms)
      named = named || x.worst == link2;
    CHECK(named);
    net.eve(link2, 0);
  });
}

TEST_CASE("whatever share Eve takes, a block is good or it is none") {
  for (int percent = 0; percent <= 100; percent += 20) {
    line_conditions line;
    line.eavesdropper_share = percent / 100.0;
    auto figures = figures_of(0, 0, line);
    INFO(percent << " %: secret fraction " << figures.secret_fraction);
    auto hopeless = figures.secret_fraction == 0;
    shared_lab net;
    net.until_link(link1, link_state::distilling);
    REQUIRE(net.sim().set_line(link1, line));
    if (hopeless)
      net.checker.bad_from_now(link1, from_seconds(2 * figures.block_s));
    net.sim().advance(20min);
    auto status = net.link(link1);
    INFO(status.reason);
    // Caught, or gone to another Alice before.
    if (hopeless)
      CHECK_FALSE(status.serving);
    else if (status.serving)
      CHECK(status.device.qber < 0.11);
    net.until_more_keys(link3);
    net.check(false);
  }
}
