#include "tools/qnfv/week_log.hpp"

#include "runtime/messages/keys.hpp"
#include "runtime/messages/schedule.hpp"
#include "runtime/messages/vnfs.hpp"
#include "tools/qnfv/simulation.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 60s; ///< At deliveries under way.
constexpr auto sample_every = 10min;
constexpr auto draw_every = sample_every;
constexpr uint32_t draw_max = 128; ///< What a pool gives at once.
/// Every fourth block is Alice's to hand out, so a quarter is drawn at her end.
constexpr double drawn_by_alice = 0.25;

/// Two applications that share keys of a link.
struct key_user {
  size_t link = 0;
  application_config master;
  application_config slave;
};

class player {
public:
  player(const topology& lab, duration span, uint64_t seed, const workload& load)
      : span_(span), load_(load), sim_(lab, seed) {
    log_.lab = sim_.lab();
    log_.span_s = to_seconds(span);
    log_.pools.resize(log_.lab.links.size());
    states_.resize(log_.lab.links.size());
    find_users();
    sim_.watch_trace([this](const trace_record& x) {
      if (x.kind == trace_kind::note && x.message() == "link")
        see(to_event(x));
    });
  }

  week_log play() {
    add_images();
    next_order_s_ = now_s() + pause_s();
    for (int round = 0; sim_.elapsed() < span_; ++round) {
      auto end = std::min<duration>(span_, look_every * (round + 1));
      while (next_order_s_ < to_seconds(end)) {
        advance_to(from_seconds(next_order_s_));
        place_order();
        next_order_s_ += pause_s();
      }
      advance_to(end);
      follow_orders();
      if (round % (sample_every / look_every) != 0)
        continue;
      for (auto& x : users_)
        draw_both(x);
      sample();
    }
    finish();
    return std::move(log_);
  }

private:
  double now_s() const { return to_seconds(sim_.elapsed()); }

  void advance_to(duration at) {
    if (at > sim_.elapsed())
      sim_.advance(at - sim_.elapsed());
  }

  double pause_s() { return -std::log(1 - sim_.random().uniform()) * 3600 / load_.orders_per_h; }

  void wrong(const std::string& what) {
    if (log_.violations.size() < 100)
      log_.violations.push_back(format_duration(sim_.elapsed()) + " " + what);
  }

  // -- phases, from the trace: links note each change of their state ----------------------------------

  void see(const trace_event& x) {
    for (size_t i = 0; i < log_.lab.links.size(); ++i) {
      auto begin = log_.lab.links[i].link.value + " ";
      auto arrow = x.text.find(" -> ");
      if (arrow == std::string::npos || x.text.rfind(begin, 0) != 0)
        continue;
      auto word = x.text.substr(arrow + 4, x.text.find(' ', arrow + 4) - arrow - 4);
      for (size_t state = 0; state < link_state_count; ++state)
        if (to_string(static_cast<link_state>(state)) == word)
          enter(i, static_cast<link_state>(state));
    }
  }

  void enter(size_t link, link_state state) {
    auto& [before, since_s] = states_[link];
    if (before != link_state::off)
      log_.phases.push_back({link, before, since_s, now_s()});
    before = state;
    since_s = now_s();
  }

  // -- what is asked of the lab ---------------------------------------------------------------------------

  void find_users() {
    auto& lab = log_.lab;
    auto& centre = lab.orchestrator().site;
    std::set<size_t> served;
    for (auto& master : lab.applications)
      for (auto& slave : lab.applications) {
        if (master.site != centre || slave.site == centre)
          continue;
        auto link = lab.key_link_between(master.site, slave.site);
        for (size_t i = 0; i < lab.links.size(); ++i)
          if (lab.links[i].link == link && served.insert(i).second)
            users_.push_back({i, master, slave});
      }
  }

  void add_images() {
    for (auto size : {64u << 10, 1u << 20, 3u << 20}) {
      images_.push_back("image-" + std::to_string(size >> 10) + "k");
      if (!sim_.add_image(images_.back(), size))
        wrong("I34 image_store refused " + images_.back());
    }
    for (auto& site : log_.lab.sites)
      if (!site.vims.empty())
        centres_.push_back(site.site);
  }

  void place_order() {
    if (centres_.empty())
      return;
    auto& image = images_[sim_.random().next() % images_.size()];
    auto& site = centres_[sim_.random().next() % centres_.size()];
    auto at_s = now_s();
    if (auto placed = sim_.deliver(image, site)) {
      open_.push_back(log_.deliveries.size());
      log_.deliveries.push_back({placed->id, site, at_s, at_s, placed->state});
    }
  }

  void follow_orders() {
    std::vector<size_t> still_open;
    for (auto i : open_) {
      auto& x = log_.deliveries[i];
      auto order = sim_.order_now(x.id);
      if (order) {
        x.state = order->state;
        x.to_s = x.from_s + order->total_s;
      }
      if (!order || !is_final(order->state))
        still_open.push_back(i);
      else if (order->state == order_state::running)
        // Somebody needed the function for a while only.
        (void)sim_.ask<vnf_info>(sim_.orchestrator(), stop_vnf{order->vnf});
    }
    open_ = still_open;
  }

  /// Poisson: as many arrivals as fall within a time of `mean`.
  uint32_t how_many(double mean) {
    uint32_t n = 0;
    for (double at = 0;; ++n) {
      at -= std::log(1 - sim_.random().uniform());
      if (at > mean)
        return n;
    }
  }

  void draw_both(const key_user& x) {
    auto keys = load_.keys_bps * to_seconds(draw_every) / key_bits;
    draw(x, (1 - drawn_by_alice) * keys);
    draw({x.link, x.slave, x.master}, drawn_by_alice * keys);
  }

  void draw(const key_user& x, double mean) {
    for (auto left = how_many(mean); left > 0;) {
      auto number = std::min(left, draw_max);
      draw_now(x, number);
      left -= number;
    }
  }

  void draw_now(const key_user& x, uint32_t number) {
    auto at_s = now_s();
    log_.keys_asked += number;
    auto pool_at = [&](const site_id& site) { return sim_.role<key_pool_actor>(site, "key_pool"); };
    // No key server listens in a simulation; this is what it would pass on.
    reserve_keys question;
    question.link = log_.lab.links[x.link].link;
    question.count = number;
    question.request = request_id{sim_.random().bytes_of<std::array<uint8_t, 16>>()};
    question.users = {x.master.name, {x.slave.name}};
    auto grants = sim_.ask_at<key_grants>(x.master.site, pool_at(x.master.site), question);
    if (!grants) {
      if (grants.error().code != ec::key_exhausted)
        wrong(x.master.name + " draws no keys: " + describe(grants.error()));
      return refused(x.link, at_s);
    }
    claim_keys answer{question.link, {}, x.master.name, x.slave.name};
    for (auto& key : grants->keys)
      answer.keys.push_back(key.id);
    auto copies = sim_.ask_at<key_grants>(x.slave.site, pool_at(x.slave.site), answer);
    if (copies)
      log_.keys_got += number;
    else
      wrong(x.slave.name + " cannot fetch what " + x.master.name
            + " drew for it: " + describe(copies.error()));
  }

  void refused(size_t link, double at_s) {
    auto until_s = at_s + to_seconds(draw_every);
    for (auto i = log_.dry.rbegin(); i != log_.dry.rend(); ++i)
      if (i->link == link) {
        if (i->to_s < at_s - to_seconds(look_every))
          break;
        i->to_s = until_s;
        return;
      }
    log_.dry.push_back({link, at_s, until_s});
  }

  // -- what is looked at now and then -----------------------------------------------------------------------

  void sample() {
    for (size_t i = 0; i < log_.lab.links.size(); ++i) {
      auto& link = log_.lab.links[i];
      auto pool = sim_.ask<pool_status>(sim_.role<key_pool_actor>(link.bob_site, "key_pool"),
                                        pool_status_query{link.link});
      if (!pool)
        continue;
      log_.pools[i].capacity_keys = static_cast<double>(pool->capacity);
      log_.pools[i].ready_keys.emplace_back(now_s(), static_cast<double>(pool->ready));
    }
    if (log_.lab.time_shared())
      sample_alarms();
  }

  void sample_alarms() {
    auto schedule = sim_.ask<schedule_status>(
      sim_.role<scheduler_actor>(log_.lab.orchestrator().site, "scheduler"), schedule_query{});
    if (!schedule)
      return;
    // Its reason and its worst link may change while it stands; when it was raised does not.
    std::map<std::pair<device_id, int64_t>, size_t> still_raised;
    for (auto& x : schedule->alarms) {
      auto from_s = std::max(0.0, now_s() - x.raised_s);
      auto name = std::make_pair(x.bob, std::llround(from_s));
      auto before = raised_.find(name);
      if (before == raised_.end()) {
        before = raised_.emplace(name, log_.alarms.size()).first;
        log_.alarms.push_back({x.bob, x.reason, from_s, now_s()});
      }
      log_.alarms[before->second].to_s = now_s();
      still_raised.insert(*before);
    }
    raised_ = still_raised;
  }

  void finish() {
    for (size_t i = 0; i < states_.size(); ++i)
      enter(i, link_state::off);
    std::sort(log_.phases.begin(), log_.phases.end(), [](auto& a, auto& b) {
      return std::tie(a.from_s, a.link, a.to_s) < std::tie(b.from_s, b.link, b.to_s);
    });
    sim_.watch_trace({});
    for (auto& x : sim_.violations(false))
      wrong(x);
  }

  duration span_;
  workload load_;
  simulation sim_;
  week_log log_;
  std::vector<key_user> users_;
  std::vector<std::string> images_;
  std::vector<site_id> centres_;
  std::vector<size_t> open_; ///< Deliveries that have not ended.
  double next_order_s_ = 0;
  std::vector<std::pair<link_state, double>> states_;      ///< Of each link, and since when.
  std::map<std::pair<device_id, int64_t>, size_t> raised_; ///< Alarms, by Bob and second.
};

} // namespace

week_log play_week(const topology& lab, duration span, uint64_t seed, const workload& load) {
  return player{lab, span, seed, load}.play();
}

} // namespace qnfv
