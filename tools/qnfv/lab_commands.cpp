#include "runtime/deployment/address.hpp"
#include "runtime/system/random.hpp"
#include "runtime/tls/pki.hpp"
#include "tools/face/json_out.hpp"
#include "tools/qnfv/key_files.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/compose.hpp"
#include "tools/qnfv/lab_dir.hpp"
#include "tools/qnfv/operator_session.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

struct lab_choice {
  std::string topology;
  std::string dir;
  double time_scale = 0;
};

void make_certificates(const lab_dir& lab, const topology& network) {
  auto made = pki_init(lab.pki());
  if (!made && made.error().code != ec::already_exists)
    throw command_error{made.error()};
  auto made_or_there = [](const status& ok) {
    if (!ok && ok.error().code != ec::already_exists)
      throw command_error{ok.error()};
  };
  for (auto& site : network.sites) {
    pki_options options;
    if (site.key_server.etsi014) {
      auto& listen = site.key_server.etsi014->listen;
      options.hosts = {value_or_throw(parse_host_port(listen)).host};
    }
    made_or_there(pki_issue(lab.pki(), site.site.value, options));
  }
  made_or_there(pki_issue(lab.pki(), operator_name.value));
  for (auto& x : network.applications)
    made_or_there(pki_issue_application(lab.pki(), x.name, x.certificate));
}

void make_seed(const lab_dir& lab) {
  auto seed = make_system_random()->bytes_of<std::array<uint8_t, 32>>();
  auto ok = write_private_file(lab.seed(), seed);
  if (!ok && ok.error().code != ec::already_exists)
    throw command_error{ok.error()};
}

void make_secrets(const lab_dir& lab, const topology& network) {
  done_or_throw(make_folder(lab.secrets()));
  auto made = [](const failure& why) {
    if (why.code != ec::already_exists)
      throw command_error{why};
  };
  for (auto& site : network.sites)
    if (auto ok = make_seal_key(lab.seal(site.site)); !ok)
      made(ok.error());
  auto link_secret = [&](const link_id& link) {
    if (auto ok = make_link_secret(link_secret_file(lab.secrets(), link), false); !ok)
      made(ok.error());
  };
  for (auto& link : network.links)
    link_secret(link.link);
  for (auto& link : network.virtual_links)
    link_secret(link.link);
}

/// Starts one site in a session of its own, its output in its log.
void start_site(const lab_dir& lab, const site_id& site) {
  std::string log = lab.log(site);
  std::vector<std::string> words{"qnfv", "node", "--site", site.value, "--state", lab.state(site),
                                 "--pki", lab.pki(), "--emulator-seed", lab.seed(),
                                 "--seal-key", lab.seal(site), "--link-secrets", lab.secrets(),
                                 "--pid-file", lab.pid(site), "--trace-file", lab.trace(site),
                                 lab.topology()};
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  auto failed = posix_spawn(&pid, "/proc/self/exe", &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0)
    throw command_error{{ec::internal, "cannot start site " + site.value}};
}

std::string last_line(const std::string& file) {
  std::ifstream in{file};
  std::string line, last;
  while (std::getline(in, line))
    if (!line.empty())
      last = line;
  return last;
}

/// Ends what runs of a lab: asks first, insists after ten seconds. How many processes ended.
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
  return stopped;
}

/// Every site answers, has all its roles, and has joined all its neighbours.
bool complete(const lab_status& status, const topology& network) {
  if (status.sites.size() != network.sites.size())
    return false;
  for (auto& site : status.sites) {
    for (auto& peer : site.peers)
      if (!peer.up)
        return false;
    for (auto& role : site.roles)
      if (!role.alive)
        return false;
  }
  return true;
}

lab_status wait_until_joined(const lab_dir& lab, const topology& network) {
  std::string last = "no site answers";
  for (int i = 0; i < 150; ++i) {
    for (auto& site : network.sites)
      if (i > 10 && !process_of(lab.pid(site.site)))
        throw command_error{{ec::site_unreachable, "site " + site.site.value + " ended: "
                                                     + last_line(lab.log(site.site))}};
    try {
      operator_session session{lab, network};
      for (int j = 0; j < 150; ++j) {
        auto status = session.ask<lab_status>(session.node(), lab_status_query{});
        if (complete(status, network))
          return status;
        last = "not all sites have joined";
        std::this_thread::sleep_for(100ms);
      }
    } catch (const command_error& x) {
      last = x.why.text;
    }
    std::this_thread::sleep_for(100ms);
  }
  throw command_error{{ec::site_unreachable, "the lab did not come up: " + last}};
}

void show(const lab_status& status, const command_settings& settings) {
  std::fputs(settings.json ? (to_json(status) + "\n").c_str()
                           : render(status, face_settings_of(stdout)).c_str(),
             stdout);
}

void up(const lab_choice& choice, const command_settings& settings) {
  auto network = value_or_throw(load_topology(choice.topology));
  if (choice.time_scale > 0)
    network.time_scale = choice.time_scale;
  // Checked again: the command line may have changed it. The lab keeps this copy.
  auto text = topology_to_json(network);
  network = value_or_throw(parse_topology(text, choice.topology));
  lab_dir lab{choice.dir.empty() ? home_of_labs() + "/" + network.name : choice.dir};
  done_or_throw(make_folder(lab.path));
  char absolute[4096];
  if (::realpath(lab.path.c_str(), absolute))
    lab.path = absolute;
  for (auto& site : network.sites)
    if (auto pid = process_of(lab.pid(site.site)))
      throw command_error{{ec::already_exists, "this lab is up already (site " + site.site.value
                                                 + ", process " + std::to_string(*pid)
                                                 + "); end it with: qnfv lab down"}};
  make_certificates(lab, network);
  make_secrets(lab, network);
  make_seed(lab);
  auto files = value_or_throw(make_disk_storage(lab.path));
  done_or_throw(files->replace("topology.json", byte_view{std::string_view{text}}));
  for (auto& site : network.sites)
    done_or_throw(make_folder(lab.site(site.site)));
  try {
    for (auto& site : network.sites)
      start_site(lab, site.site);
    auto status = wait_until_joined(lab, network);
    done_or_throw(remember_lab(lab));
    show(status, settings);
    if (!settings.json)
      std::printf("\n%s is up in %s\nNext:  qnfv image add NAME FILE;  qnfv image push NAME SITE\n",
                  network.name.c_str(), lab.path.c_str());
  } catch (...) {
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
    std::printf("%s was not running\n", network.name.c_str());
  else
    std::printf("%s is down, %zu sites ended\n", network.name.c_str(), stopped);
}

void show_status(const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  operator_session session{lab, network};
  show(session.ask<lab_status>(session.node(), lab_status_query{}), settings);
}

} // namespace

void add_lab_commands(CLI::App& app, command_settings& settings) {
  auto choice = std::make_shared<lab_choice>();
  auto* lab = app.add_subcommand("lab", "A whole lab on this machine, one process per site");
  lab->require_subcommand(1);
  auto* up_command = lab->add_subcommand("up", "Start every site of a topology and wait until all have joined");
  up_command->add_option("topology", choice->topology, "Topology file")->required();
  up_command->add_option("--dir", choice->dir, "Folder of the lab (default: $QNFV_HOME/NAME)");
  up_command->add_option("--time-scale", choice->time_scale,
                         "Run the QKD devices so many times faster; 1000: 400 s take 0.4 s");
  up_command->footer("Example:  qnfv lab up config/topologies/two-site.json --time-scale 1000");
  up_command->callback([choice, &settings] { up(*choice, settings); });
  auto* down_command = lab->add_subcommand("down", "End every site of the lab");
  down_command->footer("Example:  qnfv lab down");
  down_command->callback([&settings] { down(settings); });
  auto* status_command = lab->add_subcommand("status", "Sites, roles and who has joined whom");
  status_command->footer("Example:  qnfv lab status");
  status_command->callback([&settings] { show_status(settings); });
}

} // namespace qnfv
