// What makes things go wrong, and where it may.

#include "actors/fault_injector/fault_injector.hpp"
#include "actors/fault_injector/faulty_channel.hpp"
#include "actors/fault_injector/faulty_vim.hpp"
#include "tools/qnfv/composer.hpp"

#include <algorithm>
#include <set>

namespace qnfv {

void composer::fault_injector_role() {
  fault_injector_config config;
  config.board = parts_.faults;
  config.orchestrator = lab_.orchestrator().site;
  for (auto& site : neighbours(lab_, site_.site))
    config.others[site] = at<fault_injector_actor>(site, "fault_injector");
  for (auto& link : lab_.links) {
    if (link.source != "qkd_emulator")
      continue;
    config.links[link.link] = link.bob_site;
    if (link.bob_site == site_.site)
      config.bobs[link.link] = here<qkd_device_actor>(device_role(link.bob));
  }
  for (auto& x : lab_.optical.switches) {
    if (x.driver != "switch_emulator" && !x.emulated)
      continue;
    config.switches[x.name] = x.site;
    if (x.site == site_.site)
      config.glass[x.name] = here<switch_driver_actor>("switch_emulator/" + x.name.value);
  }
  for (auto& other : lab_.sites)
    if (!other.vims.empty())
      config.data_centres.push_back(other.site);
  config.gates = parts_.all_gates;
  config.disconnect = [transport = parts_.transport,
                       node = here<node_actor>("node")](const site_id& site) {
    transport->drop(site);
    caf::anon_send(node, peer_lost{site, "connection broken (injected)"});
  };
  config.strike = parts_.strike;
  config.request_timeout_ms = lab_.limits.request_timeout_ms;
  add("fault_injector", fault_injector, config);
  out_.roles_for_peers.insert("fault_injector");
  out_.roles_for_operators.insert("fault_injector");
  faulty_channel_config channel;
  channel.inner = here<channel_actor>("channel");
  channel.board = parts_.faults;
  add("faulty_channel", faulty_channel, channel);
  if (site_.vims.empty())
    return;
  faulty_vim_config vim;
  vim.inner = here<vim_actor>("vim");
  vim.board = parts_.faults;
  add("faulty_vim", faulty_vim, vim);
}

channel_actor composer::the_channel() {
  return here<channel_actor>(parts_.faults ? "faulty_channel" : "channel");
}

vim_actor composer::the_vim() {
  return here<vim_actor>(parts_.faults ? "faulty_vim" : "vim");
}

fault_places places_of(const topology& lab) {
  fault_places out;
  std::set<std::string> ports;
  for (auto& fibre : lab.optical.fibres)
    for (auto* end : {&fibre.from, &fibre.to})
      if (end->port > 0)
        ports.insert(end->name + ":" + std::to_string(end->port));
  out.ports.assign(ports.begin(), ports.end());
  for (auto& site : lab.sites) {
    auto role = [&](const std::string& name) { out.roles.push_back(site.site.value + "/" + name); };
    out.sites.push_back(site.site.value);
    for (auto& other : neighbours(lab, site.site))
      if (site.site < other)
        out.edges.push_back(site.site.value + "<>" + other.value);
    role("key_pool");
    role("image_stream");
    if (lab.relays(site.site))
      role("trusted_node");
    for (auto& device : site.devices)
      role(device_role(device.device));
    if (!site.vims.empty()) {
      out.vims.push_back(site.site.value);
      role("mano_gateway");
      role("vnf_manager");
      role("vim");
    }
    if (site.orchestrator) {
      role("orchestrator");
      role("image_store");
      if (lab.time_shared()) {
        role("scheduler");
        role("sdn_controller");
      }
    }
    for (auto& link : lab.links) {
      if (link.bob_site == site.site)
        role(link_role(link.link));
      if (link.bob_site == site.site || link.alice_site == site.site)
        role(source_role(link.link));
    }
    for (auto& x : lab.optical.switches)
      if (x.site == site.site)
        role(switch_role(x.name));
  }
  for (auto& link : lab.links)
    out.links.push_back(link.link.value);
  return out;
}

} // namespace qnfv
