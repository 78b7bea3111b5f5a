#pragma once

// The two ends of one link with a QKD SOURCE driver each, in real time, over real sockets where the
// driver has any. What an end gives to its qkd_device is kept. One lab per driver.

#include "actors/key_pool/key_pool.hpp"
#include "actors/qkd_device/qkd_device.hpp"
#include "drivers/idq3p/server.hpp"
#include "drivers/qkd_emulator/qkd_emulator.hpp"
#include "drivers/qkd_etsi014/qkd_etsi014.hpp"
#include "drivers/qkd_idq3p/qkd_idq3p.hpp"
#include "runtime/system/gate.hpp"
#include "tests/support/bad_udp.hpp"
#include "tests/support/real_world.hpp"
#include "tests/support/test_kme.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <set>

namespace qnfv::test {

using namespace std::chrono_literals;

/// What one end gave to its device.
struct given {
  std::vector<key_block> blocks;
  std::vector<device_report> reports;
};

class source_lab {
public:
  explicit source_lab(double time_scale = 1) {
    for (auto* site : {"co", "dc1"}) {
      envs_[site] = make_env(site, time_scale);
      doors[site] = std::make_unique<gates>(w.system(), envs_[site]);
      start_owner(site);
    }
  }
  virtual ~source_lab() = default;

  real_world w;
  std::map<std::string, std::unique_ptr<gates>> doors;
  std::map<std::string, qkd_source_actor> sources;
  const link_id link{"bob1/alice1"};
  /// What the pool of each end says to have, where a driver asks; 100 are enough.
  std::shared_ptr<std::atomic<uint64_t>> in_pool = std::make_shared<std::atomic<uint64_t>>(0);

  static std::string other(const std::string& site) { return site == "co" ? "dc1" : "co"; }
  static link_end end_of(const std::string& site) {
    return site == "co" ? link_end::bob : link_end::alice;
  }
  static device_id device_of(const std::string& site) {
    return device_id{site == "co" ? "bob1" : "alice1"};
  }

  /// Starts the driver of an end, the first time or again.
  void start_source(const std::string& site) {
    if (sources[site])
      caf::anon_send_exit(sources[site], caf::exit_reason::kill);
    sources[site] = spawn_source(site);
    for (auto& door : doors)
      door.second->retarget(site_id{site}, "source",
                            caf::actor_cast<caf::strong_actor_ptr>(sources[site]));
  }

  template <class Command>
  result<accepted> tell(const std::string& site, Command command) {
    return w.ask<accepted>(sources[site], std::move(command));
  }
  void start(uint32_t session) {
    REQUIRE(tell("dc1", start_distilling{link, session}));
    REQUIRE(tell("co", start_distilling{link, session}));
  }
  /// What was on its way to an owner is there then: an end tells him before it answers.
  void stop() {
    REQUIRE(tell("co", stop_distilling{link}));
    REQUIRE(tell("dc1", stop_distilling{link}));
    for (auto& owner : owners_)
      REQUIRE(w.ask<device_report>(owner.second, device_status_query{}));
  }

  /// Asks Alice's end about a block, in the name of a site.
  result<block_fetched> ask_alice(drawn_block x, const std::string& from = "co") {
    waiter<result<block_fetched>> answer;
    auto question = [to = sources["dc1"], x,
                     done = answer.callback()](instrumented<caf::event_based_actor>* self) {
      self->request(to, 10s, x)
        .then([done](block_fetched& y) { done(y); },
              [done](caf::error& why) { done(to_failure(why)); });
    };
    w.spawn_in(envs_[from], question);
    return answer.get();
  }

  const environment_ptr& env(const std::string& site) const { return envs_.at(site); }
  given of(const std::string& site) const {
    std::lock_guard lock{kept_->mutex};
    return kept_->given.at(site);
  }
  size_t blocks(const std::string& site) const { return of(site).blocks.size(); }

  /// Waits for something that comes with what an end gives; false if it does not.
  template <class Condition>
  bool until(Condition condition, duration limit = 20s) {
    std::unique_lock lock{kept_->mutex};
    return kept_->changed.wait_for(
      lock, limit, [&] { return condition(kept_->given.at("co"), kept_->given.at("dc1")); });
  }
  bool until_phase(const std::string& site, qkd_phase phase) {
    return until([&](auto& co, auto& dc1) {
      auto& reports = (site == "co" ? co : dc1).reports;
      return !reports.empty() && reports.back().phase == phase;
    });
  }
  bool until_blocks(size_t n, duration limit = 20s) {
    return until(
      [n](auto& co, auto& dc1) { return co.blocks.size() >= n && dc1.blocks.size() >= n; }, limit);
  }

  /// Every key that both ends gave has the same bits; no id came twice; no name has two values.
  void check_agreement() const {
    std::map<std::string, std::map<key_id, std::string>> bits;
    for (auto* site : {"co", "dc1"})
      for (auto& x : of(site).blocks) {
        REQUIRE(x.material.size() == x.block.count * key_bytes);
        CHECK(x.block.link == link);
        CHECK(x.block.count >= 3);
        for (uint32_t i = 0; i < x.block.count; ++i) {
          auto fresh =
            bits[site]
              .emplace(x.block.id(i), to_hex(x.material.view().part(i * key_bytes, key_bytes)))
              .second;
          CHECK(fresh);
        }
      }
    size_t differ = 0;
    std::set<std::string> values;
    for (auto& [id, value] : bits["co"]) {
      auto there = bits["dc1"].find(id);
      differ += there != bits["dc1"].end() && there->second != value ? 1 : 0;
      CHECK(values.insert(value).second);
    }
    CHECK(differ == 0);
  }

protected:
  using pool_actor = actor_of<caf::result<pool_status>(pool_status_query)>;
  struct pool_state {
    static inline const char* name = "key_pool";
  };
  virtual qkd_source_actor spawn_source(const std::string& site) = 0;

  environment_ptr make_env(const std::string& site, double time_scale) {
    auto env = std::make_shared<environment>(*w.site(site));
    env->clock = make_real_clock(time_scale);
    env->recorder = std::make_shared<recorder>(site);
    return env;
  }
  void fill(qkd_drawn_config& c, const std::string& site) {
    c.device = device_of(site);
    c.end = end_of(site);
    c.link = link;
    c.peer_site = site_id{other(site)};
    c.peer = doors[site]->to<qkd_source_actor>(c.peer_site, "source");
    c.owner = doors[site]->to<qkd_device_actor>(site_id{site}, "device");
    auto pool = [ready = in_pool](stateful<pool_actor, pool_state>*) -> pool_actor::behavior_type {
      return {[ready](const pool_status_query& ask) {
        pool_status out;
        out.link = ask.link;
        out.ready = *ready;
        return out;
      }};
    };
    c.key_pool = caf::actor_cast<key_pool_actor>(w.spawn_in(envs_[site], pool));
    c.pool_keys_enough = 100;
    c.block_keys_max = 16;
    c.gather_ms = 20;
    c.wait_first_ms = 5;
    c.wait_max_ms = 50;
    c.fetch_timeout_ms = 5000;
  }

private:
  using owner_actor = actor_of<caf::result<void>(key_block), caf::result<void>(device_report),
                               caf::result<device_report>(device_status_query)>;
  struct owner_state {
    static inline const char* name = "device";
  };

  /// Actors outlive the lab by a moment, and this with them.
  struct kept {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, qnfv::test::given> given;

    template <class F>
    void change(const std::string& site, F f) {
      std::lock_guard lock{mutex};
      f(given.at(site));
      changed.notify_all();
    }
  };

  void start_owner(const std::string& site) {
    kept_->given[site];
    auto behaviour = [keep = kept_,
                      site](stateful<owner_actor, owner_state>*) -> owner_actor::behavior_type {
      return {
        [keep, site](key_block& x) {
          keep->change(site, [&](given& to) { to.blocks.push_back(std::move(x)); });
        },
        [keep, site](const device_report& x) {
          keep->change(site, [&](given& to) { to.reports.push_back(x); });
        },
        [](const device_status_query&) { return device_report{}; },
      };
    };
    auto owner = owners_[site] = w.spawn_in(envs_[site], behaviour);
    doors[site]->retarget(site_id{site}, "device", caf::actor_cast<caf::strong_actor_ptr>(owner));
  }

  std::map<std::string, environment_ptr> envs_;
  std::map<std::string, owner_actor> owners_;
  std::shared_ptr<kept> kept_ = std::make_shared<kept>();
};

/// Emulated devices: a day of theirs takes a second.
class emulator_lab : public source_lab {
public:
  static constexpr const char* driver = "qkd_emulator";
  emulator_lab() : source_lab(20000) {
    start_source("co");
    start_source("dc1");
  }

protected:
  qkd_source_actor spawn_source(const std::string& site) override {
    qkd_emulator_config c;
    c.device = device_of(site);
    c.end = end_of(site);
    c.link = link;
    c.length_km = 5;
    c.seed = secret{bytes(32, 5)};
    c.peer_site = site_id{other(site)};
    c.peer = doors[site]->to<qkd_source_actor>(c.peer_site, "source");
    c.owner = doors[site]->to<qkd_device_actor>(site_id{site}, "device");
    return w.spawn_in(env(site), qkd_emulator, c);
  }
};

/// Two key servers like those of a Clavis2: emulated devices fill two pools, and our IDQ3P servers
/// hand the keys out. Sites "kms-co" and "kms-dc1", each beside an end of the link.
class clavis_pair {
public:
  explicit clavis_pair(real_world& world) : w(world) {
    for (auto* site : {"kms-co", "kms-dc1"}) {
      auto env = std::make_shared<environment>(*w.site(site));
      env->clock = make_real_clock(20000);
      envs[site] = env;
      doors[site] = std::make_unique<gates>(w.system(), env);
    }
    for (auto* site : {"kms-co", "kms-dc1"}) {
      start_pool(site);
      start_devices(site);
      open_server(site);
    }
    for (auto* site : {"kms-co", "kms-dc1"})
      caf::anon_send(pools[site], peer_up{site_id{other(site)}, 1});
  }
  ~clavis_pair() {
    for (auto& x : ports)
      x.second->stop();
  }

  static std::string other(const std::string& site) {
    return site == "kms-co" ? "kms-dc1" : "kms-co";
  }
  static link_end end_of(const std::string& site) {
    return site == "kms-co" ? link_end::bob : link_end::alice;
  }

  /// Lets the devices work until Bob's pool has that many keys to hand out.
  void make_keys(uint64_t n) {
    ++session;
    for (auto* site : {"kms-dc1", "kms-co"})
      REQUIRE(w.ask<accepted>(devices[site], start_distilling{link, session}));
    for (auto end = std::chrono::steady_clock::now() + 20s; ready() < n;)
      REQUIRE(std::chrono::steady_clock::now() < end);
    for (auto* site : {"kms-co", "kms-dc1"})
      REQUIRE(w.ask<accepted>(devices[site], stop_distilling{link}));
  }
  uint64_t ready() {
    auto x = w.ask<pool_status>(pools["kms-co"], pool_status_query{link});
    REQUIRE(x);
    return x->ready_here;
  }
  std::string address(const std::string& site) { return ports.at(site)->address(); }

  real_world& w;
  const link_id link{"bob9/alice9"};
  uint32_t session = 0;
  std::map<std::string, environment_ptr> envs;
  std::map<std::string, std::unique_ptr<gates>> doors;
  std::map<std::string, key_pool_actor> pools;
  std::map<std::string, qkd_device_actor> devices;
  std::map<std::string, std::shared_ptr<idq3p_udp_port>> ports;

private:
  void publish(const std::string& site, const std::string& role, caf::strong_actor_ptr handle) {
    for (auto& door : doors)
      door.second->retarget(site_id{site}, role, handle);
  }

  void start_pool(const std::string& site) {
    key_pool_config c;
    c.site = site_id{site};
    key_pool_config::link_setting x;
    x.link = link;
    x.end = end_of(site);
    x.peer = site_id{other(site)};
    x.peer_pool = doors[site]->to<key_pool_actor>(x.peer, "key_pool");
    x.secret_issue = 1;
    bytes initial(2048);
    make_seeded_random(3)->fill(initial.data(), initial.size());
    x.initial_secret = secret{initial};
    c.links.push_back(x);
    pools[site] = w.spawn_in(envs[site], key_pool, c);
    publish(site, "key_pool", caf::actor_cast<caf::strong_actor_ptr>(pools[site]));
  }

  void start_devices(const std::string& site) {
    qkd_emulator_config c;
    c.device = device_id{site};
    c.end = end_of(site);
    c.link = link;
    c.length_km = 5;
    c.seed = secret{bytes(32, 9)};
    c.peer_site = site_id{other(site)};
    c.peer = doors[site]->to<qkd_source_actor>(c.peer_site, "source");
    c.owner = doors[site]->to<qkd_device_actor>(site_id{site}, "device");
    auto source = w.spawn_in(envs[site], qkd_emulator, c);
    publish(site, "source", caf::actor_cast<caf::strong_actor_ptr>(source));
    qkd_device_config d;
    d.device = device_id{site};
    d.lines.push_back({link, site_id{"co"}, source, {}});
    d.key_pool = pools[site];
    devices[site] = w.spawn_in(envs[site], qkd_device, d);
    publish(site, "device", caf::actor_cast<caf::strong_actor_ptr>(devices[site]));
  }

  void open_server(const std::string& site) {
    idq3p_port_settings s;
    s.listen = "127.0.0.1:0";
    auto port = open_idq3p_port(w.io()->context(), s);
    REQUIRE(port);
    ports[site] = *port;
    idq3p_server_config c;
    c.link = link;
    c.peer = site_id{other(site)};
    c.key_pool = pools[site];
    c.port = *port;
    // A real clock of scale 1: its memory is in real seconds.
    w.spawn_in(envs[site], idq3p_server, c);
  }
};

class idq3p_lab : public source_lab {
public:
  static constexpr const char* driver = "qkd_idq3p";
  explicit idq3p_lab(cable_faults faults = {}, uint64_t seed = 1, uint64_t keys = 1000)
    : clavis(w) {
    if (keys > 0)
      clavis.make_keys(keys);
    for (auto* site : {"co", "dc1"}) {
      cables[site] =
        bad_cable::lay(*w.io(), clavis.address("kms-" + std::string{site}), seed++, faults);
      start_source(site);
    }
  }
  ~idq3p_lab() override {
    for (auto& x : cables)
      x.second->close();
  }

  clavis_pair clavis;
  std::map<std::string, std::shared_ptr<bad_cable>> cables;

protected:
  qkd_source_actor spawn_source(const std::string& site) override {
    qkd_drawn_config c;
    fill(c, site);
    idq3p_client_settings s;
    s.server = cables.at(site)->address();
    s.silence = 400ms;
    s.repeat = 25ms;
    REQUIRE(use_idq3p(c, env(site), s));
    return w.spawn_in(env(site), qkd_drawn, c);
  }
};

class etsi014_lab : public source_lab {
public:
  static constexpr const char* driver = "qkd_etsi014";
  explicit etsi014_lab(kme_habits habits = {}, uint32_t keys = 1000)
    : kmes(two_kmes::make(*w.io(), std::move(habits))) {
    kmes->add_keys(keys);
    start_source("co");
    start_source("dc1");
  }

  std::shared_ptr<two_kmes> kmes;
  /// Instead of the certificates and names that fit, per site.
  std::map<std::string, std::string> certificate, expected_name;

protected:
  qkd_source_actor spawn_source(const std::string& site) override {
    auto bob = site == "co";
    qkd_drawn_config c;
    fill(c, site);
    kme_client_settings s;
    s.kme = kmes->address(bob ? "kme-a" : "kme-b");
    s.expected_name = bob ? "qnfv:site:kme-a" : "qnfv:site:kme-b";
    if (expected_name.count(site) > 0)
      s.expected_name = expected_name[site];
    s.tls = kmes->files(certificate.count(site) > 0 ? certificate[site] : bob ? "sae-a" : "sae-b");
    s.other_sae = bob ? "sae-b" : "sae-a";
    s.fetch_wait_ms = 5;
    REQUIRE(use_etsi014(c, env(site), s));
    return w.spawn_in(env(site), qkd_drawn, c);
  }
};

} // namespace qnfv::test
