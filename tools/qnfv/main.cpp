#include "tools/qnfv/commands.hpp"

#include "runtime/messages/message.hpp"

#include <cstdio>
#include <exception>

namespace {

/// "qnfv image push", as far as it was understood.
std::string command_in(const CLI::App& app) {
  auto out = app.get_name();
  auto chosen = app.get_subcommands();
  return chosen.empty() ? out : out + " " + command_in(*chosen.front());
}

} // namespace

int main(int argc, char** argv) {
  using namespace qnfv;
  CLI::App app{"qnfv: quantum-secured distribution of virtual network functions"};
  app.name("qnfv");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", "qnfv " QNFV_VERSION);
  app.footer("Start here:  qnfv lab up config/topologies/two-site.json");
  command_settings settings;
  app.add_option("--lab", settings.lab, "Folder of the lab (default: $QNFV_LAB, else the lab started last)");
  app.add_flag("--json", settings.json, "Print the result as one JSON value");
  add_lab_commands(app, settings);
  add_deploy_commands(app, settings);
  add_image_commands(app, settings);
  add_order_commands(app, settings);
  add_vnf_commands(app, settings);
  add_key_commands(app, settings);
  add_link_commands(app, settings);
  add_relay_commands(app, settings);
  add_switch_commands(app, settings);
  add_schedule_commands(app, settings);
  add_trace_commands(app, settings);
  add_fault_commands(app, settings);
  add_sim_command(app, settings);
  add_figures_command(app, settings);
  add_bench_commands(app, settings);
  add_pki_commands(app, settings);
  add_node_command(app, settings);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& why) {
    if (why.get_exit_code() == 0) // Help and version.
      return app.exit(why);
    auto extra = app.remaining(true);
    std::fprintf(stderr, "qnfv: %s; see %s --help\n",
                 why.get_name() == "RequiredError" && !extra.empty() ? ("there is no " + extra.front()).c_str() : why.what(),
                 command_in(app).c_str());
    return 2;
  } catch (const command_error& x) {
    std::fflush(stdout);
    std::fprintf(stderr, "qnfv: %s\n", x.why.text.empty() ? to_string(x.why.code).c_str()
                                                          : x.why.text.c_str());
    return 1;
  } catch (const std::exception& why) {
    std::fprintf(stderr, "qnfv: %s\n", why.what());
    return 1;
  }
}
