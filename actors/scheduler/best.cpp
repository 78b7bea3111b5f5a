// Our policy; README.md says why it is so.
//
//   stay     until the link holds what it needs for one cycle C, d C (1 - d / r), and a safety;
//            longer while nobody who waits is late by it; never beyond a full pool
//   next     who is due first: when its stock runs out by the forecast, less safety and start;
//            while Bob is behind: in the order, and for as long, as a search found to lose least
//   C        the one of some lengths that loses least in a fluid look-ahead over a few cycles
//   overload the fractions f of each demand that one cycle leaves room for, as fair as the score;
//            a link with f < 1 is filled for f C and due once a cycle
//   alarm    the best C still loses, or needs f < 1, or a surge would empty the pools

#include "actors/scheduler/planner.hpp"
#include "actors/scheduler/policies.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

namespace {

class best : public policy {
public:
  const char* name() const override { return "best"; }

  decision decide(const outlook& now, size_t bob) override {
    planners_.resize(std::max(planners_.size(), now.bobs.size()));
    auto& mind = planners_[bob];
    mind.spare_is_needed = spare_is_needed(now);
    mind.work(now, bob);
    auto& b = now.bobs[bob];
    if (b.doing == bob_activity::starting || b.links.empty())
      return {};
    auto& plan = mind.plan();
    fluid_.look(now, bob);
    auto& a = fluid_.active;
    if (b.doing == bob_activity::producing) {
      auto left = fluid_.still_needs(a, plan, 0, fluid_.producing_for, plan.active_part);
      if (left > 0 && !now.links[b.active].full())
        return {decision::what::stay, no_link, {}, now.now_s + left};
    }
    order_.clear();
    for (size_t k = 0; k < fluid_.links.size(); ++k) {
      auto& x = fluid_.links[k];
      if (k == a || !x.available)
        continue;
      x.due = fluid_.due_of(k, plan, 0);
      order_.push_back(k);
    }
    if (order_.empty())
      return {};
    std::sort(order_.begin(), order_.end(), [&](size_t x, size_t y) {
      return fluid_.links[x].due != fluid_.links[y].due
               ? fluid_.links[x].due < fluid_.links[y].due
               : now.links[fluid_.links[x].index].link < now.links[fluid_.links[y].index].link;
    });
    if (b.doing == bob_activity::producing && !now.links[b.active].full()) {
      auto slack = fluid_.slack(order_, plan, 0);
      if (slack > 0)
        return {decision::what::stay, no_link, {}, std::isfinite(slack) ? now.now_s + slack : 0};
    }
    for (auto k : order_)
      fluid_.links[k].available = !now.links[fluid_.links[k].index].full();
    for (auto& x : plan.first)
      if (x.link != a && fluid_.links[x.link].available)
        return {decision::what::go, fluid_.links[x.link].index,
                "first of those who are late; cycles of " + span_text(plan.cycle_s), 0};
    auto next = fluid_.next(order_, plan, 0);
    if (next == order_.end())
      return {};
    auto& x = fluid_.links[*next];
    return {decision::what::go, x.index,
            (x.due > 365 * 86400.0 ? "nobody is due within a year: the first of them" : "due first, in " + span_text(x.due))
              + "; cycles of " + span_text(plan.cycle_s),
            0};
  }

  std::optional<policy_alarm> alarm(size_t bob) const override {
    return bob < planners_.size() ? planners_[bob].alarm : std::nullopt;
  }

  double due_s(const outlook& now, size_t link) const override {
    for (size_t b = 0; b < planners_.size() && b < now.bobs.size(); ++b) {
      auto& mine = now.bobs[b].links;
      auto at = std::find(mine.begin(), mine.end(), link);
      if (at != mine.end() && planners_[b].knows(now.bobs[b]))
        return due_of(now, b, static_cast<size_t>(at - mine.begin()));
    }
    return policy::due_s(now, link);
  }

private:
  double due_of(const outlook& now, size_t bob, size_t k) const {
    auto& plan = planners_[bob].plan();
    // Visits planned by name come in their order, before all others.
    auto named =
      std::find_if(plan.first.begin(), plan.first.end(), [&](auto& x) { return x.link == k; });
    fluid_bob fluid;
    fluid.look(now, bob);
    double begins = now.now_s;
    if (fluid.active != no_link)
      begins += fluid.start_left
                + fluid.still_needs(fluid.active, plan, 0, fluid.producing_for, plan.active_part);
    for (auto x = plan.first.begin(); x != named; ++x)
      begins += fluid.links[x->link].init + fluid.still_needs(x->link, plan, 0, 0, x->part);
    if (named != plan.first.end())
      return begins;
    auto due = now.now_s + fluid.due_of(k, plan, 0);
    return plan.first.empty() ? due : std::max(due, begins);
  }

  bool spare_is_needed(const outlook& now) const {
    double load = 0, own = 0;
    bool any = false;
    for (size_t b = 0; b < now.bobs.size(); ++b) {
      if (!now.bobs[b].up)
        continue;
      any = any || now.bobs[b].spare;
      own += now.bobs[b].spare ? 0 : 1;
      load += planners_[b].load_now();
    }
    return any && load > own;
  }

  std::vector<planner> planners_;
  fluid_bob fluid_;
  std::vector<size_t> order_;
};

} // namespace

std::unique_ptr<policy> make_best() {
  return std::make_unique<best>();
}

} // namespace qnfv
