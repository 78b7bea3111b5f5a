// Optical switches: an emulated one by itself, for whoever has a controller.

#include "drivers/registry.hpp"
#include "runtime/tracing/recorder.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/key_files.hpp"

#include <signal.h>

#include <cstdio>
#include <memory>

namespace qnfv {

namespace {

struct emulation {
  std::string name = "polatis1";
  uint16_t size = 24;
  std::string datapath = "00:00:00:00:00:00:05:1e";
  uint32_t settle_ms = 25;
  std::string password_file;
  switch_server_settings servers;
};

void print_note(const trace_record& x) {
  if (x.kind != trace_kind::note || x.message() == "xconn")
    return;
  std::printf("%s\n", std::string{x.text()}.c_str());
  std::fflush(stdout);
}

void emulate(emulation x) {
  x.servers.datapath = value_or_throw(parse_datapath(x.datapath));
  if (!valid_name(x.name))
    throw command_error{{ec::invalid_argument, "\"" + x.name + "\" is no name"}};
  auto& s = x.servers;
  if (s.openflow.empty() && s.scpi.empty() && s.restconf.empty())
    throw command_error{{ec::invalid_argument,
                         "a switch that speaks no protocol is of no use: --openflow HOST:PORT, "
                         "--scpi ADDRESS:PORT or --restconf ADDRESS:PORT"}};
  if (s.user.empty() != x.password_file.empty())
    throw command_error{{ec::invalid_argument, "--user and --password-file belong together"}};
  if (s.user.find(':') != std::string::npos)
    throw command_error{{ec::invalid_argument, "a user's name must not hold a ':'"}};
  if (!s.user.empty())
    s.password = value_or_throw(load_password(x.password_file));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  struct system_config : caf::actor_system_config {
    system_config() { register_wire(*this); }
  };
  auto env = std::make_shared<environment>();
  env->site = site_id{x.name};
  env->clock = make_real_clock();
  env->random = make_system_random();
  env->io = std::make_shared<io_pool>(1);
  env->recorder = std::make_shared<recorder>(x.name, 1, recorder::settings{1, {}, 0}, print_note);
  env->wire_bytes_max = 0;
  system_config config;
  caf::actor_system system{config};

  emulated_switch_settings settings;
  settings.name = switch_id{x.name};
  settings.size = x.size;
  settings.settle_ms = x.settle_ms;
  settings.servers = x.servers;
  auto start = value_or_throw(emulated_switch(system, env, settings));
  auto glass = caf::actor_cast<caf::actor>(start());
  std::printf("%s: an emulated %ux%u switch; ends with ctrl-C\n", x.name.c_str(), x.size, x.size);
  std::fflush(stdout);
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  caf::scoped_actor self{system};
  self->monitor(glass);
  self->send_exit(glass, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {}, caf::after(std::chrono::seconds{5}) >> [] {});
}

} // namespace

void add_switch_commands(CLI::App& app, command_settings&) {
  auto x = std::make_shared<emulation>();
  auto* group = app.add_subcommand("switch", "Optical circuit switches");
  group->require_subcommand(1);
  auto* run = group->add_subcommand("emulate", "Run an emulated switch, for any controller");
  run->add_option("--openflow", x->servers.openflow,
                  "HOST:PORT of an OpenFlow 1.0 controller, which it dials");
  run->add_option("--dpid", x->datapath, "Its datapath id")->capture_default_str();
  run->add_option("--scpi", x->servers.scpi, "Where it listens for SCPI, e.g. 127.0.0.1:5025");
  run->add_option("--restconf", x->servers.restconf,
                  "Where it listens for RESTCONF over HTTP, e.g. 127.0.0.1:8008");
  run->add_option("--user", x->servers.user, "Who may use RESTCONF; without it everybody may");
  run->add_option("--password-file", x->password_file, "That user's password, in a 0400 file");
  run->add_flag("--beyond-loopback", x->servers.beyond_loopback,
                "Let it listen beyond loopback: SCPI has no password, and this HTTP hides none");
  run->add_option("--size", x->size, "N: ingress ports 1 to N, egress ports N+1 to 2N")
    ->capture_default_str();
  run->add_option("--settle-ms", x->settle_ms, "Until its mirrors stand still")
    ->capture_default_str();
  run->add_option("--name", x->name, "What it is called")->capture_default_str();
  run->footer("Examples:  qnfv switch emulate --openflow 127.0.0.1:6633 --size 24\n"
              "           qnfv switch emulate --scpi 127.0.0.1:5025 --restconf 127.0.0.1:8008");
  run->callback([x] { emulate(*x); });
}

} // namespace qnfv
