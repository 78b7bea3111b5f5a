#include "tools/qnfv/sim_run.hpp"

#include "actors/key_pool/audit.hpp"
#include "runtime/crypto/sha256.hpp"
#include "tools/qnfv/compose.hpp"
#include "tools/qnfv/sim_callers.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <sstream>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

/// What the last of the faults may leave behind is gone by then.
constexpr duration settling = 2min;
/// An order may wait for keys, and then for the VIM.
constexpr duration order_max = 4h;

class life {
public:
  life(const sim_setting& x, std::vector<timed_fault> faults)
    : setting_(x), faults_(std::move(faults)), keys_(std::make_shared<key_ledger>()),
      sim_(x.lab, x.seed, {x.faults.has_value(), keys_}), checker_(sim_, keys_),
      callers_(sim_, checker_, x.seed) {
    for (auto& site : x.lab.sites)
      if (!site.vims.empty())
        centres_.push_back(site.site);
  }

  sim_outcome run(const std::function<void(const simulation&, const trace_event&)>& watch) {
    auto cpu = std::clock();
    sim_.watch_trace([this, watch](const trace_record& event) {
      if (event.kind != trace_kind::note)
        return;
      auto x = to_event(event);
      note_order(x);
      look_at_bytes(x);
      note_given_up(x);
      if (watch)
        watch(sim_, x);
    });
    sim_.advance(5s);
    add_images();
    began_ = sim_.now();
    work();
    heal();
    sim_outcome out;
    out.seed = setting_.seed;
    collect(out);
    out.hash = sim_.trace_hash();
    out.messages = sim_.messages();
    out.virtual_s = to_seconds(sim_.elapsed());
    out.cpu_s = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    out.faults = injected_;
    out.violations = checker_.found();
    out.fired = checker_.fired();
    out.coverage = checker_.coverage();
    return out;
  }

private:
  bool broken() const { return !checker_.found().empty(); }

  void add_images() {
    for (auto size : {64u << 10, 1u << 20, 3u << 20}) {
      images_.push_back("image-" + std::to_string(size >> 10) + "k");
      if (auto record = sim_.add_image(images_.back(), size))
        digests_.insert(record->digest);
      else
        checker_.fail("I34 image_store refused " + images_.back());
    }
    if (setting_.callers_per_h > 0)
      add_damaged_image();
  }

  /// One byte of the catalogue's copy is not what it was.
  void add_damaged_image() {
    images_.push_back("damaged");
    auto record = sim_.add_image(images_.back(), 100'000);
    auto& files = sim_.files(sim_.lab().orchestrator().site);
    auto content = record ? files.load(record->file, 1 << 20) : result<bytes>{record.error()};
    if (!content)
      return checker_.fail("I34 no damaged image: " + describe(content.error()));
    content->back() ^= 1;
    (void) files.replace(record->file, *content);
  }

  /// Orders and faults in their order of time.
  void work() {
    auto end = began_ + setting_.span;
    auto next_order = sim_.now() + gap();
    auto calls = setting_.callers_per_h;
    auto next_call = calls > 0 ? sim_.now() + callers_.gap(calls) : end;
    size_t next_fault = 0;
    while (!broken()) {
      auto fault_at = next_fault < faults_.size() ? began_ + from_seconds(faults_[next_fault].at_s) : end;
      auto next = std::min({next_order, next_call, fault_at, end});
      if (next > sim_.now())
        sim_.advance(std::min<duration>(next - sim_.now(), 10s));
      stop_idle_functions();
      if (sim_.now() < next)
        continue;
      if (sim_.now() >= end)
        return;
      if (next == next_order) {
        place_order();
        next_order = sim_.now() + gap();
      } else if (next == next_call) {
        callers_.call();
        next_call = sim_.now() + callers_.gap(calls);
      } else {
        inject(faults_[next_fault++].what);
      }
    }
  }

  duration gap() {
    return from_seconds(-std::log(1 - sim_.random().uniform()) * 3600 / setting_.orders_per_h);
  }

  void inject(const fault& x) {
    checker_.expect(x);
    // Its site may be down, or its connection: then it does not happen.
    if (sim_.inject(x))
      ++injected_;
  }

  void place_order() {
    auto& image = images_[sim_.random().next() % images_.size()];
    auto& site = centres_[sim_.random().next() % centres_.size()];
    (void) sim_.deliver(image, site); // Its note tells.
  }

  void note_order(const trace_event& x) {
    if (x.message != "order")
      return;
    auto space = x.text.find(' ');
    order_id id{x.text.substr(0, space)};
    if (x.text.compare(space + 1, 7, "running") == 0)
      idle_.push_back(id);
  }

  /// Somebody needed the function for a while only.
  void stop_idle_functions() {
    while (!idle_.empty()) {
      auto id = idle_.back();
      idle_.pop_back();
      auto x = sim_.order_now(id);
      if (x && x->state == order_state::running)
        (void) sim_.ask<vnf_info>(sim_.orchestrator(), stop_vnf{x->vnf});
      // Among faults a site may be too busy with them to say how it is.
      if (!setting_.faults)
        for (auto& broken_now : sim_.violations(false))
          checker_.fail(broken_now);
    }
  }

  /// A role that died too often stays down (I36), with an alarm.
  void note_given_up(const trace_event& x) {
    if (x.message == "start")
      given_up_.erase(site_id{x.site});
    else if (x.message == "alarm" && x.text.find("stays down") != std::string::npos)
      given_up_.insert(site_id{x.site});
  }

  /// What starts is made of an image's bytes as they came into the catalogue, whatever the actors say.
  void look_at_bytes(const trace_event& x) {
    if (x.message != "vnf" || x.text.find(" -> running") == std::string::npos)
      return;
    auto& files = sim_.files(site_id{x.site});
    auto list = files.load("vim/instances", 1 << 20);
    std::istringstream text{list ? std::string{list->begin(), list->end()} : std::string{}};
    std::string vnf, image, state;
    while (text >> vnf >> image >> state)
      if (x.text.rfind(vnf + " ", 0) == 0) {
        sha256 digest;
        if (auto content = files.load(image, 1 << 26))
          digest.update(*content);
        if (digests_.count(to_hex(digest.finish())) == 0)
          checker_.fail("I4 " + vnf + " starts from other bytes than the catalogue's");
      }
  }

  /// No fault any more, every site up; then everything must come to an end, and agree.
  void heal() {
    if (broken())
      return;
    if (setting_.faults) {
      sim_.advance(settling); // Sites that are down or frozen come back.
      for (auto& site : sim_.lab().sites) {
        if (given_up_.count(site.site) > 0) { // The operator heeds the alarm.
          checker_.expect({fault_kind::crash, site.site.value, 0, 1, 0, {}, 0});
          sim_.kill_site(site.site);
        }
        if (!sim_.is_up(site.site))
          sim_.start(site.site);
        (void) sim_.ask<fault_list>(sim_.role<fault_injector_actor>(site.site, "fault_injector"),
                                    clear_faults{});
      }
      checker_.expect_nothing();
    }
    sim_.advance(settling);
    auto all_ended = [this] {
      auto all = sim_.ask<order_list>(sim_.orchestrator(), list_orders{});
      return broken() || (all && std::all_of(all->orders.begin(), all->orders.end(), [](auto& x) {
               return is_final(x.state);
             }));
    };
    if (!sim_.until(all_ended, order_max, 60s))
      checker_.fail("I34 orders have not ended " + format_duration(order_max) + " after all faults");
    stop_idle_functions();
    sim_.advance(settling);
    if (broken())
      return;
    for (auto& x : sim_.violations(true))
      checker_.fail(x);
    for (auto& site : sim_.lab().sites)
      if (auto report = verify_audit(sim_.files(site.site), "audit"); !report)
        checker_.fail("I30 " + site.site.value + ": " + report.error().text);
  }

  void collect(sim_outcome& out) {
    auto all = sim_.ask<order_list>(sim_.orchestrator(), list_orders{});
    if (!all)
      return;
    for (auto& x : all->orders) {
      ++out.orders;
      if (x.state == order_state::running)
        ++out.running;
      else if (out.failures.size() < 5)
        out.failures.push_back(x.id.value + " for " + x.site.value + " " + to_string(x.state) + ": " + x.reason);
    }
  }

  const sim_setting& setting_;
  std::vector<timed_fault> faults_;
  std::shared_ptr<key_ledger> keys_;
  simulation sim_;
  invariant_checker checker_;
  sim_callers callers_;
  std::vector<std::string> images_;
  std::set<std::string> digests_; ///< Of the sound ones.
  std::vector<site_id> centres_;
  time_point began_{};
  std::set<site_id> given_up_; ///< A role of theirs stays down.
  std::vector<order_id> idle_; ///< Run, and are not needed any more.
  uint64_t injected_ = 0;
};

} // namespace

result<sim_outcome> live(const sim_setting& x,
                         const std::function<void(const simulation&, const trace_event&)>& watch) {
  std::vector<timed_fault> faults;
  if (x.faults) {
    auto drawn = draw_faults(*x.faults, places_of(x.lab), x.seed, to_seconds(x.span));
    if (!drawn)
      return drawn.error();
    faults = std::move(*drawn);
  }
  return life{x, std::move(faults)}.run(watch);
}

} // namespace qnfv
