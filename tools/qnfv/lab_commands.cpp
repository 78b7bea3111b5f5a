#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/lab_dir.hpp"
#include "tools/qnfv/lab_files.hpp"
#include "tools/qnfv/lab_watch.hpp"
#include "tools/qnfv/spawn.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

struct lab_choice {
  std::string topology;
  std::string dir;
  double time_scale = 0;
  bool allow_faults = false;
};

/// Starts one site in a session of its own, its output in its log; its process.
pid_t start_site(const lab_dir& lab, const site_id& site, bool allow_faults) {
  std::vector<std::string> words{"qnfv", "node", "--site", site.value, "--state", lab.state(site),
                                 "--pki", lab.pki(), "--emulator-seed", lab.seed(),
                                 "--seal-key", lab.seal(site), "--link-secrets", lab.secrets(),
                                 "--pid-file", lab.pid(site), "--trace-file", lab.trace(site),
                                 lab.topology()};
  if (allow_faults)
    words.push_back("--allow-faults");
  process_start start;
  start.program = "/proc/self/exe";
  start.words = std::move(words);
  start.log = lab.log(site);
  start.own_session = true;
  auto pid = start_process(start);
  if (!pid)
    throw command_error{{ec::internal, "cannot start site " + site.value}};
  return *pid;
}

/// Ends what runs of a lab, and what waits to run again after a fault: asks first, insists after ten seconds.
/// How many processes ended.
size_t stop_sites(const lab_dir& lab, const topology& network) {
  std::vector<site_id> running;
  for (auto& site : network.sites)
    if (auto pid = process_of(lab.pid(site.site))) {
      ::kill(*pid, SIGTERM);
      running.push_back(site.site);
    }
  auto stopped = running.size();
  for (int i = 0; i < 200 && !running.empty(); ++i) {
    std::this_thread::sleep_for(50ms);
    ::waitpid(-1, nullptr, WNOHANG);
    running.erase(std::remove_if(running.begin(), running.end(),
                                 [&](auto& site) { return !process_of(lab.pid(site)); }),
                  running.end());
  }
  for (auto& site : running)
    if (auto pid = process_of(lab.pid(site))) {
      std::fprintf(stderr, "site %s did not end by itself; killed\n", site.value.c_str());
      ::kill(*pid, SIGKILL);
    }
  for (auto& site : network.sites)
    ::unlink(lab.pid(site.site).c_str());
  return stopped;
}

void up(const lab_choice& choice, const command_settings& settings) {
  auto network = topology_to_run(choice.topology, choice.time_scale);
  auto lab = open_lab(choice.dir.empty() ? settings.lab : choice.dir, network);
  for (auto& site : network.sites)
    if (auto pid = process_of(lab.pid(site.site)))
      throw command_error{{ec::already_exists, "this lab is up already (site " + site.site.value
                                                 + ", process " + std::to_string(*pid)
                                                 + "); end it with: qnfv lab down"}};
  furnish(lab, network);
  for (auto& site : network.sites)
    done_or_throw(make_folder(lab.site(site.site)));
  std::map<site_id, pid_t> started;
  try {
    for (auto& site : network.sites)
      started[site.site] = start_site(lab, site.site, choice.allow_faults);
    wait_until_joined(lab, network, all_sites(network), 1min, [&] {
      for (auto& [site, pid] : started)
        if (::waitpid(pid, nullptr, WNOHANG) == pid) {
          command_error why{{ec::site_unreachable, "site " + site.value + " ended: " + last_line_of(lab.log(site))}};
          started.erase(site);
          throw why;
        }
    });
    done_or_throw(remember_lab(lab));
    show(ask_lab(lab, network), settings);
    if (!settings.json)
      std::printf("\n%s is up in %s\nNext:  qnfv image add NAME FILE;  qnfv image push NAME SITE\n",
                  network.name.c_str(), lab.path.c_str());
  } catch (...) {
    for (auto& [site, pid] : started)
      ::kill(pid, SIGTERM); // Also who has written no pid file yet.
    stop_sites(lab, network);
    throw;
  }
}

void down(const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  auto stopped = stop_sites(lab, network);
  if (settings.json)
    std::printf("{\"stopped\":%zu}\n", stopped);
  else if (stopped == 0)
    std::printf("%s was not running on this machine (on others: qnfv deploy stop)\n",
                network.name.c_str());
  else
    std::printf("%s is down, %zu sites ended\n", network.name.c_str(), stopped);
}

void show_status(const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  show(ask_lab(lab, network), settings);
}

} // namespace

void add_lab_commands(CLI::App& app, command_settings& settings) {
  auto choice = std::make_shared<lab_choice>();
  auto* lab = app.add_subcommand("lab", "A whole lab on this machine, one process per site");
  lab->require_subcommand(1);
  auto* up_command = lab->add_subcommand("up", "Start every site of a topology and wait until all have joined");
  up_command->add_option("topology", choice->topology, "Topology file")->required();
  up_command->add_option("--dir", choice->dir, "Folder of the lab (default: --lab, else $QNFV_HOME/NAME)");
  up_command->add_flag("--allow-faults", choice->allow_faults, "qnfv fault may make things go wrong in it");
  up_command->add_option("--time-scale", choice->time_scale,
                         "Run the QKD devices so many times faster; 1000: 400 s take 0.4 s")
    ->check(more_than_zero);
  up_command->footer("Example:  qnfv lab up config/topologies/two-site.json --time-scale 1000");
  up_command->callback([choice, &settings] { up(*choice, settings); });
  auto* down_command = lab->add_subcommand("down", "End every site of the lab");
  down_command->footer("Example:  qnfv lab down");
  down_command->callback([&settings] { down(settings); });
  auto* status_command =
    lab->add_subcommand("status", "Sites, heartbeats, roles and what waits for them, links, pools, switches, transfers");
  status_command->footer("Example:  qnfv lab status");
  status_command->callback([&settings] { show_status(settings); });
}

} // namespace qnfv
