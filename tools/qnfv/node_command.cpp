#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/site_process.hpp"
#include "tools/qnfv/site_supervisor.hpp"

#include <cstdio>
#include <memory>

namespace qnfv {

void add_node_command(CLI::App& app, command_settings&) {
  struct choice {
    std::string site;
    std::string topology;
    std::string supervisor_pid_file;
    site_process_settings settings;
  };
  auto x = std::make_shared<choice>();
  auto* node = app.add_subcommand("node", "Run one site of a topology on this host");
  node->add_option("topology", x->topology, "Topology file")->required();
  node->add_option("--site", x->site, "Which site")->required();
  node->add_option("--state", x->settings.state, "Folder of everything durable")->required();
  node->add_option("--pki", x->settings.pki,
                   "Folder with ca.pem, SITE.pem and SITE.key; without it only loopback is served");
  node->add_option("--emulator-seed", x->settings.emulator_seed,
                   "0400 file from which the emulated QKD devices derive their keys");
  node->add_option("--seal-key", x->settings.seal_key,
                   "0400 file that seals the key journals (default: STATE/seal.key, made once)");
  node->add_option("--link-secrets", x->settings.link_secrets,
                   "Folder with BOB-ALICE.secret, the initial authentication secret of each link");
  node->add_option("--pid-file", x->settings.pid_file, "Locked while the site runs");
  node->add_flag("--allow-faults", x->settings.allow_faults,
                 "Operators may inject faults (qnfv fault add). Never where it matters");
  node->add_flag("--supervised", x->settings.supervised, "Whoever starts it starts it again");
  node->add_option("--trace-file", x->settings.trace_file, "Message trace as JSON lines");
  node->add_option("--supervise", x->supervisor_pid_file,
                   "Start the site again whenever it crashes, later each time; this file is locked meanwhile");
  node->footer("Example:  qnfv node --site dc1 --state /var/lib/qnfv --pki /etc/qnfv/pki topology.json");
  node->callback([x] {
    x->settings.lab = value_or_throw(load_topology(x->topology));
    x->settings.site = site_id{x->site};
    if (x->supervisor_pid_file.empty())
      return done_or_throw(run_site(x->settings));
    done_or_throw(supervise(x->supervisor_pid_file, [x] {
      auto ended = run_site(x->settings);
      if (!ended)
        std::fprintf(stderr, "qnfv: %s\n", ended.error().text.c_str());
      return ended ? 0 : 1;
    }));
  });
}

} // namespace qnfv
