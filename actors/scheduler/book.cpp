#include "actors/scheduler/book.hpp"

#include "actors/scheduler/assignment.hpp"
#include "actors/scheduler/capacity.hpp"
#include "runtime/base/mutant.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace qnfv {

schedule_book::schedule_book(book_options options)
    : options_(options), policy_(make_policy("best", options.policy)) {}

size_t schedule_book::add_bob(const device_id& bob, bool up, bool spare) {
  bob_outlook x;
  x.bob = bob;
  x.up = up;
  x.spare = spare;
  outlook_.bobs.push_back(std::move(x));
  bobs_.emplace_back();
  return bobs_.size() - 1;
}

size_t schedule_book::add_link(const new_link& x) {
  link_outlook seen;
  seen.link = x.link;
  seen.available = false;
  seen.last_end_s = -1e9;
  outlook_.links.push_back(std::move(seen));
  link_record mine;
  mine.demand =
    x.learnt.seen_s > 0 ? demand_estimator{x.learnt} : demand_estimator{x.declared_bps};
  mine.rate = measured_figure{x.rate_bps};
  mine.initialisation = measured_figure{x.initialisation_s};
  mine.movable = x.movable;
  mine.home = x.bob;
  mine.note = "not claimed yet";
  links_.push_back(std::move(mine));
  bob_of_.push_back(x.bob);
  outlook_.bobs[x.bob].links.push_back(links_.size() - 1);
  ++outlook_.bobs[x.bob].generation;
  return links_.size() - 1;
}

bool schedule_book::set_policy(const std::string& name) {
  auto other = make_policy(name, options_.policy);
  if (!other)
    return false;
  policy_ = std::move(other);
  // Whom the one before would have served next does not bind this one.
  for (auto& bob : bobs_) {
    bob.next = no_link;
    bob.why.clear();
    bob.until_s = 0;
  }
  return true;
}

void schedule_book::refresh(size_t link, double now_s) {
  auto& x = outlook_.links[link];
  auto& mine = links_[link];
  x.demand = mine.demand.forecast(now_s);
  x.rate_bps = mine.rate.value();
  x.initialisation_s = mine.initialisation.value();
  x.available = mine.reachable && now_s >= mine.blocked_until_s;
}

void schedule_book::pool_seen(size_t link, double stock, double capacity, double asked,
                              double now_s) {
  auto sound = [](double x) { return std::isfinite(x) && x >= 0; };
  if (!sound(stock) || !sound(capacity) || !sound(asked))
    return pool_silent(link, now_s);
  auto& mine = links_[link];
  auto& x = outlook_.links[link];
  x.stock_bits = stock;
  x.capacity_bits = capacity;
  // A smaller total: the pool has started over.
  if (mine.seen_s >= 0 && asked >= mine.asked_bits && now_s > mine.seen_s) {
    auto more = asked - mine.asked_bits;
    mine.demand.saw(more, now_s - mine.seen_s, now_s);
    x.unserved_bits *= std::exp(-(now_s - mine.seen_s) / unserved_memory_s);
    if (stock < mine.demand.request_bits())
      x.unserved_bits += more;
  }
  mine.asked_bits = asked;
  mine.seen_s = now_s;
  refresh(link, now_s);
}

void schedule_book::pool_silent(size_t link, double now_s) {
  auto& x = outlook_.links[link];
  auto since = now_s - outlook_.now_s;
  auto made = links_[link].producing ? x.rate_bps * since : 0;
  x.stock_bits =
    std::clamp(x.stock_bits + made - x.demand_bps() * since, 0.0, std::max(x.capacity_bits, 0.0));
  refresh(link, now_s);
}

void schedule_book::ended(size_t link, double now_s) {
  auto& mine = links_[link];
  auto& bob = outlook_.bobs[bob_of(link)];
  mine.asked = mine.serving = mine.leaving = mine.producing = false;
  mine.changed_s = now_s;
  outlook_.links[link].last_end_s = now_s;
  if (bob.active == link) {
    bob.active = no_link;
    bob.doing = bob_activity::free;
  }
}

void schedule_book::failed(size_t link, const std::string& why, double now_s) {
  auto& mine = links_[link];
  if (mine.failures++ == 0)
    mine.failing_since_s = now_s;
  auto wait = options_.backoff_first_s;
  for (uint32_t k = 1; k < mine.failures && wait < options_.backoff_max_s; ++k)
    wait *= 2;
  wait = std::min(wait, options_.backoff_max_s);
  auto paid = options_.retry_share * (now_s - mine.wasted_at_s);
  auto cost = mine.tried_since_s >= 0 ? now_s - std::exchange(mine.tried_since_s, -1) : 0;
  mine.wasted_s = std::max(0.0, mine.wasted_s - paid) + cost;
  mine.wasted_at_s = now_s;
  auto beyond = mine.wasted_s - options_.retry_credit_s;
  mine.blocked_until_s = now_s + std::max(wait, beyond / options_.retry_share);
  mine.note = why;
}

void schedule_book::link_said(size_t link, const link_word& word, double now_s) {
  auto& mine = links_[link];
  auto& bob = outlook_.bobs[bob_of(link)];
  mine.known = true;
  bool of_before = word.visit < mine.visit;
  // A command and a status may cross: what a link says that has not heard of its visit is no answer. One
  // that does not hear of it in time has lost it.
  if (mine.asked && of_before && now_s - mine.changed_s < options_.settle_s)
    return;
  if (mine.serving && of_before && word.visit != 0)
    return;
  mine.last_visit = std::max(mine.last_visit, word.visit);
  if (!word.serving) {
    bool expected = mine.leaving;
    bool was = mine.serving || mine.asked;
    if (was)
      ended(link, now_s);
    if (was && !expected)
      failed(link, word.reason.empty() ? "let go of Bob by itself" : word.reason, now_s);
    return refresh(link, now_s);
  }
  if (!mine.serving) {
    // Also a link that a scheduler before this one left serving, or that never heard of this visit.
    if (!mine.asked || of_before) {
      mine.changed_s = mine.tried_since_s = now_s;
      mine.begun_s = -1;
    }
    mine.visit = word.visit;
    mine.serving = true;
    mine.asked = false;
    if (bob.active == no_link) {
      bob.active = link;
      bob.doing = bob_activity::starting;
      bob.since_s = mine.changed_s;
    }
  }
  if (word.producing) {
    if (word.rate_bps > 0)
      mine.rate.saw(word.rate_bps);
    if (!mine.producing) {
      mine.producing = true;
      mine.failures = 0;
      mine.wasted_s = 0;
      mine.tried_since_s = -1;
      mine.note.clear();
      ++mine.visits;
      if (mine.begun_s >= 0 && now_s > mine.begun_s)
        mine.initialisation.saw(now_s - mine.begun_s);
      if (bob.active == link && !mine.leaving) {
        bob.doing = bob_activity::producing;
        bob.ready_s = now_s;
      }
    }
  }
  refresh(link, now_s);
}

void schedule_book::refused(size_t link, bool lost, const std::string& why, double now_s) {
  auto& mine = links_[link];
  if (!mine.asked || lost)
    return; // What came of it shows when it is asked.
  ended(link, now_s);
  failed(link, why, now_s);
  refresh(link, now_s);
}

void schedule_book::reachable(size_t link, bool is, double now_s) {
  auto& mine = links_[link];
  if (is && !mine.reachable) {
    mine.failures = 0;
    mine.blocked_until_s = 0;
    mine.note.clear();
  }
  mine.reachable = is;
  refresh(link, now_s);
}

void schedule_book::bob_up(size_t bob, bool up, double now_s) {
  auto& b = outlook_.bobs[bob];
  if (b.up == up)
    return;
  b.up = up;
  if (!up) {
    // Where any Bob may serve any link, it is the links that know who was with whom.
    for (size_t i = 0; i < links_.size(); ++i)
      if (links_[i].movable && (links_[i].asked || links_[i].serving))
        to_ask_.push_back(i);
    // Its visit is over, whatever the link would say.
    if (b.active != no_link)
      ended(b.active, now_s);
    doubt(bob);
    bobs_[bob].next = no_link;
    bobs_[bob].why = "not there";
    bobs_[bob].alarm_since_s = -1;
  }
  share_out();
}

void schedule_book::doubt(size_t bob) {
  for (auto i : outlook_.bobs[bob].links)
    links_[i].known = false;
  bobs_[bob].waits_since_s = -1;
}

void schedule_book::share_out() {
  if (std::none_of(links_.begin(), links_.end(), [](auto& x) { return x.movable; }))
    return;
  std::vector<load_share> loads(links_.size());
  std::vector<bool> up;
  for (auto& b : outlook_.bobs)
    up.push_back(b.up);
  for (size_t i = 0; i < links_.size(); ++i) {
    auto& x = outlook_.links[i];
    auto& mine = links_[i];
    loads[i] = {fluid_load({x.demand_bps(), x.rate_bps, x.initialisation_s, x.capacity_bits}),
                bob_of_[i], !mine.movable || mine.asked || mine.serving};
  }
  auto to = qnfv::share_out(loads, up);
  for (auto& b : outlook_.bobs) {
    b.links.clear();
    ++b.generation;
  }
  bob_of_ = to;
  for (size_t i = 0; i < links_.size(); ++i)
    outlook_.bobs[bob_of_[i]].links.push_back(i);
  for (size_t b = 0; b < bobs_.size(); ++b)
    if (bobs_[b].next != no_link && bob_of(bobs_[b].next) != b)
      bobs_[b].next = no_link;
}

std::vector<command> schedule_book::plan(double now_s) {
  outlook_.now_s = now_s;
  std::vector<command> out;
  for (auto i : std::exchange(to_ask_, {}))
    out.push_back({command::what::ask, i});
  for (size_t bob = 0; bob < bobs_.size(); ++bob)
    if (outlook_.bobs[bob].up)
      plan_bob(bob, now_s, out);
  return out;
}

void schedule_book::plan_bob(size_t bob, double now_s, std::vector<command>& out) {
  auto& b = outlook_.bobs[bob];
  auto& record = bobs_[bob];
  // Back-offs end between two looks at the pools too.
  bool stranger = false;
  for (auto i : b.links) {
    auto& mine = links_[i];
    if (!outlook_.links[i].available && mine.reachable && now_s >= mine.blocked_until_s)
      outlook_.links[i].available = true;
    if (!mine.serving || i == b.active)
      continue;
    // Two links cannot have one Bob: this one got it from somebody else.
    stranger = true;
    if (!mine.leaving || now_s - mine.changed_s >= options_.settle_s) {
      mine.leaving = true;
      mine.changed_s = now_s;
      out.push_back({command::what::release, i});
    }
  }
  if (stranger && b.active == no_link)
    return;
  // Somebody may have Bob from before he was away, or by a scheduler before this one.
  auto unknown = [this](size_t i) { return !links_[i].known; };
  if (record.waits_since_s < 0)
    record.waits_since_s = now_s;
  if (b.active == no_link && now_s - record.waits_since_s < options_.settle_s
      && std::any_of(b.links.begin(), b.links.end(), unknown))
    return;
  if (b.active != no_link) {
    auto& mine = links_[b.active];
    if (mine.asked || mine.leaving) {
      if (now_s - mine.changed_s >= options_.settle_s) {
        out.push_back({mine.leaving ? command::what::release : command::what::ask, b.active});
        mine.changed_s = mine.leaving ? now_s : mine.changed_s;
      }
      return;
    }
    auto usual = outlook_.links[b.active].initialisation_s;
    auto patience = std::max(options_.patience * usual, options_.patience_floor_s);
    if (b.doing == bob_activity::starting && now_s - b.since_s > patience) {
      failed(b.active, "no key within " + span_text(patience), now_s);
      mine.leaving = true;
      mine.changed_s = now_s;
      refresh(b.active, now_s);
      out.push_back({command::what::release, b.active});
      return;
    }
  }
  decision what;
  if (record.next != no_link && b.active == no_link && outlook_.links[record.next].available) {
    what = {decision::what::go, record.next, record.why, record.until_s};
  } else {
    if (b.active == no_link)
      record.next = no_link;
    if (stopwatch)
      stopwatch(true);
    what = policy_->decide(outlook_, bob);
    if (stopwatch)
      stopwatch(false);
    ++counts_.decisions;
    if (policy_->alarm(bob))
      record.alarm_since_s = record.alarm_since_s < 0 ? now_s : record.alarm_since_s;
    else
      record.alarm_since_s = -1;
  }
  if (what.until_s > 0)
    record.until_s = what.until_s;
  if (what.to_do == decision::what::stay)
    return;
  record.why = what.why;
  record.until_s = what.until_s;
  if (b.active != no_link && !QNFV_MUTANT("scheduler serves two at once")) {
    record.next = what.link;
    links_[b.active].leaving = true;
    links_[b.active].changed_s = now_s;
    out.push_back({command::what::release, b.active});
    return;
  }
  record.next = no_link;
  if (what.link == no_link)
    return;
  auto& mine = links_[what.link];
  mine.asked = true;
  mine.visit = ++mine.last_visit;
  mine.changed_s = mine.tried_since_s = mine.begun_s = now_s;
  b.active = what.link;
  b.doing = bob_activity::starting;
  b.since_s = now_s;
  ++counts_.visits;
  out.push_back({command::what::serve, what.link, mine.visit});
}

std::vector<schedule_book::raised_alarm> schedule_book::alarms() const {
  std::vector<raised_alarm> out;
  for (size_t b = 0; b < bobs_.size(); ++b)
    if (auto x = policy_->alarm(b); x && outlook_.bobs[b].up && bobs_[b].alarm_since_s >= 0)
      out.push_back({b, false, *x, bobs_[b].alarm_since_s});
  for (size_t i = 0; i < links_.size(); ++i)
    if (links_[i].failures >= options_.alarm_after)
      out.push_back({bob_of(i),
                     true,
                     {outlook_.links[i].link.value + " failed " + std::to_string(links_[i].failures)
                        + " times in a row: " + links_[i].note,
                      i, outlook_.links[i].life_s(), "look after its fibre and devices"},
                     links_[i].failing_since_s});
  return out;
}

} // namespace qnfv
