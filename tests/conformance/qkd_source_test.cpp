// The promises of the QKD SOURCE interface, on every driver of it, and the three actors of a link
// together: link, qkd_device and driver at two sites.

#include "actors/link/link.hpp"
#include "actors/qkd_device/qkd_device.hpp"
#include "drivers/qkd_emulator/qkd_emulator.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

const link_id the_link{"bob1/alice1"};

/// Stands for the key pool of a site: keeps every block.
struct kept_blocks {
  std::vector<key_block> blocks;
};
using block_sink = actor_of<caf::result<void>(key_block)>;
struct sink_state {
  static inline const char* name = "key_pool";
};

/// Bob's and Alice's end in two sites.
struct pair_of_devices {
  world w;
  std::map<std::string, std::shared_ptr<kept_blocks>> kept;
  std::map<std::string, std::unique_ptr<gates>> doors;
  std::map<std::string, qkd_source_actor> sources;
  std::map<std::string, qkd_device_actor> devices;
  link_actor link;
  double length_km;
  uint32_t block_keys_max;

  explicit pair_of_devices(double km = 5, uint64_t seed = 1, uint32_t keys_max = 4096)
    : w(seed), length_km(km), block_keys_max(keys_max) {
    for (auto* site : {"co", "dc1"})
      doors[site] = std::make_unique<gates>(w.system(), w.site(site));
    for (auto* site : {"co", "dc1"}) {
      start_pool(site);
      start_source(site);
      start_device(site);
    }
  }

  ~pair_of_devices() { w.end_actors(); }

  static std::string other(const std::string& site) { return site == "co" ? "dc1" : "co"; }
  static std::string device_of(const std::string& site) { return site == "co" ? "bob1" : "alice1"; }

  void publish(const std::string& site, const std::string& role, caf::strong_actor_ptr handle) {
    for (auto& door : doors)
      door.second->retarget(site_id{site}, role, handle);
  }

  void start_pool(const std::string& site) {
    auto keep = kept[site] = std::make_shared<kept_blocks>();
    auto behaviour = [keep](stateful<block_sink, sink_state>*) -> block_sink::behavior_type {
      return {[keep](key_block& x) { keep->blocks.push_back(std::move(x)); }};
    };
    publish(site, "key_pool", caf::actor_cast<caf::strong_actor_ptr>(w.spawn(site, behaviour)));
  }

  void start_source(const std::string& site) {
    qkd_emulator_config c;
    c.device = device_id{device_of(site)};
    c.end = site == "co" ? link_end::bob : link_end::alice;
    c.link = the_link;
    c.length_km = length_km;
    c.seed = secret{bytes(32, 5)};
    c.block_keys_max = block_keys_max;
    c.peer_site = site_id{other(site)};
    c.peer = doors[site]->to<qkd_source_actor>(site_id{other(site)}, "source");
    c.owner = doors[site]->to<qkd_device_actor>(site_id{site}, "device");
    sources[site] = w.spawn(site, qkd_emulator, c);
    publish(site, "source", caf::actor_cast<caf::strong_actor_ptr>(sources[site]));
  }

  void start_device(const std::string& site) {
    qkd_device_config c;
    c.device = device_id{device_of(site)};
    c.lines.push_back({the_link, site_id{"co"},
                       doors[site]->to<qkd_source_actor>(site_id{site}, "source"), {}});
    c.key_pool = doors[site]->to<key_pool_actor>(site_id{site}, "key_pool");
    if (site == "co")
      c.lines[0].link_actor_handle = doors[site]->to<link_actor>(site_id{site}, "link");
    devices[site] = w.spawn(site, qkd_device, c);
    publish(site, "device", caf::actor_cast<caf::strong_actor_ptr>(devices[site]));
  }

  void start_link() {
    link_actor_config c;
    c.link = the_link;
    c.bob_site = site_id{"co"};
    c.alice_site = site_id{"dc1"};
    c.length_km = length_km;
    c.bob = doors["co"]->to<qkd_device_actor>(site_id{"co"}, "device");
    c.alice = doors["co"]->to<qkd_device_actor>(site_id{"dc1"}, "device");
    link = w.spawn("co", link_pair, c);
    publish("co", "link", caf::actor_cast<caf::strong_actor_ptr>(link));
    caf::anon_send(link, peer_up{site_id{"dc1"}, 1});
    w.run();
  }

  link_status status() {
    auto x = w.ask<link_status>(link, link_status_query{});
    REQUIRE(x);
    return *x;
  }

  void set(line_conditions line) {
    REQUIRE(w.ask<accepted>(devices["co"], set_line{the_link, line}));
  }

  /// Starts both drivers without a link actor.
  void start_both(uint32_t session) {
    REQUIRE(w.ask<accepted>(devices["dc1"], start_distilling{the_link, session}));
    REQUIRE(w.ask<accepted>(devices["co"], start_distilling{the_link, session}));
  }
};

} // namespace

TEST_CASE("commands may be repeated, and an older session is refused") {
  pair_of_devices x;
  for (int i = 0; i < 2; ++i)
    CHECK(x.w.ask<accepted>(x.sources["co"], start_distilling{the_link, 3}));
  auto older = x.w.ask<accepted>(x.sources["co"], start_distilling{the_link, 2});
  REQUIRE_FALSE(older);
  CHECK(older.error() == ec::stale_epoch);
  for (int i = 0; i < 2; ++i)
    CHECK(x.w.ask<accepted>(x.sources["co"], stop_distilling{the_link}));
  CHECK(x.w.ask<accepted>(x.sources["co"], start_distilling{the_link, 3}).error() == ec::stale_epoch);
  for (auto* stranger : {"dc1", "dc9"})
    CHECK(x.w.ask_as<accepted>(stranger, x.sources["co"], stop_distilling{the_link}).error() == ec::not_allowed);
  auto foreign = x.w.ask<accepted>(x.sources["co"], start_distilling{link_id{"bob9/alice9"}, 9});
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error() == ec::unknown_link);
}

TEST_CASE("no key before calibration ended, and both ends produce the same blocks") {
  pair_of_devices x;
  x.start_both(1);
  x.w.advance(240s);
  CHECK(x.kept["co"]->blocks.empty());
  x.w.advance(1200s);
  auto& bob = x.kept["co"]->blocks;
  auto& alice = x.kept["dc1"]->blocks;
  REQUIRE(bob.size() >= 3);
  REQUIRE(alice.size() == bob.size());
  uint64_t next = 0;
  for (size_t i = 0; i < bob.size(); ++i) {
    CHECK(bob[i].block.first == next); // Ids run on and never repeat.
    next += bob[i].block.count;
    CHECK(bob[i].block.count == alice[i].block.count);
    CHECK(to_hex(bob[i].material.view()) == to_hex(alice[i].material.view()));
    CHECK(bob[i].material.size() == bob[i].block.count * key_bytes);
    CHECK(bob[i].block.count > 1900);
    CHECK(bob[i].block.count < 2400);
  }
  CHECK(to_hex(bob[0].material.view().part(0, 64)) != to_hex(bob[1].material.view().part(0, 64)));
}

TEST_CASE("blocks that end together leave in the order of their keys, at both ends") {
  pair_of_devices x{5, 1, 100};
  x.start_both(1);
  x.w.advance(2000s);
  for (auto* site : {"co", "dc1"}) {
    auto& blocks = x.kept[site]->blocks;
    REQUIRE(blocks.size() >= 60);
    uint64_t next = 0;
    for (auto& each : blocks) {
      CHECK(each.block.first == next);
      next = each.block.first + each.block.count;
    }
  }
}

TEST_CASE("a link that could not write down its session says why, and tries again") {
  pair_of_devices x;
  auto& files = static_cast<memory_storage&>(*x.w.site("co")->storage);
  files.before([](auto, const std::string&) { return false; });
  x.start_link();
  x.w.advance(100s);
  CHECK(x.status().state == link_state::failed);
  CHECK(x.status().reason.find("storage_failed") != std::string::npos);
  CHECK(x.status().attempts > 1);
  files.before(nullptr);
  x.w.advance(3600s);
  CHECK(x.status().state == link_state::distilling);
  CHECK_FALSE(x.kept["dc1"]->blocks.empty());
}

TEST_CASE("no key after stop was answered") {
  pair_of_devices x;
  x.start_both(1);
  x.w.advance(1000s);
  auto before = x.kept["co"]->blocks.size();
  REQUIRE(before > 0);
  REQUIRE(x.w.ask<accepted>(x.devices["co"], stop_distilling{the_link}));
  before = x.kept["co"]->blocks.size();
  x.w.advance(2000s);
  CHECK(x.kept["co"]->blocks.size() == before);
}

TEST_CASE("sessions never share bits") {
  block_id a{the_link, 1, link_end::bob, 0, 10};
  block_id b{the_link, 2, link_end::bob, 0, 10};
  block_id c{link_id{"bob1/alice2"}, 1, link_end::bob, 0, 10};
  secret seed{bytes(32, 5)};
  CHECK(to_hex(emulated_bits(seed, a).view()) == to_hex(emulated_bits(seed, a).view()));
  CHECK(to_hex(emulated_bits(seed, a).view()) != to_hex(emulated_bits(seed, b).view()));
  CHECK(to_hex(emulated_bits(seed, a).view()) != to_hex(emulated_bits(seed, c).view()));
  CHECK(to_hex(emulated_bits(secret{bytes(32, 6)}, a).view()) != to_hex(emulated_bits(seed, a).view()));
}

TEST_CASE("a line that cannot be is refused") {
  pair_of_devices x;
  line_conditions bad;
  bad.visibility = 1.5;
  CHECK(x.w.ask<accepted>(x.sources["co"], set_line{the_link, bad}).error() == ec::invalid_argument);
}

TEST_CASE("the states of a link, every cell of them") {
  // Rows: states; columns: connect start first_key stop stopped lost refused.
  const char* table[link_state_count][link_event_count] = {
    {"switching", "initialising", "", "", "", "", "failed"},
    {"", "initialising", "", "releasing", "", "lost", "failed"},
    {"", "", "distilling", "releasing", "", "lost", "failed"},
    {"", "", "", "releasing", "", "lost", "failed"},
    {"", "", "", "", "off", "lost", "failed"},
    {"switching", "initialising", "", "", "off", "", "failed"},
    {"switching", "initialising", "", "", "off", "", "failed"},
  };
  for (size_t s = 0; s < link_state_count; ++s)
    for (size_t e = 0; e < link_event_count; ++e) {
      auto to = next(static_cast<link_state>(s), static_cast<link_event>(e));
      INFO(to_string(static_cast<link_state>(s)) << " + " << to_string(static_cast<link_event>(e)));
      CHECK((to ? to_string(*to) : "") == table[s][e]);
    }
}

TEST_CASE("a 5 km link initialises in about 471 s and then makes keys") {
  pair_of_devices x;
  x.start_link();
  CHECK(x.status().state == link_state::initialising);
  x.w.advance(380s);
  CHECK(x.status().state == link_state::initialising);
  x.w.advance(180s);
  auto status = x.status();
  CHECK(status.state == link_state::distilling);
  CHECK(status.device.initialisation_s == Approx(471).epsilon(0.2));
  CHECK(status.device.qber == Approx(0.0201).margin(0.0025));
  CHECK(status.session == 1);
  CHECK(status.attempts == 0);
}

TEST_CASE("an eavesdropper ends the keys, and they come back when she leaves") {
  pair_of_devices x;
  x.start_link();
  x.w.advance(800s);
  line_conditions eve;
  eve.eavesdropper_share = 1;
  x.set(eve);
  x.w.advance(300s); // The block under way was drawn before she came.
  auto before = x.kept["co"]->blocks.size();
  x.w.advance(2000s);
  CHECK(x.kept["co"]->blocks.size() == before);
  auto status = x.status();
  CHECK(status.device.failed_blocks > 3);
  CHECK(status.device.qber > 0.1);
  x.set({});
  x.w.advance(1000s);
  CHECK(x.kept["co"]->blocks.size() > before);
}

TEST_CASE("a change of loss shows in the next block") {
  pair_of_devices x;
  x.start_link();
  x.w.advance(800s);
  CHECK(x.status().device.loss_db == Approx(5.9));
  line_conditions dirty;
  dirty.extra_loss_db = 2;
  x.set(dirty);
  x.w.advance(800s);
  CHECK(x.status().device.loss_db == Approx(7.9));
}

TEST_CASE("without light the session is lost, and the link tries again with patience") {
  pair_of_devices x;
  x.start_link();
  x.w.advance(800s);
  line_conditions dark;
  dark.light = false;
  x.set(dark);
  x.w.advance(1s);
  CHECK(x.status().state == link_state::lost);
  auto blocks = x.kept["co"]->blocks.size();
  x.w.advance(1h);
  CHECK(x.kept["co"]->blocks.size() == blocks);
  CHECK(x.status().attempts > 3);
  CHECK(x.status().attempts < 12); // Back-off: not one every ten seconds.
  x.set({});
  x.w.advance(1h);
  CHECK(x.status().state == link_state::distilling);
  CHECK(x.status().attempts == 0);
}

TEST_CASE("a driver that restarts is noticed and gets a new session") {
  for (auto* site : {"co", "dc1"}) {
    INFO(site);
    pair_of_devices x;
    x.start_link();
    x.w.advance(800s);
    caf::anon_send_exit(x.sources[site], caf::exit_reason::kill);
    x.w.run();
    x.start_source(site);
    x.w.advance(5s);
    CHECK(x.status().state != link_state::distilling);
    x.w.advance(800s);
    CHECK(x.status().state == link_state::distilling);
    CHECK(x.status().session == 2);
  }
}

TEST_CASE("a link that restarts goes on with a higher session") {
  pair_of_devices x;
  x.start_link();
  x.w.advance(800s);
  caf::anon_send_exit(x.link, caf::exit_reason::kill);
  x.w.run();
  x.start_link();
  CHECK(x.status().session == 2);
  x.w.advance(800s);
  CHECK(x.status().state == link_state::distilling);
  // No id of the first session came again.
  std::set<key_id> ids;
  for (auto& block : x.kept["co"]->blocks)
    for (uint32_t i = 0; i < block.block.count; ++i)
      CHECK(ids.insert(block.block.id(i)).second);
}

TEST_CASE("a block of another session or size never reaches the pool") {
  qkd_device_state s;
  link_id elsewhere{"bob1/alice2"};
  s.config.lines.resize(2);
  s.config.lines[0].link = the_link;
  s.config.lines[1].link = elsewhere;
  s.running = the_link;
  s.session = 4;
  key_block good{{the_link, 4, link_end::bob, 0, 10}, secret{bytes(320)}, {}};
  CHECK(s.problem(good).empty());
  auto other = good;
  other.block.session = 3;
  CHECK_FALSE(s.problem(other).empty());
  other = good;
  other.block.link = elsewhere; // An end of this device, but its Bob serves another.
  CHECK_FALSE(s.problem(other).empty());
  other.block.link = link_id{"bob9/alice9"};
  CHECK_FALSE(s.problem(other).empty());
  other = good;
  other.material = secret{bytes(319)};
  CHECK_FALSE(s.problem(other).empty());
  other = good;
  other.block.count = 5000;
  CHECK_FALSE(s.problem(other).empty());
  s.session = 0;
  CHECK_FALSE(s.problem(good).empty());
}
