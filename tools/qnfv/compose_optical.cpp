#include "actors/optical_switch/optical_switch.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "actors/sdn_controller/sdn_controller.hpp"
#include "drivers/openflow/codec.hpp"
#include "drivers/qkd_emulator/physics.hpp"
#include "drivers/registry.hpp"
#include "tools/qnfv/composer.hpp"
#include "tools/qnfv/key_files.hpp"

#include <algorithm>

namespace qnfv {

namespace {

fibre fibre_of(const fibre_config& x) {
  fibre out;
  out.length_km = x.length_km;
  auto port = [](const fibre_end& end) { return switch_port{switch_id{end.name}, end.port}; };
  if (x.from.port == 0 || x.to.port == 0) {
    auto& end = x.from.port == 0 ? x.from : x.to;
    out.end = end.name;
    out.port = port(x.from.port == 0 ? x.to : x.from);
  } else {
    out.port = port(x.from);
    out.far = port(x.to);
  }
  return out;
}

std::vector<fibre> fibres_of(const optical_plane& x) {
  std::vector<fibre> out;
  for (auto& each : x.fibres)
    out.push_back(fibre_of(each));
  return out;
}

} // namespace

/// Emulated light goes the shortest way only.
std::vector<path_hop> composer::way_of(const link_config& link) {
  std::map<switch_id, uint16_t> sizes;
  for (auto& at : lab_.optical.switches)
    sizes[at.name] = at.size;
  auto graph = fibre_graph::make(sizes, fibres_of(lab_.optical));
  if (!graph) {
    problem_ = graph.error();
    return {};
  }
  auto way = graph->find(link.bob.value, link.alice.value,
                         [](const switch_port&) { return port_use::good; });
  return way ? way->hops : std::vector<path_hop>{};
}

std::vector<crossing_link> composer::links_across(const switch_config& x) {
  std::vector<crossing_link> out;
  for (auto& link : lab_.links) {
    if (!link.switched || link.source != "qkd_emulator")
      continue;
    crossing_link crossing;
    for (auto& hop : way_of(link))
      if (hop.name == x.name)
        crossing.ports.push_back(hop.ports);
    if (crossing.ports.empty())
      continue;
    crossing.link = link.link;
    crossing.bob = at<qkd_source_actor>(link.bob_site, source_role(link.link));
    out.push_back(std::move(crossing));
  }
  return out;
}

std::map<switch_id, site_id> composer::emulated_switches_of(const link_config& link) {
  std::map<switch_id, site_id> out;
  if (link.switched)
    for (auto& hop : way_of(link))
      if (auto* x = lab_.optical.find(hop.name); x && x->emulated)
        out[x->name] = x->site;
  return out;
}

void composer::switch_roles(const switch_config& x) {
  auto role = switch_role(x.name);
  switch_driver_settings driver;
  driver.driver = x.driver;
  driver.name = x.name;
  driver.size = x.size;
  driver.owner = here<optical_switch_actor>(role);
  driver.request_timeout_ms = lab_.limits.request_timeout_ms;
  driver.address = x.address;
  if (auto datapath = parse_datapath(x.dpid))
    driver.datapath = *datapath;
  driver.plain = x.ca.empty();
  driver.ca = x.ca;
  driver.certificate_name = x.certificate_name;
  driver.user = x.user;
  if (!x.password_file.empty()) {
    auto password = load_password(x.password_file);
    if (!password) {
      problem_ = password.error();
      return;
    }
    driver.password = *password;
  }
  if (x.driver == "switch_emulator")
    driver.links = links_across(x);
  auto driver_role = x.driver + "/" + x.name.value;
  if (!add_driver(driver_role, switch_driver(parts_.system, parts_.env, driver)))
    return;
  if (x.emulated && x.driver != "switch_emulator") {
    emulated_switch_settings glass;
    glass.name = x.name;
    glass.size = x.size;
    glass.links = links_across(x);
    if (x.driver == "switch_openflow") {
      glass.servers.openflow = x.address;
      glass.servers.datapath = driver.datapath;
    } else if (x.driver == "switch_scpi") {
      glass.servers.scpi = x.address;
    } else {
      glass.servers.restconf = x.address;
      glass.servers.user = x.user;
      glass.servers.password = driver.password;
    }
    auto glass_role = "switch_emulator/" + x.name.value;
    if (!add_driver(glass_role, emulated_switch(parts_.system, parts_.env, glass)))
      return;
    out_.roles_for_operators.insert(glass_role);
  }
  optical_switch_config config;
  config.name = x.name;
  config.size = x.size;
  config.controller_site = lab_.orchestrator().site;
  config.driver = here<switch_driver_actor>(driver_role);
  config.controller = at<sdn_controller_actor>(lab_.orchestrator().site, "sdn_controller");
  config.request_timeout_ms = lab_.limits.request_timeout_ms;
  add(role, optical_switch, config);
  out_.roles_for_peers.insert(role);
  out_.roles_for_operators.insert(role);
}

void composer::controller_role() {
  sdn_controller_config config;
  config.site = site_.site;
  for (auto& x : lab_.optical.switches)
    config.switches.push_back(
      {x.name, x.site, at<optical_switch_actor>(x.site, switch_role(x.name)), x.size});
  config.fibres = fibres_of(lab_.optical);
  for (auto& link : lab_.links)
    if (link.switched) {
      config.owners[link.link.value] = at<link_actor>(link.bob_site, link_role(link.link));
      config.allowed.insert(link.bob_site);
    }
  config.request_timeout_ms = 10 * lab_.limits.request_timeout_ms;
  add("sdn_controller", sdn_controller, config);
  if (parts_.drivers.start_northbound)
    add("northbound", [start = parts_.drivers.start_northbound,
                       controller = here<sdn_controller_actor>("sdn_controller")] {
      return start(controller);
    });
  out_.roles_for_peers.insert("sdn_controller");
  out_.roles_for_operators.insert("sdn_controller");
}

void composer::scheduler_role() {
  scheduler_config config;
  config.policy = lab_.schedule.policy;
  config.tick_s = lab_.schedule.tick_s;
  config.request_timeout_ms = lab_.limits.request_timeout_ms;
  for (auto& link : lab_.links) {
    if (!link.switched)
      continue;
    scheduled_link_config x;
    x.link = link.link;
    x.bob = link.bob;
    x.bob_site = link.bob_site;
    x.alice_site = link.alice_site;
    x.link_actor_handle = at<link_actor>(link.bob_site, link_role(link.link));
    x.bob_pool = at<key_pool_actor>(link.bob_site, "key_pool");
    x.alice_pool = at<key_pool_actor>(link.alice_site, "key_pool");
    // What devices of this kind do on such a line, until they have shown it.
    auto figures = figures_of(link.length_km, link.extra_loss_db, line_conditions{}, qkd_parameters{});
    x.rate_guess_bps = figures.secret_bps;
    x.initialisation_guess_s = figures.initialisation_s;
    config.links.push_back(std::move(x));
  }
  add("scheduler", scheduler, config);
  out_.roles_for_peers.insert("scheduler");
  out_.roles_for_operators.insert("scheduler");
}

void composer::optical_roles() {
  for (auto& x : lab_.optical.switches)
    if (x.site == site_.site && problem_.text.empty())
      switch_roles(x);
  if (site_.orchestrator && !lab_.optical.switches.empty())
    controller_role();
  if (site_.orchestrator && lab_.time_shared())
    scheduler_role();
}

} // namespace qnfv
