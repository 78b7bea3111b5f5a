#pragma once

// A whole lab in one process and in virtual time: the same actors, composed by the same code, on
// CAF's test coordinator, one message after the other. Same topology and seed: same trace, byte for
// byte.

#include "actors/key_pool/key_store.hpp"
#include "runtime/config/topology.hpp"
#include "runtime/faults/board.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/storage/memory.hpp"
#include "runtime/system/actor.hpp"
#include "runtime/system/gate.hpp"
#include "runtime/tracing/record.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <functional>
#include <memory>
#include <set>

namespace qnfv {

struct key_ledger;

class simulation {
public:
  struct extras {
    bool faults = false;                        ///< Every site has a fault_injector.
    std::shared_ptr<key_ledger> keys = nullptr; ///< Witness of every key store; null: none.
  };
  simulation(topology lab, uint64_t seed) : simulation(std::move(lab), seed, extras{}) {}
  simulation(topology lab, uint64_t seed, extras);
  ~simulation();
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  // -- the world ----------------------------------------------------------------------------------

  /// Starts a site, for the first time or again after a crash. All sites are up after construction.
  void start(const site_id&);
  /// A power cut: actors, connections and un-synced writes are gone; peers see their connections close.
  void crash(const site_id&);
  /// kill -9: as a power cut, but what was written stays.
  void kill_site(const site_id&);
  /// SIGSTOP: nothing of the site runs for so long; what arrives waits.
  void freeze(const site_id&, duration);
  bool is_up(const site_id& x) const;
  bool is_frozen(const site_id& x) const { return frozen_.count(x) > 0; }
  /// As an operator's `fault add`.
  result<fault_injected> inject(const fault&);
  /// Kills one actor of a site; its node will restart it.
  void kill_role(const site_id&, const std::string& role);
  /// No message passes between the two, in both directions, and nobody is told.
  void cut(const site_id&, const site_id&);
  void heal(const site_id&, const site_id&);
  /// Every message between the two sites passes with this probability of being lost. 0: none.
  void lose(double probability) { loss_ = probability; }
  /// What an emulated switch suffers from now on.
  result<accepted> set_switch_fault(const switch_id&, const switch_fault&);
  /// What the emulated fibre of a link is like from now on.
  result<accepted> set_line(const link_id&, const line_conditions&);

  // -- time ---------------------------------------------------------------------------------------

  void run();
  void advance(duration);
  /// Advances until `reached`, looking every `step`, at most `limit`; false if it never was.
  bool until(const std::function<bool()>& reached, duration limit,
             duration step = std::chrono::milliseconds{100});
  time_point now() const { return clock_->now(); }
  duration elapsed() const { return now() - began_; }

  // -- what an operator does ------------------------------------------------------------------------

  template <class T, class Handle, class Question>
  result<T> ask(const Handle& to, Question question) {
    return ask_as<T>(operator_env_, to, std::move(question));
  }

  /// Asks as an actor of a site would.
  template <class T, class Handle, class Question>
  result<T> ask_at(const site_id& site, const Handle& to, Question question) {
    return ask_as<T>(env_ptr(site), to, std::move(question));
  }

  template <class T, class Handle, class Question>
  result<T> ask_as(environment_ptr from, const Handle& to, Question question) {
    auto out = std::make_shared<caf::expected<T>>(caf::sec::request_timeout);
    auto answered = std::make_shared<bool>(false);
    auto asker = [=](instrumented<caf::event_based_actor>* self) {
      self->request(to, std::chrono::seconds{30}, question)
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
    spawn_at(*system_, std::move(from), asker);
    until([&] { return *answered; }, std::chrono::seconds{31}, std::chrono::milliseconds{1});
    if (!*out)
      return to_failure(out->error());
    return std::move(**out);
  }

  template <class Handle>
  Handle role(const site_id& site, const std::string& name) {
    return caf::actor_cast<Handle>(find_role(site, name));
  }
  orchestrator_actor orchestrator() {
    return role<orchestrator_actor>(lab_.orchestrator().site, "orchestrator");
  }
  image_store_actor image_store() {
    return role<image_store_actor>(lab_.orchestrator().site, "image_store");
  }

  /// Puts a file of `size` seeded bytes at the orchestrator's site and adds it to the catalogue.
  result<image_record> add_image(const std::string& name, size_t size,
                                 image_kind kind = image_kind::container);
  result<order> deliver(const std::string& image, const site_id& site);
  result<order> order_now(const order_id&);
  memory_storage& files(const site_id&);
  const environment& env(const site_id& x) const { return *env_ptr(x); }
  environment_ptr env_ptr(const site_id&) const;

  // -- what came of it --------------------------------------------------------------------------------

  const topology& lab() const { return lab_; }
  /// SHA-256 over every trace event so far.
  std::string trace_hash() const;
  std::vector<trace_event> events(const std::string& trace = "") const;
  /// Shows every trace event from now on to `see` as well, at its time.
  void watch_trace(std::function<void(const trace_record&)> see);
  uint64_t messages() const { return messages_; }

  /// Where the mirrors of an emulated switch really point, whatever it says; nowhere while it is down.
  struct glass {
    std::vector<cross_connection> joined;
    std::set<port_number> dark;
  };
  glass glass_of(const switch_id&);
  /// What nobody in the lab could see. Called on the thread of the simulation; must not ask.
  struct watcher {
    /// A pool is about to take this block.
    std::function<void(const site_id& at, const key_block&)> ingest;
    /// At the start of watching and whenever mirrors or darkness may have changed.
    std::function<void(const switch_id&, const glass&)> light;
    /// As it is recorded; `events` remembers the newest only.
    std::function<void(const trace_record&)> event;
    /// A role of the site is given these keys.
    std::function<void(const site_id& at, const key_grants&)> granted = {};
  };
  void watch(watcher);
  random_source& random() { return *random_; }

  /// Checks what must hold now (I14 conservation, I1 keys used once, I4 and I41 orders and VNFs
  /// agree) and, if `quiet` (all sites up, nothing under way), what must hold then (I15 pools agree,
  /// nothing left behind). One line per violation.
  std::vector<std::string> violations(bool quiet);

private:
  struct site_world;
  class sim_transport;
  class sim_network;
  struct hasher;

  /// Puts the ledger before the key stores of a site.
  std::function<std::unique_ptr<key_store>(const link_id&, link_end, std::unique_ptr<key_store>)>
  witness();
  bool step();
  bool watched_step();
  void pace(size_t bytes, std::function<void()> then);
  void later(duration, std::function<void()> then);
  caf::strong_actor_ptr find_role(const site_id&, const std::string& name);
  void end_site(const site_id&, bool unsynced_lost);
  void break_connection(const site_id&, const site_id&);
  void strike(const site_id&, fault_kind, duration);
  void hold_the_frozen();
  void report_lost(const site_id& from, const site_id& gone, const std::string& why);

  topology lab_;
  uint64_t seed_;
  double loss_ = 0;
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  std::shared_ptr<io_pool> io_;
  std::shared_ptr<random_source> random_;
  std::shared_ptr<const clock> clock_;
  time_point began_{};
  environment_ptr operator_env_;
  std::shared_ptr<sim_network> network_;
  std::shared_ptr<class memory_network> memory_; ///< Of the bulk bytes.
  std::shared_ptr<hasher> hash_;
  std::map<site_id, std::unique_ptr<site_world>> sites_;
  std::set<std::pair<site_id, site_id>> cuts_;
  uint64_t messages_ = 0;
  extras extras_;
  std::map<site_id, time_point> frozen_; ///< Until when.
  std::vector<caf::resumable*> held_;    ///< Actors of frozen sites that have messages.
  watcher watcher_;
};

} // namespace qnfv
