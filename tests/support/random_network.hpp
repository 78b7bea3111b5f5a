#pragma once

// A random optical network in virtual time: the real link, device, emulator, controller, switch and
// scheduler actors, one to three Bobs, up to eight Alices, one or two switches. Only the key pools are
// stand-ins that count. Everything restarts behind gates.

#include "actors/link/link.hpp"
#include "actors/optical_switch/optical_switch.hpp"
#include "actors/qkd_device/qkd_device.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "actors/sdn_controller/sdn_controller.hpp"
#include "drivers/qkd_emulator/qkd_emulator.hpp"
#include "drivers/switch_emulator/switch_emulator.hpp"
#include "runtime/system/gate.hpp"
#include "tests/support/fake_switch.hpp"
#include "tests/support/stand_ins.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

namespace qnfv::test {

/// An actor that a checker may look into, while it lives.
template <class Handle, class State>
struct seen_actor {
  caf::strong_actor_ptr alive;
  State* state = nullptr;

  void started(const Handle& x) {
    alive = caf::actor_cast<caf::strong_actor_ptr>(x);
    auto* actor = caf::actor_cast<caf::abstract_actor*>(x);
    state = &dynamic_cast<stateful<Handle, State>&>(*actor).state;
  }
};

class random_network {
public:
  struct one_link {
    link_id id;
    size_t bob = 0;
    device_id bob_device, alice_device;
    std::string alice_site;
    double length_km = 0, demand_bps = 0;
    std::vector<path_hop> way;
    line_conditions line;
    // What both ends were given, by block: a digest of the bits, and how many ends have them.
    std::map<std::pair<uint32_t, uint64_t>, std::pair<size_t, int>> blocks;
    double stock_bits = 0, used_bits = 0, spilled_bits = 0; ///< Of what both ends have.
    double asked_bits = 0;
    std::deque<double> said_bits; ///< To schedulers, old ones too, the last few times.
    time_point used{};
    bool alice_up = true;
    seen_actor<link_actor, link_actor_state> link;
    seen_actor<qkd_source_actor, qkd_emulator_state> bob_source;
  };
  struct one_switch {
    switch_id name;
    seen_actor<switch_driver_actor, switch_emulator_state> glass;
    seen_actor<optical_switch_actor, optical_switch_state> commander;
  };
  /// What is told to a checker; it may look, but not run anything.
  struct watcher {
    virtual ~watcher() = default;
    virtual void ingest(one_link&, const std::string& at, const key_block&) = 0;
    virtual void after_each() = 0;
  };

  static constexpr double pool_keys = 4000;
  static constexpr size_t bobs_max = 3;

  random_network(uint64_t seed, std::string policy)
    : w(seed), policy_(std::move(policy)), random_(make_seeded_random(seed * 7919)) {
    w.timeout = 5s;
    auto bobs = 1 + pick(bobs_max);
    auto alices = std::max<uint64_t>(bobs, 1 + pick(8));
    auto two = alices > 1 && pick(3) == 0;
    for (uint64_t i = 0; i <= (two ? 1 : 0); ++i)
      switches.push_back({switch_id{"s" + std::to_string(i + 1)}, {}, {}});
    for (uint64_t b = 0; b < bobs; ++b)
      fibres_.push_back({"bob" + std::to_string(b + 1), {switches[0].name, port(1 + b)}, {}, 0});
    if (two)
      fibres_.push_back({"", {switches[0].name, 40}, {switches[1].name, 1}, 1.0 * static_cast<double>(pick(5))});
    for (uint64_t a = 0; a < alices; ++a) {
      one_link x;
      x.bob = a < bobs ? a : pick(bobs);
      auto name = std::to_string(a + 1);
      x.bob_device = device_id{"bob" + std::to_string(x.bob + 1)};
      x.alice_device = device_id{"alice" + name};
      x.alice_site = "dc" + name;
      x.id = link_id{x.bob_device.value + "/" + x.alice_device.value};
      x.demand_bps = pick(5) == 0 ? 0 : 5.0 * static_cast<double>(1 + pick(60));
      auto& at = two && pick(2) == 0 ? switches[1] : switches[0];
      fibres_.push_back({x.alice_device.value, {at.name, port(25 + a)}, {}, static_cast<double>(pick(26))});
      links.push_back(std::move(x));
    }
    for (auto& x : switches)
      sizes_[x.name] = 24;
    auto graph = fibre_graph::make(sizes_, fibres_);
    REQUIRE(graph);
    for (auto& x : links) {
      auto way = graph->find(x.bob_device.value, x.alice_device.value,
                             [](const switch_port&) { return port_use::good; });
      REQUIRE(way);
      x.way = way->hops;
      x.length_km = way->length_km;
      x.used = w.now();
      // What is told of the past would cost more than what is tested.
      std::const_pointer_cast<environment>(w.site(x.alice_site))->recorder = nullptr;
    }
    std::const_pointer_cast<environment>(w.site("co"))->recorder = nullptr;
    doors_ = std::make_unique<gates>(w.system(), w.site("co"));
    start_all();
  }
  ~random_network() {
    w.after_each = {};
    w.end_actors();
  }

  void watch(watcher& x) {
    watcher_ = &x;
    w.after_each = [&x] { x.after_each(); };
  }

  // -- what a night brings ----------------------------------------------------------------------------

  uint64_t pick(uint64_t n) { return random_->next() % n; }

  void set_line(one_link& x, const line_conditions& line) {
    x.line = line;
    w.ask_as<accepted>("co", door<qkd_source_actor>("co/source/" + x.id.value),
                       qnfv::set_line{x.id, line});
  }
  void set_fault(const one_switch& x, const switch_fault& fault) {
    w.ask_as<accepted>("co", door<switch_driver_actor>("glass/" + x.name.value), fault);
  }
  void alice_up(one_link& x, bool up) {
    x.alice_up = up;
    site_id site{x.alice_site};
    for (auto role : {"co/source/" + x.id.value, "link/" + x.id.value, std::string{"scheduler"}}) {
      if (auto target = door<caf::actor>(role); up)
        caf::anon_send(target, peer_up{site, 1});
      else
        caf::anon_send(target, peer_down{site, "silent"});
    }
    for (auto& role : {x.alice_site + "/source/" + x.id.value, "device/" + x.alice_device.value}) {
      if (up)
        starts_.at(role)();
      else
        kill(role);
    }
    w.run();
  }
  std::vector<std::string> roles() const {
    std::vector<std::string> out;
    for (auto& [name, start] : starts_)
      out.push_back(name);
    return out;
  }
  /// Dies, and is started again a while later as a node would.
  void restart(const std::string& role) {
    kill(role);
    w.advance(std::chrono::milliseconds{100 + pick(2000)});
    starts_.at(role)();
    w.run();
    introduce(role);
  }
  /// The role dies, and one of another make is in its place.
  template <class Handle>
  void replace(const std::string& role, const Handle& other) {
    kill(role);
    replaced.insert(role);
    doors_->retarget(site_id{"co"}, role, strong(other));
  }
  void replace_controller() {
    replace("controller", w.spawn("co", astray_controller, [this](auto& path) {
              for (auto& x : links)
                if (x.id.value == path && x.link.state)
                  led_astray[x.id] = x.link.state->status.session;
            }));
  }
  /// Those who were replaced are back.
  void put_back() {
    for (auto& role : std::set<std::string>{replaced})
      restart(role);
  }
  /// A younger scheduler; the old one lives on and knows nothing of it.
  void another_scheduler() {
    schedulers_before.push_back(scheduler);
    starts_.at("scheduler")();
    w.run();
    introduce("scheduler");
  }

  scheduler_state& schedule() { return *scheduler.state; }
  template <class Handle>
  Handle door(const std::string& role) {
    return doors_->to<Handle>(site_id{"co"}, role);
  }

  world w;
  std::vector<one_link> links;
  std::vector<one_switch> switches;
  std::map<device_id, seen_actor<qkd_device_actor, qkd_device_state>> bobs;
  seen_actor<sdn_controller_actor, sdn_controller_state> controller;
  std::set<std::string> replaced; ///< Roles with somebody of another make in them.
  /// Links that were told of a path to somebody else, and their last session before.
  std::map<link_id, uint32_t> led_astray;
  seen_actor<scheduler_actor, scheduler_state> scheduler;
  std::vector<seen_actor<scheduler_actor, scheduler_state>> schedulers_before;

private:
  static port_number port(uint64_t x) { return static_cast<port_number>(x); }

  void kill(const std::string& role) {
    auto handle = doors_->handle(site_id{"co"}, role);
    auto target = dynamic_cast<gate&>(*handle->get()).target();
    doors_->retarget(site_id{"co"}, role, nullptr);
    replaced.erase(role);
    if (role == "controller")
      led_astray.clear();
    if (auto seen = hide_.find(role); seen != hide_.end())
      seen->second();
    if (target)
      caf::anon_send_exit(target, caf::exit_reason::kill);
    w.run();
  }

  void introduce(const std::string& role) {
    auto target = door<caf::actor>(role);
    for (auto& x : links)
      if (x.alice_up)
        caf::anon_send(target, peer_up{site_id{x.alice_site}, 1});
    w.run();
  }

  void role(const std::string& name, std::function<caf::strong_actor_ptr()> start) {
    starts_[name] = [this, name, start] {
      doors_->retarget(site_id{"co"}, name, start());
    };
    starts_[name]();
    order_.push_back(name);
  }
  /// One that a checker may look into.
  template <class Handle, class State, class Start>
  void role(const std::string& name, seen_actor<Handle, State>& seen, Start start) {
    hide_[name] = [&seen] { seen.state = nullptr; };
    role(name, [&seen, start] {
      Handle handle = start();
      seen.started(handle);
      return strong(handle);
    });
  }
  template <class Handle>
  static caf::strong_actor_ptr strong(const Handle& x) {
    return caf::actor_cast<caf::strong_actor_ptr>(x);
  }

  void take(const std::string& at, const key_block& x) {
    for (auto& link : links) {
      if (link.id != x.block.link)
        continue;
      if (watcher_)
        watcher_->ingest(link, at, x);
      auto raw = x.material.view();
      auto digest = std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(raw.data()), raw.size()});
      auto& known = link.blocks[{x.block.session, x.block.first}];
      known.first = digest;
      if (++known.second != 2)
        continue;
      auto more = x.block.count * double{key_bits};
      auto fits = std::min(more, pool_keys * key_bits - link.stock_bits);
      link.stock_bits += fits;
      link.spilled_bits += more - fits;
    }
  }
  keys_status say() {
    keys_status out;
    for (auto& x : links) {
      auto wanted = x.demand_bps * to_seconds(w.now() - x.used);
      x.used = w.now();
      x.asked_bits += wanted;
      auto had = std::min(x.stock_bits, wanted);
      x.stock_bits -= had;
      x.used_bits += had;
      pool_status pool;
      pool.link = x.id;
      pool.ready = static_cast<uint64_t>(x.stock_bits / key_bits);
      x.said_bits.push_back(static_cast<double>(pool.ready * key_bits));
      if (x.said_bits.size() > 8)
        x.said_bits.pop_front();
      pool.capacity = static_cast<uint64_t>(pool_keys);
      pool.asked_bits = static_cast<uint64_t>(x.asked_bits);
      out.pools.push_back(pool);
    }
    return out;
  }
  key_pool_actor::behavior_type counting_pool(const std::string& at) {
    auto no = [] { return fail(ec::internal, "a pool that counts"); };
    return {[this, at](const key_block& x) { take(at, x); },
            [no](const reserve_keys&) -> caf::result<key_grants> { return no(); },
            [no](const claim_keys&) -> caf::result<key_grants> { return no(); },
            [no](const compare_stores&) -> caf::result<compare_stores> { return no(); },
            [no](const confirm_block&) -> caf::result<block_confirmed> { return no(); },
            [no](const assign_keys&) -> caf::result<keys_assigned> { return no(); },
            [no](const reconcile_keys&) -> caf::result<keys_gone> { return no(); },
            [](const store_progress&) {},
            [no](const pool_status_query&) -> caf::result<pool_status> { return no(); },
            [this](const keys_status_query&) { return say(); },
            [no](const reconcile_now&) -> caf::result<pool_status> { return no(); },
            [](const peer_up&) {},
            [](const peer_down&) {},
            [](const tick&) {},
            [](const continuation&) {}};
  }

  void start_all() {
    struct nothing {};
    auto pool_at = [this](const std::string& at) {
      return w.spawn(at, [this, at](stateful<key_pool_actor, nothing>*) { return counting_pool(at); });
    };
    pool_ = pool_at("co");
    for (auto& x : switches)
      start_switch(x);
    start_controller();
    for (size_t b = 0; b < bobs_max; ++b)
      start_bob(b);
    for (auto& x : links)
      start_link(x, pool_at(x.alice_site));
    start_scheduler();
    for (auto& name : order_)
      introduce(name);
  }

  void start_switch(one_switch& x) {
    switch_emulator_config glass;
    glass.name = x.name;
    glass.owner = caf::actor_cast<switch_watcher>(door<optical_switch_actor>(x.name.value));
    glass.repeat_light_ms = 30000;
    for (auto& link : links) {
      crossing_link crossing{link.id, {}, door<qkd_source_actor>("co/source/" + link.id.value)};
      for (auto& hop : link.way)
        if (hop.name == x.name)
          crossing.ports.push_back(hop.ports);
      if (!crossing.ports.empty())
        glass.links.push_back(crossing);
    }
    optical_switch_config config;
    config.name = x.name;
    config.controller_site = site_id{"co"};
    config.driver = door<switch_driver_actor>("glass/" + x.name.value);
    config.controller = door<sdn_controller_actor>("controller");
    role(x.name.value, x.commander, [this, config] { return w.spawn("co", optical_switch, config); });
    role("glass/" + x.name.value, x.glass,
         [this, glass] { return w.spawn("co", switch_emulator, glass); });
  }

  void start_controller() {
    sdn_controller_config config;
    config.site = site_id{"co"};
    for (auto& x : switches)
      config.switches.push_back({x.name, config.site, door<optical_switch_actor>(x.name.value), 24});
    config.fibres = fibres_;
    for (auto& x : links)
      config.owners[x.id.value] = door<link_actor>("link/" + x.id.value);
    role("controller", controller, [this, config] { return w.spawn("co", sdn_controller, config); });
  }

  void start_bob(size_t bob) {
    qkd_device_config config;
    config.key_pool = pool_;
    for (auto& x : links)
      if (x.bob == bob) {
        config.device = x.bob_device;
        config.lines.push_back({x.id, site_id{"co"}, door<qkd_source_actor>("co/source/" + x.id.value),
                                door<link_actor>("link/" + x.id.value)});
      }
    if (!config.lines.empty())
      role("device/" + config.device.value, bobs[config.device],
           [this, config] { return w.spawn("co", qkd_device, config); });
  }

  void start_link(one_link& x, key_pool_actor alice_pool) {
    qkd_device_config alice;
    alice.device = x.alice_device;
    alice.key_pool = alice_pool;
    auto alice_source = x.alice_site + "/source/" + x.id.value;
    alice.lines.push_back({x.id, site_id{"co"}, door<qkd_source_actor>(alice_source), {}});
    role("device/" + x.alice_device.value,
         [this, alice, at = x.alice_site] { return strong(w.spawn(at, qkd_device, alice)); });
    for (auto end : {link_end::alice, link_end::bob}) {
      auto bob = end == link_end::bob;
      qkd_emulator_config source;
      source.device = bob ? x.bob_device : x.alice_device;
      source.end = end;
      source.link = x.id;
      source.length_km = x.length_km;
      source.seed = secret{32};
      source.peer_site = site_id{bob ? x.alice_site : "co"};
      source.peer = door<qkd_source_actor>(bob ? alice_source : "co/source/" + x.id.value);
      source.owner = door<qkd_device_actor>("device/" + source.device.value);
      if (bob)
        for (auto& hop : x.way)
          source.switches[hop.name] = site_id{"co"};
      if (bob)
        role("co/source/" + x.id.value, x.bob_source,
             [this, source] { return w.spawn("co", qkd_emulator, source); });
      else
        role(alice_source, [this, source, at = x.alice_site] {
          return strong(w.spawn(at, qkd_emulator, source));
        });
    }
    link_actor_config config;
    config.link = x.id;
    config.bob_device = x.bob_device;
    config.alice_device = x.alice_device;
    config.bob_site = site_id{"co"};
    config.alice_site = site_id{x.alice_site};
    config.bob = door<qkd_device_actor>("device/" + x.bob_device.value);
    config.alice = door<qkd_device_actor>("device/" + x.alice_device.value);
    config.controller = door<sdn_controller_actor>("controller");
    config.scheduler = door<scheduler_actor>("scheduler");
    config.scheduler_site = site_id{"co"};
    config.health_ms = 10000;
    role("link/" + x.id.value, x.link, [this, config] { return w.spawn("co", link_pair, config); });
  }

  void start_scheduler() {
    scheduler_config config;
    config.policy = policy_;
    config.tick_s = 20;
    for (auto& x : links) {
      scheduled_link_config each;
      each.link = x.id;
      each.bob = x.bob_device;
      each.bob_site = site_id{"co"};
      each.alice_site = site_id{x.alice_site};
      each.link_actor_handle = door<link_actor>("link/" + x.id.value);
      each.bob_pool = pool_;
      auto figures = figures_of(x.length_km, 0, {});
      each.rate_guess_bps = figures.secret_bps;
      each.initialisation_guess_s = figures.initialisation_s;
      config.links.push_back(each);
    }
    role("scheduler", scheduler, [this, config] { return w.spawn("co", qnfv::scheduler, config); });
  }

  std::string policy_;
  std::shared_ptr<random_source> random_;
  std::map<switch_id, uint16_t> sizes_;
  std::vector<fibre> fibres_;
  std::unique_ptr<gates> doors_;
  std::map<std::string, std::function<void()>> starts_;
  std::map<std::string, std::function<void()>> hide_; ///< From checkers, when it dies.
  std::vector<std::string> order_;
  key_pool_actor pool_;
  watcher* watcher_ = nullptr;
};

} // namespace qnfv::test
