#pragma once

// Two optical switches of glass, their controller, and links that listen.

#include "actors/optical_switch/optical_switch.hpp"
#include "actors/sdn_controller/sdn_controller.hpp"
#include "tests/support/fake_switch.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

namespace qnfv::test {

using fault = fake_glass::fault;
using truth = std::map<port_number, port_number>;

inline const switch_id s1{"s1"}, s2{"s2"};

struct owner_state {
  static inline const char* name = "link";
};

/// A link that listens only.
inline link_actor::behavior_type owner(stateful<link_actor, owner_state>*,
                                       std::shared_ptr<std::vector<path_lost>> lost) {
  auto no = [] { return fail(ec::internal, ""); };
  return {
    [](const device_report&) {},
    [](const link_status_query&) { return link_status{}; },
    [no](const claim_link&) -> caf::result<link_status> { return no(); },
    [no](const serve_link&) -> caf::result<accepted> { return no(); },
    [no](const release_link&) -> caf::result<accepted> { return no(); },
    [lost](const path_lost& x) { lost->push_back(x); },
    [](const link_tick&) {},
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

/// Bob and his Alices: 1 and 2 at s1; 3 at s2, behind a short trunk and a long one. And the data
/// channels of two sites.
struct plant {
  world w;
  std::map<switch_id, std::shared_ptr<fake_glass>> glass;
  std::shared_ptr<std::vector<path_lost>> lost = std::make_shared<std::vector<path_lost>>();
  std::map<switch_id, optical_switch_actor> switches;
  sdn_controller_config config;
  sdn_controller_actor sdn;
  std::unique_ptr<gates> doors; ///< The controller restarts behind one.

  explicit plant(uint64_t seed = 1) : w(seed) {
    w.timeout = 300s;
    w.site("co");
    doors = std::make_unique<gates>(w.system(), w.site("co"));
    config.site = site_id{"co"};
    config.allowed = {site_id{"bob"}};
    sdn = doors->to<sdn_controller_actor>(config.site, "sdn_controller");
    for (auto& name : {s1, s2}) {
      glass[name] = std::make_shared<fake_glass>();
      optical_switch_config x;
      x.name = name;
      x.controller_site = config.site;
      x.driver = w.spawn("co", fake_switch, glass[name]);
      x.controller = sdn;
      switches[name] = w.spawn("co", optical_switch, x);
      config.switches.push_back({name, config.site, switches[name], 24});
    }
    config.fibres = {{"bob1", {s1, 1}, {}, 0.5},  {"alice1", {s1, 25}, {}, 5},
                     {"alice2", {s1, 26}, {}, 9}, {"", {s1, 30}, {s2, 1}, 10},
                     {"", {s1, 31}, {s2, 2}, 20}, {"alice3", {s2, 25}, {}, 1},
                     {"co", {s1, 2}, {}, 0},      {"dc1", {s1, 27}, {}, 7}};
    auto handle = w.spawn("bob", owner, lost);
    for (auto& name : {"bob1/alice1", "bob1/alice2", "bob1/alice3"})
      config.owners[name] = handle;
    start();
  }
  ~plant() { w.end_actors(); }

  void start() {
    auto x = w.spawn("co", sdn_controller, config);
    doors->retarget(config.site, "sdn_controller", caf::actor_cast<caf::strong_actor_ptr>(x));
    current = x;
    w.run();
  }
  /// Its memory is lost, its disk is not.
  void restart() {
    caf::anon_send_exit(current, caf::exit_reason::kill);
    w.run();
    start();
  }
  void settle() { w.advance(std::chrono::milliseconds{config.grace_ms} + 2s); }

  caf::expected<path_ready> ask(const std::string& from, const std::string& to, uint64_t epoch = 0,
                                const std::string& as = "bob") {
    return w.ask_as<path_ready>(as, sdn, connect_path{from + "/" + to, from, to, epoch});
  }
  failure refusal(const std::string& from, const std::string& to, uint64_t epoch = 0,
                  const std::string& as = "bob") {
    auto x = ask(from, to, epoch, as);
    return x ? failure{ec::none, {}} : to_failure(x.error());
  }
  failure let_go(const std::string& path, uint64_t epoch = 0, const std::string& as = "bob") {
    auto x = w.ask_as<accepted>(as, sdn, release_path{path, epoch});
    return x ? failure{ec::none, {}} : to_failure(x.error());
  }
  path_list list() {
    auto x = w.ask<path_list>(sdn, paths_query{});
    REQUIRE(x);
    return *x;
  }
  void event(const switch_id& at, switch_event::kind what, port_number port = 0) {
    tell_as(w, "co", switches[at], switch_event{what, port, "", {}});
  }
  std::vector<std::string> lost_names() const {
    std::vector<std::string> out;
    for (auto& x : *lost)
      out.push_back(x.path);
    return out;
  }

  sdn_controller_actor current;
};

} // namespace qnfv::test
