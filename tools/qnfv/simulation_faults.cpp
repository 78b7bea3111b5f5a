// What goes wrong in a simulation: with sites, roles and the lines between sites.

#include "drivers/channel_memory/channel_memory.hpp"
#include "tools/qnfv/compose.hpp"
#include "tools/qnfv/key_ledger.hpp"
#include "tools/qnfv/simulation_site.hpp"

#include <algorithm>

namespace qnfv {

void simulation::end_site(const site_id& site, bool unsynced_lost) {
  auto& world = *sites_.at(site);
  if (!world.node)
    return;
  caf::anon_send_exit(world.node, caf::exit_reason::kill);
  world.node = nullptr;
  frozen_.erase(site);
  memory_->cut(site);
  run();
  if (unsynced_lost)
    world.files->crash([this] { return random_->uniform() < 0.5; });
  for (auto& other : neighbours(lab_, site))
    if (!world.board || world.board->carries(site, other))
      report_lost(other, site, "connection closed");
}

void simulation::crash(const site_id& site) {
  end_site(site, true);
}

void simulation::kill_site(const site_id& site) {
  end_site(site, false);
}

bool simulation::is_up(const site_id& site) const {
  return sites_.at(site)->node != nullptr;
}

void simulation::strike(const site_id& site, fault_kind what, duration span) {
  // Not while an actor of that site runs.
  auto now = [this, site, what, span] {
    if (what == fault_kind::freeze)
      return freeze(site, span);
    if (what == fault_kind::power_cut)
      crash(site);
    else
      kill_site(site);
    later(span, [this, site] {
      if (!is_up(site))
        start(site);
    });
  };
  later(std::chrono::milliseconds{1}, now);
}

void simulation::freeze(const site_id& site, duration span) {
  frozen_[site] = std::max(frozen_[site], now() + span);
  later(span, [] {}); // Something must happen then.
}

/// Sets the next job aside if its site is frozen, and takes back what is not any more.
void simulation::hold_the_frozen() {
  auto& jobs = scheduler_->jobs;
  for (auto i = frozen_.begin(); i != frozen_.end();)
    i = i->second <= now() ? frozen_.erase(i) : std::next(i);
  auto is_frozen = [this](caf::resumable* x) {
    auto* actor = dynamic_cast<located*>(x);
    return actor && frozen_.count(actor->env().site) > 0;
  };
  for (auto i = held_.begin(); i != held_.end();)
    if (is_frozen(*i)) {
      ++i;
    } else {
      jobs.push_back(*i);
      i = held_.erase(i);
    }
  while (!jobs.empty() && is_frozen(jobs.front())) {
    held_.push_back(jobs.front());
    jobs.pop_front();
  }
}

void simulation::break_connection(const site_id& a, const site_id& b) {
  report_lost(a, b, "connection broken");
  if (sites_.at(a)->board->carries(a, b))
    report_lost(b, a, "connection broken");
}

result<fault_injected> simulation::inject(const fault& x) {
  return ask<fault_injected>(role<fault_injector_actor>(lab_.orchestrator().site, "fault_injector"),
                             inject_fault{x});
}

std::function<std::unique_ptr<key_store>(const link_id&, link_end, std::unique_ptr<key_store>)>
simulation::witness() {
  if (!extras_.keys)
    return {};
  return [keys = extras_.keys](const link_id& link, link_end end, std::unique_ptr<key_store> inner) {
    auto node = key_ledger::node_of(link, end);
    auto other = end == link_end::bob ? link_end::alice : link_end::bob;
    keys->ends[node] = {end, key_ledger::node_of(link, other)};
    return std::unique_ptr<key_store>{std::make_unique<watched_key_store>(node, keys, std::move(inner))};
  };
}

void simulation::report_lost(const site_id& from, const site_id& gone, const std::string& why) {
  if (auto& node = sites_.at(from)->node)
    caf::anon_send(caf::actor_cast<caf::actor>(node), peer_lost{gone, why});
}

void simulation::kill_role(const site_id& site, const std::string& name) {
  auto handle = find_role(site, name);
  auto* stand_in = dynamic_cast<gate*>(handle->get());
  caf::anon_send_exit(stand_in ? stand_in->target() : handle, caf::exit_reason::kill);
  run();
}

void simulation::cut(const site_id& a, const site_id& b) {
  cuts_.insert(pair_of(a, b));
  memory_->cut(a);
}

void simulation::heal(const site_id& a, const site_id& b) {
  cuts_.erase(pair_of(a, b));
}

} // namespace qnfv
