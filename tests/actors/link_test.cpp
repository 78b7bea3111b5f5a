#include "actors/link/link.hpp"
#include "actors/qkd_device/qkd_device.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

const link_id near_link{"bob1/alice1"};
const link_id far_link{"bob1/alice2"};

/// What the fakes were asked, in order.
struct diary {
  std::vector<std::string> entries;
  size_t count(const std::string& x) const {
    return static_cast<size_t>(std::count(entries.begin(), entries.end(), x));
  }
};

struct no_state {};

/// One shared Bob with two links; controller, drivers and the scheduler are fakes that keep a diary.
class shared_bob {
public:
  world w;
  std::shared_ptr<diary> log = std::make_shared<diary>();
  std::shared_ptr<std::vector<link_status>> reports = std::make_shared<std::vector<link_status>>();
  std::shared_ptr<std::string> light_leads_to = std::make_shared<std::string>(); ///< Empty: as asked.
  std::shared_ptr<caf::error> path_refused = std::make_shared<caf::error>();
  sdn_controller_actor controller;
  scheduler_actor scheduler;
  std::unique_ptr<gates> door;
  qkd_device_actor bob;
  std::map<link_id, qkd_device_actor> alices;
  std::map<link_id, link_actor> links;

  shared_bob() : door(std::make_unique<gates>(w.system(), w.site("co"))) {
    controller = w.spawn("co", [this](stateful<sdn_controller_actor, no_state>*) {
      return fake_controller();
    });
    scheduler = w.spawn("co", [r = reports](stateful<scheduler_actor, no_state>*)
                                -> scheduler_actor::behavior_type {
      return {[r](const link_status& x) { r->push_back(x); },
              [](const schedule_query&) { return schedule_status{}; },
              [](const set_policy&) { return schedule_status{}; },
              [](const tick&) {},
              [](const peer_up&) {},
              [](const peer_down&) {}};
    });
    qkd_device_config both;
    both.device = device_id{"bob1"};
    for (auto& link : {near_link, far_link})
      both.lines.push_back({link, site_id{"co"}, fake_source("bob1 " + link.value),
                            door->to<link_actor>(site_id{"co"}, link.value)});
    bob = w.spawn("co", qkd_device, both);
    for (auto& link : {near_link, far_link})
      start_link(link);
    w.run();
    log->entries.clear();
  }
  ~shared_bob() { w.end_actors(); }

  void start_link(const link_id& id) {
    auto alice = id == near_link ? "alice1" : "alice2";
    auto site = id == near_link ? "dc1" : "dc2";
    if (!alices[id]) {
      qkd_device_config c;
      c.device = device_id{alice};
      c.lines.push_back({id, site_id{"co"}, fake_source(std::string{alice} + " " + id.value, site), {}});
      alices[id] = w.spawn(site, qkd_device, c);
    }
    link_actor_config c;
    c.link = id;
    c.bob_device = device_id{"bob1"};
    c.alice_device = device_id{alice};
    c.bob_site = site_id{"co"};
    c.alice_site = site_id{site};
    c.bob = bob;
    c.alice = alices[id];
    c.controller = controller;
    c.scheduler = scheduler;
    c.scheduler_site = site_id{"co"};
    links[id] = w.spawn("co", link_pair, c);
    door->retarget(site_id{"co"}, id.value, caf::actor_cast<caf::strong_actor_ptr>(links[id]));
    caf::anon_send(links[id], peer_up{site_id{site}, 1});
    w.run();
  }

  /// A driver that accepts everything and writes it down.
  qkd_source_actor fake_source(const std::string& name, const std::string& site = "co") {
    return w.spawn(site, [this, name](stateful<qkd_source_actor, no_state>*)
                           -> qkd_source_actor::behavior_type {
      return {[this, name](const start_distilling& x) {
                log->entries.push_back(name + " starts " + std::to_string(x.session));
                running[name] = x.session;
                return accepted{};
              },
              [this, name](const stop_distilling&) -> caf::result<accepted> {
                if (deaf > 0 && deaf--)
                  return fail(ec::site_unreachable, name + " restarts");
                log->entries.push_back(name + " stops");
                running[name] = 0;
                return accepted{};
              },
              [](const set_line&) { return accepted{}; },
              [](const emulated_block&) { return accepted{}; },
              [](const fibre_light&) {},
              [](const drawn_block&) { return block_fetched{}; },
              [this, name](const device_status_query&) {
                device_report out;
                out.session = running[name];
                return out;
              },
              [](const peer_up&) {},
              [](const peer_down&) {},
              [](const tick&) {},
              [](const continuation& x) { x.run(); }};
    });
  }

  sdn_controller_actor::behavior_type fake_controller() {
    return {[this](const connect_path& x) -> caf::result<path_ready> {
              log->entries.push_back("connect " + x.path);
              if (*path_refused)
                return *path_refused;
              return path_ready{x.path, x.from, light_leads_to->empty() ? x.to : *light_leads_to, 5, {}};
            },
            [this](const release_path& x) {
              log->entries.push_back("release " + x.path);
              return accepted{};
            },
            [](const put_flow&) { return flow_stored{}; },
            [](const remove_flow&) { return accepted{}; },
            [](const paths_query&) { return path_list{}; },
            [](const switch_event&) {},
            [](const tick&) {},
            [](const continuation&) {},
            [](const peer_up&) {},
            [](const peer_down&) {}};
  }

  /// As Bob's driver of that link reports.
  void report(const link_id& link, qkd_phase phase, uint32_t session, double qber = 0.02,
              uint64_t failed_blocks = 0) {
    device_report x;
    x.link = link;
    x.session = session;
    x.phase = phase;
    x.initialisation_s = 470;
    x.secret_rate_bps = 2000;
    x.qber = qber;
    x.failed_blocks = failed_blocks;
    x.keys = 10;
    x.reason = phase == qkd_phase::lost ? "no light" : "";
    auto send = [this, x](instrumented<caf::event_based_actor>* self) { self->send(bob, x); };
    w.spawn("co", send);
    w.run();
  }

  caf::expected<accepted> serve(const link_id& x, uint64_t epoch = 1, const char* as = "co") {
    auto out = w.ask_as<accepted>(as, links[x], serve_link{x, epoch});
    w.run();
    return out;
  }
  caf::expected<accepted> release(const link_id& x, uint64_t epoch = 1) {
    auto out = w.ask_as<accepted>("co", links[x], release_link{x, epoch});
    w.advance(6s); // A finished block has reached both pools by then.
    return out;
  }
  link_status status(const link_id& x) {
    auto out = w.ask<link_status>(links[x], link_status_query{});
    REQUIRE(out);
    return *out;
  }

  std::map<std::string, uint32_t> running;
  int deaf = 0; ///< So many orders to stop do not reach their driver.
};

} // namespace

TEST_CASE("one visit: path, Alice, Bob, keys, and everything back in order") {
  shared_bob x;
  REQUIRE(x.serve(near_link));
  x.report(near_link, qkd_phase::keys_ready, 1);
  CHECK(x.status(near_link).state == link_state::distilling);
  CHECK(x.status(near_link).length_km == 5);
  REQUIRE(x.release(near_link));
  CHECK(x.log->entries
        == std::vector<std::string>{"connect bob1/alice1", "alice1 bob1/alice1 starts 1",
                                    "bob1 bob1/alice1 starts 1", "alice1 bob1/alice1 stops",
                                    "bob1 bob1/alice1 stops", "release bob1/alice1"});
  auto after = x.status(near_link);
  CHECK(after.state == link_state::off);
  CHECK_FALSE(after.serving);
  CHECK(after.sessions_with_keys == 1);
  CHECK(after.mean_initialisation_s == 470);
  CHECK(after.mean_secret_rate_bps == 2000);
  // The scheduler was told of every change.
  std::vector<link_state> told;
  for (auto& r : *x.reports)
    if (r.link == near_link && (told.empty() || told.back() != r.state))
      told.push_back(r.state);
  CHECK(told == std::vector<link_state>{link_state::off, link_state::switching,
                                        link_state::initialising, link_state::distilling,
                                        link_state::releasing, link_state::off});
}

TEST_CASE("what is released while keys are on their way stops a little later, and at once if the light goes") {
  shared_bob x;
  REQUIRE(x.serve(near_link));
  x.report(near_link, qkd_phase::keys_ready, 1);
  REQUIRE(x.w.ask_as<accepted>("co", x.links[near_link], release_link{near_link, 1}));
  x.w.advance(4s);
  CHECK(x.running["bob1 bob1/alice1"] == 1);
  CHECK(x.status(near_link).state == link_state::releasing);
  CHECK(x.status(near_link).serving);
  // Asked again meanwhile: nothing changes.
  REQUIRE(x.w.ask_as<accepted>("co", x.links[near_link], release_link{near_link, 1}));
  caf::anon_send(x.links[near_link], path_lost{near_link.value, "dark"});
  x.w.run();
  CHECK(x.running["bob1 bob1/alice1"] == 0);
  CHECK(x.status(near_link).state == link_state::lost);
  CHECK_FALSE(x.status(near_link).serving);
  CHECK(x.log->count("release bob1/alice1") == 1);
}

TEST_CASE("no session starts when the light leads to another Alice") {
  shared_bob x;
  *x.light_leads_to = "alice2";
  REQUIRE(x.serve(near_link));
  auto after = x.status(near_link);
  CHECK(after.state == link_state::failed);
  CHECK(after.reason == "the light leads from bob1 to alice2");
  CHECK_FALSE(after.serving);
  CHECK(x.log->count("bob1 bob1/alice1 starts 1") == 0);
  CHECK(x.log->count("release bob1/alice1") == 1);
}

TEST_CASE("a path that is refused ends the visit, and the scheduler decides on the next") {
  shared_bob x;
  *x.path_refused = fail(ec::busy, "polatis1:1 is held by bob1/alice2");
  REQUIRE(x.serve(near_link));
  CHECK(x.status(near_link).state == link_state::failed);
  CHECK(x.status(near_link).attempts == 1);
  auto asked = x.log->count("connect bob1/alice1");
  x.w.advance(24h);
  CHECK(x.log->count("connect bob1/alice1") == asked);
}

TEST_CASE("a session does not survive its path") {
  shared_bob x;
  REQUIRE(x.serve(near_link));
  x.report(near_link, qkd_phase::keys_ready, 1);
  caf::anon_send(x.links[near_link], path_lost{near_link.value, "polatis1:25 is dark"});
  x.w.run();
  CHECK(x.status(near_link).state == link_state::lost);
  CHECK_FALSE(x.status(near_link).serving);
  CHECK(x.running["bob1 bob1/alice1"] == 0);
  CHECK(x.running["alice1 bob1/alice1"] == 0);
  // Of another path it is nobody's business.
  REQUIRE(x.serve(near_link));
  caf::anon_send(x.links[near_link], path_lost{far_link.value, "dark"});
  x.w.run();
  CHECK(x.status(near_link).state == link_state::initialising);
  CHECK(x.status(near_link).session == 2);
}

TEST_CASE("Bob serves one link at a time, whoever else is told to begin") {
  shared_bob x;
  REQUIRE(x.serve(near_link));
  REQUIRE(x.serve(far_link));
  CHECK(x.status(near_link).state == link_state::initialising);
  auto other = x.status(far_link);
  CHECK(other.state == link_state::failed);
  CHECK(other.reason.find("bob1 runs session 1 of bob1/alice1") != std::string::npos);
  CHECK(x.running["bob1 bob1/alice2"] == 0);
  CHECK(x.running["bob1 bob1/alice1"] == 1);
}

TEST_CASE("older schedulers, other sites and unjoined Alices are refused") {
  shared_bob x;
  REQUIRE(x.w.ask_as<link_status>("co", x.links[near_link], claim_link{near_link, 7}));
  CHECK(x.serve(near_link, 6).error() == ec::stale_epoch);
  CHECK(x.serve(near_link, 7, "dc2").error() == ec::not_allowed);
  CHECK(x.status(near_link).state == link_state::off);
  // Also after the link has restarted.
  caf::anon_send_exit(x.links[near_link], caf::exit_reason::kill);
  x.w.run();
  x.start_link(near_link);
  CHECK(x.serve(near_link, 6).error() == ec::stale_epoch);
  // The devices know it too.
  REQUIRE(x.serve(near_link, 7));
  CHECK(x.w.ask_as<accepted>("co", x.bob, start_distilling{near_link, 9, 6}).error()
        == ec::stale_epoch);
  REQUIRE(x.release(near_link, 7));
  caf::anon_send(x.links[near_link], peer_down{site_id{"dc1"}, "silent"});
  CHECK(x.serve(near_link, 7).error() == ec::site_unreachable);
}

TEST_CASE("a link that restarts in the middle of a visit stops what runs and frees the path") {
  shared_bob x;
  REQUIRE(x.serve(near_link));
  caf::anon_send_exit(x.links[near_link], caf::exit_reason::kill);
  x.w.run();
  x.start_link(near_link);
  CHECK(x.running["bob1 bob1/alice1"] == 0);
  CHECK(x.log->entries.back() == "release bob1/alice1");
  CHECK(x.status(near_link).state == link_state::off);
  REQUIRE(x.serve(near_link));
  CHECK(x.status(near_link).session == 2); // Session numbers are never used twice.
}

TEST_CASE("a device that forgot its session ends the visit") {
  shared_bob x;
  REQUIRE(x.serve(near_link));
  x.running["bob1 bob1/alice1"] = 0;
  x.w.advance(3s);
  CHECK(x.status(near_link).state == link_state::lost);
  CHECK_FALSE(x.status(near_link).serving);
}

TEST_CASE("a driver that did not hear of the stop does not keep Bob from the others") {
  // One of two devices hears at the second time; or Bob's does not at all while his driver restarts.
  for (int deaf : {2, 4}) {
    INFO(deaf);
    shared_bob x;
    REQUIRE(x.serve(near_link));
    x.report(near_link, qkd_phase::keys_ready, 1);
    x.deaf = deaf;
    REQUIRE(x.release(near_link));
    x.w.advance(10s);
    CHECK(x.deaf == 0);
    CHECK_FALSE(x.status(near_link).serving);
    REQUIRE(x.serve(far_link));
    x.w.advance(1s);
    CHECK(x.status(far_link).state == link_state::initialising);
    CHECK(x.running["bob1 bob1/alice1"] == 0);
    CHECK(x.running["bob1 bob1/alice2"] == 1);
  }
}

TEST_CASE("a shared Bob does not stay where somebody listens") {
  shared_bob x;
  REQUIRE(x.serve(near_link));
  x.report(near_link, qkd_phase::keys_ready, 1);
  x.report(near_link, qkd_phase::raw_exchange, 1, 0.02, 0);
  CHECK(x.status(near_link).state == link_state::distilling);
  x.report(near_link, qkd_phase::raw_exchange, 1, 0.27, 1);
  auto after = x.status(near_link);
  CHECK(after.state == link_state::lost);
  CHECK_FALSE(after.serving);
  CHECK(after.reason.find("QBER of 27.0 %") != std::string::npos);
  CHECK(x.running["bob1 bob1/alice1"] == 0);
  CHECK(x.log->entries.back() == "release bob1/alice1");
  size_t alarms = 0;
  for (auto& event : x.w.site("co")->recorder->since({}, "", 10000).events)
    alarms += event.message == "alarm" ? 1 : 0;
  CHECK(alarms == 1);
}

TEST_CASE("a device obeys its own site and Bob's link, and no other") {
  shared_bob x;
  auto start = start_distilling{near_link, 5, 0};
  CHECK(x.w.ask_as<accepted>("dc2", x.alices[near_link], start).error() == ec::not_allowed);
  CHECK(x.w.ask_as<accepted>("dc2", x.alices[near_link], stop_distilling{near_link}).error()
        == ec::not_allowed);
  CHECK(x.w.ask_as<accepted>("co", x.bob, start_distilling{link_id{"bob1/alice9"}, 1, 0}).error()
        == ec::unknown_link);
  REQUIRE(x.w.ask_as<accepted>("co", x.alices[near_link], start));
  CHECK(x.running["alice1 bob1/alice1"] == 5);
}

TEST_CASE("what a link remembers reads back, and damage is named") {
  link_history x;
  x.session = 17;
  x.epoch = 4;
  x.initialised(471);
  x.distilled(2093.5, 0.0178);
  auto again = parse_link_history(to_text(x));
  REQUIRE(again);
  CHECK(again->session == 17);
  CHECK(again->epoch == 4);
  CHECK(again->sessions_with_keys == 1);
  CHECK(again->mean_initialisation_s == 471);
  CHECK(again->mean_secret_rate_bps == 2093.5);
  CHECK(again->mean_qber == 0.0178);
  CHECK(parse_link_history("41")->session == 41); // As it was written before.
  for (auto* bad : {"", "qnfv-link", "qnfv-link 2 session=1", "qnfv-link 1", "qnfv-link 1 session=x",
                    "qnfv-link 1 session=1 epoch=1 sessions_with_keys=1 mean_initialisation_s=nan "
                    "mean_secret_rate_bps=1 mean_qber=0",
                    "qnfv-link 1 session=1 session=1 session=1 session=1 session=1 session=1", "-3",
                    "99999999999"}) {
    INFO(bad);
    auto damaged = parse_link_history(bad);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().code == ec::bad_config);
  }
}

TEST_CASE("a link whose memory is damaged makes no keys: session numbers must not be guessed") {
  world w;
  REQUIRE(w.site("co")->storage->replace("link-bob1-alice1", byte_view{std::string_view{"garbage"}}));
  link_actor_config c;
  c.link = near_link;
  c.alice_site = site_id{"dc1"};
  auto link = w.spawn("co", link_pair, c);
  caf::anon_send(link, peer_up{site_id{"dc1"}, 1});
  w.run();
  auto status = w.ask<link_status>(link, link_status_query{});
  REQUIRE(status);
  CHECK(status->state == link_state::failed);
  CHECK(status->reason.find("link-bob1-alice1") != std::string::npos);
  w.end_actors();
}
