// The emulated light of a simulation: what is wrong with it, and what it really does.

#include "drivers/switch_emulator/switch_emulator.hpp"
#include "tools/qnfv/simulation.hpp"

namespace qnfv {

result<accepted> simulation::set_switch_fault(const switch_id& name, const switch_fault& x) {
  auto* at = lab_.optical.find(name);
  if (!at)
    return {ec::invalid_argument, "no switch " + name.value};
  return ask<accepted>(role<switch_driver_actor>(at->site, "switch_emulator/" + name.value), x);
}

result<accepted> simulation::set_line(const link_id& id, const line_conditions& line) {
  for (auto& link : lab_.links)
    if (link.link == id)
      return ask<accepted>(role<qkd_device_actor>(link.bob_site, "qkd_device/" + link.bob.value),
                           qnfv::set_line{id, line});
  return {ec::unknown_link, "no link " + id.value};
}

simulation::glass simulation::glass_of(const switch_id& name) {
  auto handle = find_role(lab_.optical.find(name)->site, "switch_emulator/" + name.value);
  auto target = dynamic_cast<gate&>(*handle->get()).target();
  using emulator = stateful<switch_driver_actor, switch_emulator_state>;
  auto* actor = target ? dynamic_cast<emulator*>(target->get()) : nullptr;
  if (!actor || actor->getf(caf::abstract_actor::is_cleaned_up_flag) || !actor->state.glass)
    return {};
  return {actor->state.glass->truly_joined(), actor->state.glass->dark()};
}

void simulation::watch(watcher x) {
  watcher_ = std::move(x);
  if (watcher_.light)
    for (auto& at : lab_.optical.switches)
      watcher_.light(at.name, glass_of(at.name));
}

bool simulation::watched_step() {
  auto& jobs = scheduler_->jobs;
  auto* actor = jobs.empty() ? nullptr : dynamic_cast<caf::scheduled_actor*>(jobs.front());
  auto name = std::string_view{actor ? actor->name() : ""};
  auto site = [&]() -> const site_id& { return dynamic_cast<located&>(*actor).env().site; };
  if (watcher_.ingest && name == "key_pool")
    if (auto* next = actor->peek_at_next_mailbox_element();
        next && next->content().match_elements<key_block>())
      watcher_.ingest(site(), next->content().get_as<key_block>(0));
  if (watcher_.granted && (name == "image_stream" || name == "key_server" || name == "trusted_node"))
    if (auto* next = actor->peek_at_next_mailbox_element();
        next && next->content().match_elements<key_grants>())
      watcher_.granted(site(), next->content().get_as<key_grants>(0));
  // A switch that starts or ends has no mirrors for a while; its node knows.
  auto glass = watcher_.light && name == "switch_emulator";
  auto node_of = watcher_.light && name == "node" ? site() : site_id{};
  auto ran = scheduler_->try_run_once();
  if (ran && (glass || !node_of.empty()))
    for (auto& at : lab_.optical.switches)
      if (glass || at.site == node_of)
        watcher_.light(at.name, glass_of(at.name));
  return ran;
}

} // namespace qnfv
