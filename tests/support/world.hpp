#pragma once

// Virtual time for tests: actors run on CAF's test coordinator, one message after the other, and
// time passes only when the test says so.

#include "runtime/storage/memory.hpp"
#include "runtime/system/actor.hpp"
#include "runtime/system/gate.hpp"
#include "runtime/tracing/recorder.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace qnfv::test {

using namespace std::chrono_literals;

class world {
public:
  explicit world(uint64_t seed = 1)
    : random_(make_seeded_random(seed)), io_(std::make_shared<io_pool>(0)), system_(config_),
      scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())) {
    system_.await_actors_before_shutdown(false);
    scheduler_.clock().current_time += 1h; // CAF reads time 0 as "unset".
    clock_ = make_virtual_clock([this] { return scheduler_.clock().now(); });
  }

  ~world() { end_actors(); }

  /// Kills every actor. For fixtures whose members the actors use.
  void end_actors() {
    scheduler_.clock().cancel_all(); // A pending timer keeps its actor alive.
    for (auto& x : actors_)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    actors_.clear();
    run();
    scheduler_.clock().cancel_all();
  }

  /// A site of this world with its own storage and recorder; the same one for the same name.
  environment_ptr site(const std::string& name) {
    auto& slot = sites_[name];
    if (!slot) {
      auto env = std::make_shared<environment>();
      env->site = site_id{name};
      env->clock = clock_;
      env->random = random_;
      env->storage = std::make_shared<memory_storage>();
      env->io = io_;
      env->recorder = std::make_shared<recorder>(name);
      slot = env;
    }
    return slot;
  }

  /// Starts an actor at a site; it is killed with the world.
  template <class F, class... Ts>
  auto spawn(const std::string& at, F function, Ts&&... xs) {
    auto handle = spawn_at(system_, site(at), function, std::forward<Ts>(xs)...);
    actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }

  /// Runs everything that can run now.
  void run() {
    while (scheduler_.try_run_once() || io_->poll())
      if (after_each)
        after_each();
  }

  /// Lets virtual time pass, one due timer at a time.
  void advance(duration d) {
    auto& clock = scheduler_.clock();
    auto end = clock.now() + d;
    run();
    while (!clock.schedule().empty() && clock.schedule().begin()->first <= end) {
      scheduler_.trigger_timeout();
      run();
    }
    clock.current_time = end;
  }

  /// Asks as the site's operator would and waits in virtual time, at most `timeout`.
  template <class T, class Handle, class... Ts>
  caf::expected<T> ask(const Handle& to, Ts... xs) {
    return ask_as<T>("operator", to, std::move(xs)...);
  }

  /// Asks in the name of a site.
  template <class T, class Handle, class... Ts>
  caf::expected<T> ask_as(const std::string& from, const Handle& to, Ts... xs) {
    auto out = std::make_shared<caf::expected<T>>(caf::sec::request_timeout);
    auto answered = std::make_shared<bool>(false);
    auto question = [=](instrumented<caf::event_based_actor>* self) {
      self->request(to, timeout, xs...)
        .then(
          [=](T& x) {
            *out = std::move(x);
            *answered = true;
          },
          [=](caf::error& why) {
            *out = std::move(why);
            *answered = true;
          });
    };
    spawn(from, question);
    auto& clock = scheduler_.clock();
    for (auto end = clock.now() + timeout + 1ms;;) {
      run();
      if (*answered || clock.schedule().empty() || clock.schedule().begin()->first > end)
        return std::move(*out);
      scheduler_.trigger_timeout();
    }
  }

  time_point now() const { return clock_->now(); }
  caf::actor_system& system() { return system_; }
  io_pool& io() { return *io_; }

  /// Called after each message, for checkers that look inside. Must not run anything.
  std::function<void()> after_each;

  /// How long `ask` waits, in virtual time.
  duration timeout = 30s;

private:
  struct settings : caf::actor_system_config {
    settings() {
      register_wire(*this);
      set("scheduler.policy", caf::atom("testing"));
      set("logger.inline-output", true);
    }
  };

  std::shared_ptr<random_source> random_;
  std::shared_ptr<io_pool> io_;
  settings config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::shared_ptr<const qnfv::clock> clock_;
  std::map<std::string, environment_ptr> sites_;
  std::vector<caf::strong_actor_ptr> actors_;
};

} // namespace qnfv::test
