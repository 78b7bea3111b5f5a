// What an operator sees of the relays over trusted nodes.

#include "tools/face/json_out.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/operator_session.hpp"

#include <cstdio>

namespace qnfv {

namespace {

/// Every site that relays is asked over a connection of its own.
void show_relays(const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  std::vector<relay_status> all;
  std::vector<failure> silent;
  for (auto& site : network.sites) {
    if (!network.relays(site.site))
      continue;
    try {
      operator_session session{lab, network, site.site};
      all.push_back(session.ask<relay_status>(session.role<trusted_node_actor>("trusted_node"),
                                              relay_status_query{}));
    } catch (const command_error& x) {
      silent.push_back(x.why);
    }
  }
  if (all.empty() && !silent.empty())
    throw command_error{silent.front()};
  std::printf("%s\n", settings.json ? to_json(all).c_str()
                                    : render(all, face_settings_of(stdout)).c_str());
  for (auto& why : silent)
    std::fprintf(stderr, "qnfv: %s\n", why.text.c_str());
}

} // namespace

void add_relay_commands(CLI::App& app, command_settings& settings) {
  auto* relay = app.add_subcommand("relay", "Keys over trusted nodes");
  relay->require_subcommand(1);
  auto* status_command =
    relay->add_subcommand("status", "Virtual links: paths, who sees the keys, what they cost");
  status_command->footer("Example:  qnfv relay status");
  status_command->callback([&settings] { show_relays(settings); });
}

} // namespace qnfv
