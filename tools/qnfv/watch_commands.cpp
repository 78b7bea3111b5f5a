// What an operator looks at: functions and links.

#include "tools/face/json_out.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/operator_session.hpp"

#include <chrono>
#include <cstdio>
#include <memory>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

template <class T>
void print(const T& x, const command_settings& settings) {
  std::printf("%s\n", settings.json ? to_json(x).c_str()
                                    : render(x, face_settings_of(stdout)).c_str());
}

void show_vnfs(const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  operator_session session{lab, value_or_throw(load_topology(lab.topology()))};
  auto all = session.ask<vnf_list>(session.orchestrator(), list_vnfs{});
  print(all, settings);
  std::string silent;
  for (auto& site : all.silent)
    silent += (silent.empty() ? "" : ", ") + site.value;
  if (!silent.empty())
    throw command_error{{ec::site_unreachable, silent + ": no answer; what runs there is not known"}};
}

void stop(const std::string& vnf, const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  operator_session session{lab, value_or_throw(load_topology(lab.topology()))};
  auto x = session.ask<vnf_info>(session.orchestrator(), stop_vnf{vnf_id{vnf}}, 60s);
  if (settings.json)
    std::printf("%s\n", to_json(x).c_str());
  else
    std::printf("%s at %s is %s\n", x.vnf.value.c_str(), x.site.value.c_str(),
                to_string(x.state).c_str());
}

void show_links(const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  operator_session session{lab, value_or_throw(load_topology(lab.topology()))};
  print(session.ask<link_list>(session.orchestrator(), links_query{}), settings);
}

} // namespace

void add_vnf_commands(CLI::App& app, command_settings& settings) {
  auto vnf = std::make_shared<std::string>();
  auto* command = app.add_subcommand("vnf", "Virtual network functions at the data centres");
  command->require_subcommand(1);
  auto* list_command = command->add_subcommand("list", "What runs, and where");
  list_command->footer("Example:  qnfv vnf list");
  list_command->callback([&settings] { show_vnfs(settings); });
  auto* stop_command = command->add_subcommand("stop", "Stop a function and remove its image from the VIM");
  stop_command->add_option("vnf", *vnf, "Name as in vnf list")->required();
  stop_command->footer("Example:  qnfv vnf stop firewall-3");
  stop_command->callback([vnf, &settings] { stop(*vnf, settings); });
}

void add_link_commands(CLI::App& app, command_settings& settings) {
  auto* links = app.add_subcommand("links", "QKD links: state, QBER, rate");
  links->footer("Example:  qnfv links");
  links->callback([&settings] { show_links(settings); });
}

} // namespace qnfv
