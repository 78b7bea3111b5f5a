// What an operator may know of a scheduler.

#include "actors/scheduler/scheduler.hpp"

#include <algorithm>

namespace qnfv {

schedule_status scheduler_state::status(double now) const {
  schedule_status out;
  auto& look = book.now();
  out.policy = book.current().name();
  out.epoch = epoch;
  out.standing_down = standing_down;
  out.decisions = book.counts().decisions;
  out.switches = book.counts().visits;
  for (size_t i = 0; i < look.links.size(); ++i) {
    auto& x = look.links[i];
    auto& mine = book.record(i);
    scheduled_link y;
    y.link = x.link;
    y.bob = look.bobs[book.bob_of(i)].bob;
    y.state = mine.leaving     ? link_state::releasing
              : mine.producing ? link_state::distilling
              : mine.serving   ? link_state::initialising
              : mine.asked     ? link_state::switching
              : mine.failures  ? link_state::failed
                               : link_state::off;
    y.stock_bits = x.stock_bits;
    y.capacity_bits = x.capacity_bits;
    y.demand_bps = x.demand_bps();
    y.rate_bps = x.rate_bps;
    y.initialisation_s = x.initialisation_s;
    y.remaining_life_s = x.life_s();
    y.due_s = std::max(0.0, book.current().due_s(look, i) - look.now_s);
    y.visits = mine.visits;
    y.failures = mine.failures;
    y.blocked_s = std::max(0.0, mine.blocked_until_s - now);
    y.note = mine.note;
    if (!links[i].claimed)
      y.note = config.links[i].bob_site.value + " has not joined, or the link does not answer";
    out.links.push_back(std::move(y));
  }
  for (size_t b = 0; b < look.bobs.size(); ++b) {
    auto& x = look.bobs[b];
    bob_schedule y;
    y.bob = x.bob;
    if (x.active != no_link) {
      y.active = look.links[x.active].link;
      y.since_s = now - x.since_s;
    }
    y.until_s = std::max(0.0, book.until_s(b) - now);
    y.why = book.why(b);
    auto order = x.links;
    std::vector<double> due(look.links.size());
    for (auto i : order)
      due[i] = book.current().due_s(look, i);
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t p, size_t q) { return due[p] < due[q]; });
    for (auto i : order)
      if (i != x.active && look.links[i].available)
        y.next.push_back(look.links[i].link);
    out.bobs.push_back(std::move(y));
  }
  for (auto& x : book.alarms()) {
    schedule_alarm y;
    y.bob = look.bobs[x.bob].bob;
    y.raised_s = now - x.since_s;
    y.reason = x.alarm.reason;
    if (x.alarm.worst != no_link)
      y.worst = look.links[x.alarm.worst].link;
    y.runs_dry_s = x.alarm.runs_dry_s;
    y.help = x.alarm.help;
    out.alarms.push_back(std::move(y));
  }
  if (!trouble.empty())
    out.alarms.push_back(
      {{}, 0, trouble, {}, 0, standing_down ? "nothing: a younger scheduler works" : "the disk"});
  return out;
}

} // namespace qnfv
