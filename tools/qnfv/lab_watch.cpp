#include "tools/qnfv/lab_watch.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <optional>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

/// Whoever waits longer at a terminal is told for what.
constexpr auto patience = 3s;

/// What one site says, or why it says nothing.
struct site_answer {
  std::optional<site_status> status;
  std::optional<keys_status> keys;
  std::optional<lab_report> of_lab; ///< From the orchestrator's site.
  failure why;
};

lab_report ask_orchestrator(operator_session& session, const topology& network) {
  lab_report out;
  if (auto links = session.try_ask<link_list>(session.orchestrator(), links_query{}))
    out.links = std::move(links->links);
  if (auto orders = session.try_ask<order_list>(session.orchestrator(), list_orders{}))
    for (auto& x : orders->orders)
      if (!is_final(x.state))
        out.transfers.push_back(std::move(x));
  if (network.time_shared())
    if (auto paths = session.try_ask<path_list>(
          session.role<sdn_controller_actor>("sdn_controller"), paths_query{}))
      out.switches = std::move(paths->switches);
  return out;
}

site_answer ask_site(const lab_dir& lab, const topology& network, const site_id& site,
                     bool in_full) {
  site_answer out;
  try {
    operator_session session{lab, network, site};
    out.status = session.ask<site_status>(session.node(), site_status_query{});
    if (!in_full)
      return out;
    if (auto keys = session.try_ask<keys_status>(session.key_pool(), keys_status_query{}))
      out.keys = std::move(*keys);
    if (network.site(site)->orchestrator)
      out.of_lab = ask_orchestrator(session, network);
  } catch (const command_error& x) {
    out.why = x.why;
  }
  return out;
}

/// What a site still lacks; empty: nothing.
std::string missing_at(const site_answer& x, const std::vector<site_id>& sites) {
  if (!x.status)
    return x.why.text;
  for (auto& role : x.status->roles)
    if (!role.alive)
      return x.status->site.value + "/" + role.role + " does not run";
  for (auto& peer : x.status->peers)
    if (!peer.up && std::find(sites.begin(), sites.end(), peer.site) != sites.end())
      return x.status->site.value + " and " + peer.site.value + " have not joined: " + peer.reason;
  return {};
}

/// Asks all at once.
std::vector<site_answer> ask_sites(const std::vector<site_id>& sites,
                                   const std::function<site_answer(const site_id&)>& ask) {
  std::vector<std::future<site_answer>> pending;
  for (auto& site : sites)
    pending.push_back(std::async(std::launch::async, [&ask, &site] { return ask(site); }));
  std::vector<site_answer> out;
  for (auto& x : pending)
    out.push_back(x.get());
  return out;
}

} // namespace

lab_report ask_lab(const lab_dir& lab, const topology& network) {
  auto answers = ask_sites(all_sites(network), [&](const site_id& site) {
    return ask_site(lab, network, site, true);
  });
  lab_report out;
  for (auto& x : answers) {
    if (x.status)
      out.sites.push_back(std::move(*x.status));
    else
      out.silent.push_back(x.why.text);
    if (x.keys)
      out.keys.push_back(std::move(*x.keys));
    if (x.of_lab) {
      out.links = std::move(x.of_lab->links);
      out.switches = std::move(x.of_lab->switches);
      out.transfers = std::move(x.of_lab->transfers);
    }
  }
  if (out.sites.empty())
    throw command_error{answers.front().why};
  return out;
}

void wait_until_joined(const lab_dir& lab, const topology& network, const std::vector<site_id>& sites,
                       duration limit, const std::function<void()>& still_well) {
  auto began = std::chrono::steady_clock::now();
  std::string said;
  for (;;) {
    still_well();
    std::string missing;
    for (auto& x : ask_sites(sites, [&](const site_id& site) {
           return ask_site(lab, network, site, false);
         }))
      if (missing.empty())
        missing = missing_at(x, sites);
    if (missing.empty())
      return;
    auto waited = std::chrono::steady_clock::now() - began;
    if (waited > limit)
      throw command_error{{ec::site_unreachable, "the lab is not whole: " + missing}};
    if (waited > patience && missing != said && ::isatty(STDERR_FILENO) != 0) {
      std::fprintf(stderr, "waiting: %s\n", missing.c_str());
      said = missing;
    }
    std::this_thread::sleep_for(100ms);
  }
}

std::vector<site_id> all_sites(const topology& network) {
  std::vector<site_id> out;
  for (auto& site : network.sites)
    out.push_back(site.site);
  return out;
}

void show(const lab_report& x, const command_settings& settings) {
  std::fputs(settings.json ? (to_json(x) + "\n").c_str() : render(x, face_settings_of(stdout)).c_str(),
             stdout);
}

} // namespace qnfv
