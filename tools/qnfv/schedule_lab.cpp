#include "tools/qnfv/schedule_lab.hpp"

#include "actors/scheduler/assignment.hpp"
#include "actors/scheduler/capacity.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "runtime/storage/memory.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

struct lab_config : caf::actor_system_config {
  lab_config() {
    register_wire(*this);
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
  }
};

/// What the playing actors share. One thread.
struct stage {
  stage(const schedule_scenario& x, std::vector<size_t> home)
      : world(x, home), home(std::move(home)) {}
  schedule_world world;
  std::vector<size_t> home;
  std::vector<link_id> names;
  std::map<link_id, size_t> index;
  std::vector<uint64_t> epoch, visit;
  scheduler_actor scheduler;

  link_status status(size_t i) const {
    auto& x = world.links()[i];
    link_status out;
    out.link = names[i];
    out.epoch = epoch[i];
    out.visit = visit[i];
    out.serving = x.now != world_link::doing::idle;
    out.reason = x.reason;
    out.state = x.now == world_link::doing::producing  ? link_state::distilling
                : x.now == world_link::doing::starting ? link_state::initialising
                : x.reason.empty()                     ? link_state::off
                                                       : link_state::lost;
    out.session = x.visits;
    if (x.now == world_link::doing::producing)
      out.device.secret_rate_bps = x.rate_bps;
    return out;
  }
};
using stage_ptr = std::shared_ptr<stage>;

struct nothing {
  static inline const char* name = "player";
};

/// All pools of the scenario in one actor.
key_pool_actor::behavior_type pools(stateful<key_pool_actor, nothing>*, stage_ptr s) {
  auto no = [] { return fail(ec::invalid_argument, "these pools are played"); };
  return {
    [](const key_block&) {},
    [no](const reserve_keys&) -> caf::result<key_grants> { return no(); },
    [no](const claim_keys&) -> caf::result<key_grants> { return no(); },
    [no](const compare_stores&) -> caf::result<compare_stores> { return no(); },
    [no](const confirm_block&) -> caf::result<block_confirmed> { return no(); },
    [no](const assign_keys&) -> caf::result<keys_assigned> { return no(); },
    [no](const reconcile_keys&) -> caf::result<keys_gone> { return no(); },
    [](const store_progress&) {},
    [no](const pool_status_query&) -> caf::result<pool_status> { return no(); },
    [s](const keys_status_query&) {
      keys_status out;
      auto& links = s->world.links();
      out.pools.resize(links.size());
      for (size_t i = 0; i < links.size(); ++i) {
        auto& x = out.pools[i];
        x.link = s->names[i];
        x.ready = static_cast<uint64_t>(links[i].stock / key_bits);
        x.capacity = static_cast<uint64_t>(s->world.scenario().links[i].capacity_bits / key_bits);
        x.asked_bits = static_cast<uint64_t>(links[i].asked_bits);
      }
      return out;
    },
    [no](const reconcile_now&) -> caf::result<pool_status> { return no(); },
    [](const peer_up&) {},
    [](const peer_down&) {},
    [](const tick&) {},
    [](const continuation&) {},
  };
}

/// The links of one Bob in one actor. A link_tick makes it tell what has changed.
link_actor::behavior_type links(stateful<link_actor, nothing>* self, stage_ptr s, size_t bob) {
  auto obeys = [s](const auto& x) { return x.epoch == s->epoch[s->index.at(x.link)]; };
  auto stale = [s](const auto& x) {
    return fail(ec::stale_epoch,
                x.link.value + " obeys epoch " + std::to_string(s->epoch[s->index.at(x.link)]));
  };
  auto tell = [self, s, bob] {
    std::vector<size_t> others;
    for (auto i : std::exchange(s->world.changed, {})) {
      if (s->home[i] == bob)
        self->send(s->scheduler, s->status(i));
      else
        others.push_back(i);
    }
    s->world.changed = others;
  };
  return {
    [](const device_report&) {},
    [](const link_status_query&) { return link_status{}; },
    [s, stale](const claim_link& x) -> caf::result<link_status> {
      auto i = s->index.at(x.link);
      if (x.epoch < s->epoch[i])
        return stale(x);
      s->epoch[i] = x.epoch;
      return s->status(i);
    },
    [s, tell, obeys, stale](const serve_link& x) -> caf::result<accepted> {
      if (!obeys(x))
        return stale(x);
      auto i = s->index.at(x.link);
      if (!s->world.serve(i))
        return fail(ec::busy, "no Bob is free for " + x.link.value);
      s->visit[i] = x.visit;
      tell();
      return accepted{};
    },
    [s, tell, obeys, stale](const release_link& x) -> caf::result<accepted> {
      if (!obeys(x))
        return stale(x);
      s->world.release(s->index.at(x.link));
      tell();
      return accepted{};
    },
    [](const path_lost&) {},
    [tell](const link_tick&) { tell(); },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

std::vector<double> loads_of(const schedule_scenario& x) {
  auto demand = x.demand_bps();
  std::vector<double> out;
  for (size_t i = 0; i < x.links.size(); ++i) {
    auto& link = x.links[i];
    out.push_back(
      fluid_load({demand[i], link.rate_bps, link.initialisation_s, link.capacity_bits}));
  }
  return out;
}

/// Which Alice is whose: what the orchestrator knows of its customers, spread evenly.
std::vector<size_t> homes_of(const schedule_scenario& x) {
  std::vector<load_share> shares;
  for (auto load : loads_of(x))
    shares.push_back({load, 0, false});
  return share_out(shares, std::vector<bool>(x.bobs, true));
}

site_id bob_site(size_t bob) {
  return site_id{"bob" + std::to_string(bob + 1) + "-site"};
}

class player {
public:
  player(const schedule_scenario& x, const std::string& policy)
      : stage_(std::make_shared<stage>(x, homes_of(x))), system_(config_),
        coordinator_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())) {
    system_.await_actors_before_shutdown(false);
    coordinator_.clock().current_time += 1h; // CAF reads time 0 as "unset".
    clock_ = make_virtual_clock([this] { return coordinator_.clock().now(); });
    cast(policy);
  }

  ~player() {
    coordinator_.clock().cancel_all(); // A pending timer keeps its actor alive.
    for (auto& x : actors_)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    actors_.clear();
    link_actors_.clear();
    stage_->scheduler = nullptr;
    run();
    coordinator_.clock().cancel_all();
  }

  schedule_result play() {
    auto& world = stage_->world;
    auto& scenario = world.scenario();
    auto began = coordinator_.clock().now();
    for (size_t b = 0; b < scenario.bobs; ++b)
      send_to_scheduler(peer_up{bob_site(b), 1});
    run();
    for (double t = 0; t < scenario.horizon_s;) {
      let_pass(began + from_seconds(t));
      look_at_alarms(t);
      t += scenario.tick_s;
      world.advance(t);
      coordinator_.clock().current_time = began + from_seconds(t);
      for (auto [bob, up] : world.take_bob_changes()) {
        if (up)
          send_to_scheduler(peer_up{bob_site(bob), 1});
        else
          send_to_scheduler(peer_down{bob_site(bob), "it is gone"});
      }
      while (!world.changed.empty()) {
        caf::anon_send(link_actors_[stage_->home[world.changed.front()]], link_tick{});
        run();
      }
    }
    out_.world = world.figures();
    out_.decisions = state_->book.counts().decisions;
    if (!us_.empty()) {
      for (auto x : us_)
        out_.decision_us_mean += static_cast<double>(x) / static_cast<double>(us_.size());
      auto at = us_.begin() + static_cast<std::ptrdiff_t>(us_.size() * 99 / 100);
      std::nth_element(us_.begin(), at, us_.end());
      out_.decision_us_p99 = static_cast<double>(*at);
    }
    return out_;
  }

private:
  template <class F, class... Ts>
  auto spawn(const std::string& at, F function, Ts&&... xs) {
    auto env = std::make_shared<environment>();
    env->site = site_id{at};
    env->clock = clock_;
    env->random = make_seeded_random(1);
    env->storage = std::make_shared<memory_storage>();
    auto handle = spawn_at(system_, env, function, std::forward<Ts>(xs)...);
    actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }

  void cast(const std::string& policy) {
    auto& scenario = stage_->world.scenario();
    auto pool = spawn("pools", pools, stage_);
    for (size_t b = 0; b < scenario.bobs; ++b)
      link_actors_.push_back(spawn(bob_site(b).value, links, stage_, b));
    scheduler_config config;
    config.policy = policy;
    config.tick_s = scenario.tick_s;
    std::vector<double> declared(scenario.links.size());
    for (auto& flow : scenario.flows)
      for (auto i : flow.path)
        declared[i] += flow.declared_bps;
    for (size_t i = 0; i < scenario.links.size(); ++i) {
      char name[48];
      auto bob = stage_->home[i];
      std::snprintf(name, sizeof name, "bob%zu/alice%04zu", bob + 1, i + 1);
      scheduled_link_config x;
      x.link = link_id{name};
      x.bob = device_id{"bob" + std::to_string(bob + 1)};
      x.bob_site = bob_site(bob);
      x.alice_site = site_id{"co"};
      x.link_actor_handle = link_actors_[bob];
      x.bob_pool = pool;
      x.rate_guess_bps = scenario.links[i].rate_bps;
      x.initialisation_guess_s = scenario.links[i].initialisation_s;
      x.declared_bps = declared[i];
      x.movable = scenario.spares > 0;
      stage_->names.push_back(x.link);
      stage_->index[x.link] = i;
      config.links.push_back(std::move(x));
    }
    stage_->epoch.resize(scenario.links.size());
    stage_->visit.resize(scenario.links.size());
    for (size_t k = 0; k < scenario.spares; ++k) {
      auto bob = scenario.bobs + k;
      config.spares.push_back({device_id{"bob" + std::to_string(bob + 1)}, bob_site(bob)});
    }
    stage_->scheduler = spawn("co", scheduler, config);
    run(); // An actor is made when its first message comes.
    // Asking the actor at each tick would cost more than what is measured: one thread may look inside.
    auto* actor = caf::actor_cast<caf::abstract_actor*>(stage_->scheduler);
    state_ = &dynamic_cast<stateful<scheduler_actor, scheduler_state>&>(*actor).state;
    state_->book.stopwatch = [this](bool begins) {
      auto now = std::chrono::steady_clock::now();
      if (begins)
        decision_began_ = now;
      else
        us_.push_back(std::chrono::duration<float, std::micro>(now - decision_began_).count());
    };
  }

  template <class T>
  void send_to_scheduler(T x) {
    caf::anon_send(stage_->scheduler, std::move(x));
  }

  void run() {
    while (coordinator_.try_run_once()) {
    }
  }

  void let_pass(time_point until) {
    auto& clock = coordinator_.clock();
    run();
    while (!clock.schedule().empty() && clock.schedule().begin()->first <= until) {
      if (clock.schedule().begin()->first > clock.now())
        clock.current_time = clock.schedule().begin()->first;
      coordinator_.trigger_timeout();
      run();
    }
    clock.current_time = std::max(clock.now(), until);
  }

  void look_at_alarms(double t) {
    auto& scenario = stage_->world.scenario();
    bool raised = false;
    for (auto& x : state_->book.alarms())
      raised = raised || !x.of_link;
    if (raised) {
      if (out_.alarm_first_s < 0)
        out_.alarm_first_s = t;
      if (alarm_since_s_ < 0)
        alarm_since_s_ = t;
      alarm_last_s_ = t;
      out_.alarmed_s += scenario.tick_s;
    } else {
      alarm_since_s_ = -1;
    }
    if (raised && !spares_up_ && t - alarm_since_s_ >= scenario.spare_delay_s)
      set_spares(true);
    if (!raised && spares_up_ && t - alarm_last_s_ >= scenario.spare_hold_s)
      set_spares(false);
  }

  void set_spares(bool up) {
    spares_up_ = up;
    for (size_t k = 0; k < stage_->world.scenario().spares; ++k)
      stage_->world.set_spare(k, up);
  }

  stage_ptr stage_;
  lab_config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& coordinator_;
  std::shared_ptr<const clock> clock_;
  std::vector<caf::strong_actor_ptr> actors_;
  std::vector<link_actor> link_actors_;
  scheduler_state* state_ = nullptr;
  schedule_result out_;
  std::vector<float> us_;
  std::chrono::steady_clock::time_point decision_began_;
  double alarm_since_s_ = -1, alarm_last_s_ = 0;
  bool spares_up_ = false;
};

} // namespace

double fluid_load(const schedule_scenario& x) {
  double sum = 0;
  for (auto load : loads_of(x))
    sum += load;
  return sum / static_cast<double>(x.bobs);
}

double fluid_bound(const schedule_scenario& x) {
  auto load = loads_of(x);
  auto demand = x.demand_bps();
  // What the pools hold at the start need not be made.
  for (size_t i = 0; i < load.size(); ++i)
    if (demand[i] > 0)
      load[i] *= std::max(0.0, 1 - x.links[i].pool_bits / (demand[i] * x.horizon_s));
  return fairness_score(fair_fractions(load, static_cast<double>(x.bobs + x.spares)));
}

schedule_result play(const schedule_scenario& x, const std::string& policy) {
  if (!make_policy(policy))
    throw std::invalid_argument("no policy named " + policy);
  return player{x, policy}.play();
}

} // namespace qnfv
