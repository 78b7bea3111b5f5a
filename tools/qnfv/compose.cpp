#include "tools/qnfv/compose.hpp"

#include "actors/image_store/image_store.hpp"
#include "actors/image_stream/image_stream.hpp"
#include "actors/key_pool/journal_store.hpp"
#include "actors/mano_gateway/mano_gateway.hpp"
#include "actors/orchestrator/orchestrator.hpp"
#include "actors/vim/vim.hpp"
#include "actors/vnf_manager/vnf_manager.hpp"
#include "drivers/registry.hpp"
#include "tools/qnfv/composer.hpp"

#include <algorithm>

namespace qnfv {

using namespace std::chrono;

result<node_config> composer::compose() {
  out_.site = site_.site;
  out_.epoch = parts_.epoch;
  out_.topology = lab_.digest;
  out_.peers = neighbours(lab_, site_.site);
  out_.gates = parts_.all_gates;
  out_.transport = parts_.transport;
  out_.on_shutdown = parts_.on_shutdown;
  out_.heartbeat_ms = lab_.limits.heartbeat_ms;
  out_.heartbeats_missed = lab_.limits.heartbeats_missed;
  out_.restarts.restarts_max = lab_.limits.restarts_max;
  out_.restarts.window = seconds{lab_.limits.restart_window_s};
  // The later site of the topology calls the earlier one: a data centre joins the orchestrator.
  for (auto& other : lab_.sites) {
    if (other.site == site_.site)
      break;
    if (std::count(out_.peers.begin(), out_.peers.end(), other.site) > 0)
      out_.dials.insert(other.site);
  }
  add("channel", parts_.drivers.start_channel);
  if (parts_.faults)
    fault_injector_role();
  key_plane();
  if (!problem_.text.empty())
    return problem_;
  optical_roles();
  if (!problem_.text.empty())
    return problem_;
  if (site_.key_server.etsi014)
    key_server_roles();
  image_stream_role();
  if (!site_.vims.empty())
    data_centre_roles();
  if (site_.orchestrator)
    orchestrator_roles();
  if (!site_.metrics_listen.empty() && parts_.drivers.start_prometheus)
    prometheus_role();
  if (!problem_.text.empty())
    return problem_;
  return std::move(out_);
}

void composer::image_stream_role() {
  image_stream_config stream;
  stream.key_pool = here<key_pool_actor>("key_pool");
  stream.channel = the_channel();
  stream.orchestrator = lab_.orchestrator().site;
  stream.segment_log2 = static_cast<uint8_t>(lab_.limits.segment_log2);
  stream.segments_in_flight = lab_.limits.segments_in_flight;
  stream.transfers_max = lab_.limits.transfers_max;
  stream.channel_idle_ms = lab_.limits.channel_idle_ms;
  stream.request_timeout_ms = lab_.limits.request_timeout_ms;
  add("image_stream", image_stream, stream);
}

void composer::data_centre_roles() {
  vim_actor_config vims;
  for (auto& x : site_.vims) {
    auto kind = parse_image_kind(x.kind);
    auto start = vim_driver(parts_.system, parts_.env, x.driver, x.socket);
    if (!kind || !start) {
      problem_ = kind ? start.error() : failure{ec::bad_config, "no image kind " + x.kind};
      return;
    }
    auto role = x.driver;
    if (std::none_of(out_.roles.begin(), out_.roles.end(),
                     [&](auto& known) { return known.role == role; }))
      add(role, *start);
    vims.drivers[*kind] = here<vim_actor>(role);
  }
  add("vim", vim, vims);
  vnf_manager_config manager;
  manager.vim = the_vim();
  manager.site = site_.site;
  manager.request_timeout_ms = lab_.limits.request_timeout_ms;
  add("vnf_manager", vnf_manager, manager);
  mano_gateway_config gateway;
  gateway.orchestrator = lab_.orchestrator().site;
  gateway.stream = here<image_stream_actor>("image_stream");
  gateway.vnf_manager = here<vnf_manager_actor>("vnf_manager");
  for (auto* link : lab_.links_of(site_.site))
    gateway.links.insert(link->link);
  for (auto* link : lab_.virtual_links_of(site_.site))
    gateway.links.insert(link->link);
  gateway.transfers_max = lab_.limits.transfers_max;
  gateway.request_timeout_ms = lab_.limits.request_timeout_ms;
  gateway.offer_timeout_ms = lab_.limits.offer_timeout_ms * 8 / 10;
  gateway.install_timeout_s = lab_.limits.install_timeout_s * 9 / 10;
  add("mano_gateway", mano_gateway, gateway);
  out_.roles_for_peers.insert("mano_gateway");
}

void composer::orchestrator_roles() {
  add("store", parts_.drivers.start_store);
  image_store_config images;
  images.store = here<store_actor>("store");
  images.request_timeout_ms = lab_.limits.request_timeout_ms;
  add("image_store", image_store, images);
  orchestrator_config config;
  config.images = here<image_store_actor>("image_store");
  config.stream = here<image_stream_actor>("image_stream");
  config.store = here<store_actor>("store");
  for (auto& other : lab_.sites) {
    auto link = lab_.key_link_between(site_.site, other.site);
    if (other.vims.empty() || link.empty())
      continue;
    config.data_centres.push_back({other.site, at<mano_gateway_actor>(other.site, "mano_gateway"),
                                   parts_.drivers.data_address(other), link});
  }
  for (auto* link : lab_.links_of(site_.site))
    if (link->bob_site == site_.site)
      config.links.push_back(here<link_actor>(link_role(link->link)));
  auto& limits = lab_.limits;
  config.orders_max = limits.orders_max;
  config.request_timeout_ms = limits.request_timeout_ms;
  config.offer_timeout_ms = limits.offer_timeout_ms;
  config.install_timeout_s = limits.install_timeout_s;
  config.key_wait_s = limits.key_wait_s;
  config.key_retry_ms = limits.key_retry_ms;
  add("orchestrator", orchestrator, config);
  out_.roles_for_operators.insert({"orchestrator", "image_store"});
}

void composer::prometheus_role() {
  prometheus_config config;
  config.node = here<node_actor>("node");
  config.key_pool = here<key_pool_actor>("key_pool");
  for (auto* link : lab_.links_of(site_.site))
    if (link->bob_site == site_.site)
      config.links.push_back(here<link_actor>(link_role(link->link)));
  if (site_.orchestrator)
    config.orchestrator = here<orchestrator_actor>("orchestrator");
  config.request_timeout_ms = lab_.limits.request_timeout_ms;
  add("prometheus", [start = parts_.drivers.start_prometheus, config] { return start(config); });
}

uint32_t journal_segments(const limits_config& limits) {
  // Up to three quarters of a pool may be one end's keys, unused, out of every fourth block: they lie
  // spread over four times their number. The rest is for the authentication reserve and what is new.
  return 4 * (limits.pool_keys_max / journal_settings{}.segment_slots + 1) + 6;
}

/// True if an emulated switch at one site tells a Bob at the other of his light.
static bool lit_between(const topology& lab, const site_id& a, const site_id& b) {
  for (auto& at : lab.optical.switches)
    for (auto& link : lab.links)
      if (at.emulated && link.switched
          && ((at.site == a && link.bob_site == b) || (at.site == b && link.bob_site == a)))
        return true;
  return false;
}

std::vector<site_id> neighbours(const topology& lab, const site_id& site) {
  std::vector<site_id> out;
  auto& co = lab.orchestrator().site;
  for (auto& other : lab.sites) {
    if (other.site == site)
      continue;
    bool linked = !lab.key_link_between(site, other.site).empty() || lit_between(lab, site, other.site);
    if (linked || site == co || other.site == co)
      out.push_back(other.site);
  }
  return out;
}

result<node_config> compose_site(const topology& lab, const site_id& site, site_parts parts) {
  auto* config = lab.site(site);
  if (!config)
    return {ec::unknown_site, "no site " + site.value + " in topology " + lab.name};
  return composer{lab, *config, std::move(parts)}.compose();
}

} // namespace qnfv
