#include "tools/qnfv/sim_callers.hpp"

#include "runtime/messages/relay.hpp"
#include "tools/qnfv/composer.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

std::string person_at(const site_id& x) {
  return x.value + "/person";
}

} // namespace

sim_callers::sim_callers(simulation& sim, invariant_checker& checker, uint64_t seed)
  : sim_(sim), checker_(checker), random_(make_seeded_random(~seed)) {
  for (auto& x : sim.lab().links)
    lines_.push_back({x.link, x.bob_site, x.alice_site, x.switched});
  for (auto& x : sim.lab().virtual_links)
    lines_.push_back({x.link, x.a, x.b, false});
}

duration sim_callers::gap(double calls_per_h) {
  return from_seconds(-std::log(1 - random_->uniform()) * 3600 / calls_per_h);
}

void sim_callers::call() {
  switch (random_->next() % 8) {
    case 0: return assign_as_another();
    case 1: return command_as_an_old_scheduler();
    case 2: return order_as_another();
    case 3: return relay_as_another();
    case 4: return end_or_join_as_another();
    default: return draw_keys();
  }
}

std::optional<site_id> sim_callers::stranger_to(const std::vector<site_id>& known) {
  std::vector<site_id> others;
  for (auto& x : sim_.lab().sites)
    if (std::count(known.begin(), known.end(), x.site) == 0)
      others.push_back(x.site);
  if (others.empty())
    return std::nullopt;
  return one_of(others);
}

void sim_callers::draw_keys() {
  auto& line = one_of(lines_);
  auto master = line.bob_end, slave = line.alice_end;
  if (random_->uniform() < 0.5)
    std::swap(master, slave);
  key_users users{person_at(master), {person_at(slave)}};
  auto pool_at = [this](const site_id& x) { return sim_.role<key_pool_actor>(x, "key_pool"); };
  request_id request{random_->bytes_of<std::array<uint8_t, 16>>()};
  auto count = static_cast<uint32_t>(1 + random_->next() % 3);
  auto ours = sim_.ask_at<key_grants>(master, pool_at(master),
                                      reserve_keys{line.link, count, key_bits, request, users});
  if (!ours)
    return;
  auto pair = users.master + ">" + users.slaves.front();
  checker_.delivered(master, *ours, pair);
  claim_keys claim{line.link, {}, users.master, users.slaves.front()};
  for (auto& x : ours->keys)
    claim.keys.push_back(x.id);
  auto theirs = claim;
  theirs.slave = slave.value + "/somebody";
  must_be_refused(sim_.ask_at<key_grants>(slave, pool_at(slave), theirs), "I16",
                  theirs.slave + " claims keys of " + pair);
  if (auto far = stranger_to({slave}))
    must_be_refused(sim_.ask_at<key_grants>(*far, pool_at(slave), claim), "I16",
                    far->value + " claims keys of " + pair);
  if (auto fetched = sim_.ask_at<key_grants>(slave, pool_at(slave), claim))
    checker_.delivered(slave, *fetched, pair);
}

void sim_callers::assign_as_another() {
  auto& line = one_of(lines_);
  auto there = line.alice_end;
  if (auto who = stranger_to({line.bob_end}))
    must_be_refused(sim_.ask_at<keys_assigned>(*who, sim_.role<key_pool_actor>(there, "key_pool"),
                                               assign_keys{line.link, 0, {}}),
                    "I17", who->value + " assigns keys of " + line.link.value);
}

void sim_callers::command_as_an_old_scheduler() {
  auto& line = one_of(lines_);
  if (!line.scheduled)
    return;
  auto here = sim_.lab().orchestrator().site;
  auto link = sim_.role<link_actor>(line.bob_end, link_role(line.link));
  auto status = sim_.ask<link_status>(link, link_status_query{});
  // Only who has heard of a scheduler knows that another one is older.
  if (!status || status->epoch < 2 || status->state != link_state::distilling)
    return;
  auto old = status->epoch - 1;
  must_be_refused(sim_.ask_at<accepted>(here, link, release_link{line.link, old}), "I43",
                  line.link.value + " released by the scheduler before this one");
  for (auto& x : sim_.lab().optical.switches) {
    auto glass = sim_.role<optical_switch_actor>(x.site, switch_role(x.name));
    cross_connection ports{static_cast<port_number>(x.size), static_cast<port_number>(2 * x.size)};
    must_be_refused(sim_.ask_at<accepted>(here, glass, disconnect{ports, old}), "I43",
                    x.name.value + " commanded by the scheduler before this one");
  }
}

void sim_callers::order_as_another() {
  auto& site = one_of(sim_.lab().sites);
  auto who = stranger_to({site.site, sim_.lab().orchestrator().site});
  if (site.vims.empty() || !who)
    return;
  transfer_id nothing{random_->bytes_of<std::array<uint8_t, 16>>()};
  must_be_refused(
    sim_.ask_at<accepted>(*who, sim_.role<mano_gateway_actor>(site.site, "mano_gateway"),
                          transfer_cancel{nothing, "not yours"}),
    "I17", who->value + " commands the gateway of " + site.site.value);
}

void sim_callers::relay_as_another() {
  auto& all = sim_.lab().virtual_links;
  if (all.empty())
    return;
  auto& x = one_of(all);
  auto far = sim_.role<trusted_node_actor>(x.b, "trusted_node");
  for (auto& node : sim_.lab().sites) {
    auto who = stranger_to({x.a, node.site, x.b});
    if (node.site == x.a || node.site == x.b || !who)
      continue;
    site_path path{x.a, node.site, x.b};
    must_be_refused(sim_.ask_at<session_announced>(*who, far, announce_session{x.link, 1u << 30, true, {path}}),
                    "I17", who->value + " announces a session of " + x.link.value);
    // The far end is a neighbour too, but not the one before on that path.
    relay_keys ask;
    ask.route.id.value = random_->bytes_of<std::array<uint8_t, 16>>();
    ask.route.block = {x.link, 1, link_end::bob, 0, 1};
    ask.route.path = path;
    for (auto& line : lines_)
      if ((line.bob_end == node.site && line.alice_end == x.b)
          || (line.bob_end == x.b && line.alice_end == node.site))
        for (uint64_t i = 0; i < 2; ++i)
          ask.keys.push_back(make_key_id(line.link, 1, link_end::bob, i));
    must_be_refused(sim_.ask_at<wrapped_keys>(x.b, sim_.role<trusted_node_actor>(node.site, "trusted_node"), ask),
                    "I17", x.b.value + " relays as " + x.a.value);
  }
}

void sim_callers::end_or_join_as_another() {
  auto& site = one_of(sim_.lab().sites).site;
  auto who = stranger_to({site});
  if (!who || !sim_.is_up(site))
    return;
  auto node = sim_.role<node_actor>(site, "node");
  must_be_refused(sim_.ask_at<accepted>(*who, node, shutdown_site{}), "I17", who->value + " ends " + site.value);
  join as_another{site, 1u << 30, "another lab", caf::actor_cast<caf::strong_actor_ptr>(node), {}};
  must_be_refused(sim_.ask_at<joined>(*who, node, as_another), "I17", who->value + " joins as " + site.value);
}

} // namespace qnfv
