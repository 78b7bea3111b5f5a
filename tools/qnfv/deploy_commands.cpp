// A lab on real hosts: one site on each, over ssh.

#include "tools/qnfv/host_work.hpp"
#include "tools/qnfv/lab_files.hpp"
#include "tools/qnfv/lab_watch.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>

namespace qnfv {

namespace {

struct deploy_choice {
  std::string topology;
  std::string dir;
  double time_scale = 0;
  bool allow_faults = false;
  std::string binary;
  unsigned wait_s = 60;
  std::string site;
  std::vector<std::string> sites;
  bool follow = false;
  unsigned lines = 100;
};

struct deployed_lab {
  lab_dir dir;
  topology network;
};

deployed_lab find_deployed(const command_settings& settings) {
  auto dir = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(dir.topology()));
  return {std::move(dir), std::move(network)};
}

void print(const std::vector<host_outcome>& outcomes, const command_settings& settings) {
  std::vector<hosted_site> rows;
  for (auto& x : outcomes)
    rows.push_back(x.row);
  std::printf("%s\n", settings.json ? to_json(rows).c_str()
                                    : render(rows, face_settings_of(stdout)).c_str());
}

std::vector<site_id> sites_in_order(const std::vector<host_outcome>& outcomes) {
  std::vector<site_id> out;
  for (auto& x : outcomes)
    if (!x.failed())
      out.push_back(x.row.site);
  return out;
}

/// One line that names whoever failed, and why.
void throw_if_any_failed(const std::vector<host_outcome>& outcomes, const std::string& besides = {}) {
  std::string text;
  size_t failed = 0;
  ec code = ec::none;
  for (auto& x : outcomes)
    if (x.failed()) {
      text += (failed++ > 0 ? "; " : "") + x.row.site.value + " (" + x.row.host + "): " + x.why.text;
      code = x.why.code;
    }
  if (failed > 0)
    throw command_error{{code, std::to_string(failed) + " of " + std::to_string(outcomes.size())
                                 + " hosts failed: " + text + besides}};
}

void deploy(const deploy_choice& choice, const command_settings& settings) {
  auto network = topology_to_run(choice.topology, choice.time_scale);
  if (choice.allow_faults && network.production)
    throw command_error{{ec::not_allowed, "topology " + network.name + " is \"production\": no faults may be injected"}};
  auto lab = open_lab(choice.dir.empty() ? settings.lab : choice.dir, network);
  auto program = program_to_deploy(choice.binary);
  furnish(lab, network);
  write_deployed_topology(lab, network);
  auto outcomes = on_all_hosts(network, all_sites(network),
                               [&](const ssh_host& host, const site_config& site) {
                                 auto wanted = files_of_site(lab, network, site, program);
                                 wanted.allow_faults = choice.allow_faults;
                                 return bring_up(host, wanted);
                               });
  if (std::any_of(outcomes.begin(), outcomes.end(), [](auto& x) { return !x.failed(); }))
    done_or_throw(remember_lab(lab));
  print(outcomes, settings);
  std::fflush(stdout);
  auto well = sites_in_order(outcomes);
  try {
    wait_until_joined(lab, network, well, std::chrono::seconds{choice.wait_s});
  } catch (const command_error& x) {
    throw_if_any_failed(outcomes, "; of the others, " + x.why.text);
    throw;
  }
  throw_if_any_failed(outcomes);
  if (settings.json)
    return;
  auto changed = std::count_if(outcomes.begin(), outcomes.end(),
                               [](auto& x) { return !x.row.done.empty(); });
  if (changed == 0)
    std::printf("\nnothing to change: all %zu sites of %s run and have joined\n", outcomes.size(),
                network.name.c_str());
  else
    std::printf("\nall %zu sites of %s have joined\nNext:  qnfv deploy status;  qnfv image push NAME SITE\n",
                outcomes.size(), network.name.c_str());
}

void show_status(const command_settings& settings) {
  auto lab = find_deployed(settings);
  auto outcomes = on_all_hosts(lab.network, all_sites(lab.network),
                               [](const ssh_host& host, const site_config& site) {
                                 return look(host, site.site);
                               });
  if (settings.json)
    std::printf("{\"hosts\":");
  print(outcomes, settings);
  lab_report report;
  failure nobody;
  try {
    report = ask_lab(lab.dir, lab.network);
  } catch (const command_error& x) {
    nobody = x.why;
    report.silent.push_back(x.why.text);
  }
  std::printf(settings.json ? ",\"lab\":" : "\n");
  show(report, settings);
  if (settings.json)
    std::printf("}\n");
  throw_if_any_failed(outcomes);
  if (!nobody.text.empty())
    throw command_error{nobody};
}

const site_config& site_named(const topology& network, const std::string& name) {
  auto* site = network.site(site_id{name});
  if (!site)
    throw command_error{{ec::unknown_site, "no site " + name + " in topology " + network.name}};
  return *site;
}

void show_log(const deploy_choice& choice, const command_settings& settings) {
  auto lab = find_deployed(settings);
  ssh_folder sockets;
  ssh_host host{lab.network, site_named(lab.network, choice.site), sockets.path()};
  throw command_error{host.show_log(choice.lines, choice.follow)};
}

void stop(const deploy_choice& choice, const command_settings& settings) {
  auto lab = find_deployed(settings);
  std::vector<site_id> sites;
  for (auto& name : choice.sites)
    sites.push_back(site_named(lab.network, name).site);
  auto outcomes = on_all_hosts(lab.network, sites.empty() ? all_sites(lab.network) : sites,
                               [](const ssh_host& host, const site_config& site) {
                                 return bring_down(host, site.site);
                               });
  print(outcomes, settings);
  throw_if_any_failed(outcomes);
}

/// The data centres first: whoever orders from them goes last.
std::vector<const site_config*> upgrade_order(const topology& network) {
  std::vector<const site_config*> out;
  for (auto& site : network.sites)
    out.push_back(&site);
  std::stable_partition(out.begin(), out.end(), [](auto* site) { return !site->orchestrator; });
  return out;
}

/// What `changed` had before runs again; in the reverse order. How that went.
std::string bring_all_back(const deployed_lab& lab, const std::vector<host_outcome>& changed,
                           duration limit) {
  std::string trouble;
  ssh_folder sockets;
  for (auto x = changed.rbegin(); x != changed.rend(); ++x) {
    ssh_host host{lab.network, *lab.network.site(x->row.site), sockets.path()};
    if (auto ok = bring_back(host, x->before); !ok)
      trouble += "; " + x->row.site.value + " could not go back: " + ok.error().text;
  }
  try {
    wait_until_joined(lab.dir, lab.network, all_sites(lab.network), limit);
    return "every site runs what it ran before" + trouble;
  } catch (const command_error& x) {
    return x.why.text + trouble;
  }
}

void upgrade(const deploy_choice& choice, const command_settings& settings) {
  auto lab = find_deployed(settings);
  auto program = program_to_deploy(choice.binary);
  auto everyone = all_sites(lab.network);
  auto limit = std::chrono::seconds{choice.wait_s};
  wait_until_joined(lab.dir, lab.network, everyone, limit);
  std::vector<host_outcome> changed;
  for (auto* site : upgrade_order(lab.network)) {
    auto wanted = files_of_site(lab.dir, lab.network, *site, program);
    auto outcome = on_all_hosts(lab.network, {site->site},
                                [&](const ssh_host& host, const site_config&) {
                                  return bring_up(host, wanted);
                                })
                     .front();
    if (!outcome.row.done.empty() || outcome.row.version != outcome.before.version)
      changed.push_back(outcome);
    try {
      if (outcome.failed())
        throw command_error{outcome.why};
      wait_until_joined(lab.dir, lab.network, everyone, limit);
    } catch (const command_error& why) {
      throw command_error{{why.why.code, "version " + program.version() + " fails at "
                                           + site->site.value + " (" + why.why.text + "); "
                                           + bring_all_back(lab, changed, limit)}};
    }
    if (!settings.json)
      std::printf("%s: %s\n", site->site.value.c_str(),
                  outcome.row.done.empty() ? "runs this version already"
                                           : (outcome.row.done + "; has joined again").c_str());
    std::fflush(stdout);
  }
  if (settings.json)
    print(changed, settings);
  else
    std::printf("all %zu sites run version %s\n", everyone.size(), program.version().c_str());
}

} // namespace

void add_deploy_commands(CLI::App& app, command_settings& settings) {
  auto x = std::make_shared<deploy_choice>();
  auto* deploy_command = app.add_subcommand("deploy", "A lab over real hosts: brings every site to its host by ssh and starts it");
  deploy_command->require_subcommand(0, 1);
  deploy_command->add_option("topology", x->topology, "Topology file; \"deploy\" of a site says how its host is reached");
  deploy_command->add_option("--dir", x->dir, "Folder of the lab on this machine (default: --lab, else $QNFV_HOME/NAME)");
  deploy_command->add_option("--time-scale", x->time_scale, "Run the QKD devices so many times faster")
    ->check(more_than_zero);
  deploy_command->add_flag("--allow-faults", x->allow_faults, "qnfv fault may make things go wrong in it");
  deploy_command->add_option("--binary", x->binary, "The qnfv that the hosts shall run (default: this one)");
  deploy_command->add_option("--wait-s", x->wait_s, "How long sites may take to join");
  deploy_command->footer("Example:  qnfv deploy lab.json;  qnfv deploy status;  qnfv deploy stop");

  auto* status_command = deploy_command->add_subcommand("status", "Hosts and services, and all that lab status shows");
  status_command->footer("Example:  qnfv deploy status");
  auto* logs_command = deploy_command->add_subcommand("logs", "The log of a site, from its host");
  logs_command->add_option("site", x->site, "Which site")->required();
  logs_command->add_flag("--follow,-f", x->follow, "And what comes");
  logs_command->add_option("--lines", x->lines, "How many of the last lines (default 100)");
  logs_command->footer("Example:  qnfv deploy logs dc1 --follow");
  auto* stop_command = deploy_command->add_subcommand("stop", "End all sites, or those named; what they know stays on their hosts");
  stop_command->add_option("sites", x->sites, "Which sites (default: all)");
  stop_command->footer("Example:  qnfv deploy stop dc3");
  auto* upgrade_command = deploy_command->add_subcommand(
    "upgrade", "Change to another qnfv, one site after the other; back again if one does not join");
  upgrade_command->footer("Example:  qnfv deploy upgrade --binary ./build/release/tools/qnfv");

  deploy_command->callback([=, &settings] {
    auto chosen = deploy_command->get_subcommands();
    if (chosen.empty() == x->topology.empty())
      throw CLI::RequiredError{"A topology file, or one of status, logs, stop, upgrade"};
    if (chosen.empty())
      deploy(*x, settings);
    else if (chosen[0] == status_command)
      show_status(settings);
    else if (chosen[0] == logs_command)
      show_log(*x, settings);
    else if (chosen[0] == stop_command)
      stop(*x, settings);
    else
      upgrade(*x, settings);
  });
}

} // namespace qnfv
