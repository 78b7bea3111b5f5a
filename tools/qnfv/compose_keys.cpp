#include "actors/key_pool/journal_store.hpp"
#include "actors/key_server/key_server.hpp"
#include "actors/link/link.hpp"
#include "actors/qkd_device/qkd_device.hpp"
#include "actors/trusted_node/trusted_node.hpp"
#include "drivers/registry.hpp"
#include "tools/qnfv/composer.hpp"

#include <algorithm>

namespace qnfv {

void composer::key_plane() {
  key_pool_config pool;
  pool.site = site_.site;
  pool.pool_keys_max = lab_.limits.pool_keys_max;
  pool.request_timeout_ms = lab_.limits.request_timeout_ms;
  pool.reconcile_s = lab_.limits.reconcile_s;
  auto links = lab_.links_of(site_.site);
  for (auto* link : links) {
    auto end = link->bob_site == site_.site ? link_end::bob : link_end::alice;
    auto peer = end == link_end::bob ? link->alice_site : link->bob_site;
    auto [issue, initial] = parts_.keys.link_secret(link->link);
    pool.links.push_back(
      {link->link, end, peer, at<key_pool_actor>(peer, "key_pool"), issue, initial});
  }
  for (auto* link : lab_.virtual_links_of(site_.site)) {
    auto end = link->a == site_.site ? link_end::bob : link_end::alice;
    auto peer = end == link_end::bob ? link->b : link->a;
    auto [issue, initial] = parts_.keys.link_secret(link->link);
    pool.links.push_back(
      {link->link, end, peer, at<key_pool_actor>(peer, "key_pool"), issue, initial});
  }
  pool.open_store = stores();
  add("key_pool", key_pool, pool);
  for (auto& device : site_.devices)
    device_roles(device.device);
  key_servers();
  out_.roles_for_peers.insert({"node", "key_pool"});
  out_.roles_for_operators.insert({"node", "key_pool"});
  if (lab_.relays(site_.site))
    trusted_node_role();
}

void composer::trusted_node_role() {
  trusted_node_config config;
  config.site = site_.site;
  config.key_pool = here<key_pool_actor>("key_pool");
  for (auto& link : lab_.virtual_links) {
    config.links.push_back({link.link, link.a, link.b});
    if (link.a == site_.site)
      config.supplies.push_back({config.links.back(), link.paths, link.keys_low, link.keys_high,
                                 link.keys_per_relay});
  }
  for (auto& link : lab_.links)
    config.hops.push_back({link.link, link.bob_site, link.alice_site});
  for (auto& other : lab_.sites) {
    if (!other.trusted_node)
      config.untrusted.insert(other.site);
    auto talks = lab_.link_between(site_.site, other.site)
                 || lab_.virtual_link_between(site_.site, other.site);
    if (talks && lab_.relays(other.site))
      config.others[other.site] = at<trusted_node_actor>(other.site, "trusted_node");
  }
  config.request_timeout_ms = lab_.limits.request_timeout_ms;
  add("trusted_node", trusted_node, config);
  out_.roles_for_peers.insert("trusted_node");
  out_.roles_for_operators.insert("trusted_node");
}

/// The journals of this site's links, under one seal and with one audit trail.
std::function<result<std::unique_ptr<key_store>>(const key_pool_config::link_setting&,
                                                 key_pool_config::on_actor)>
composer::stores() {
  // A pool that restarts finds the trail that its predecessor had open.
  auto trail = std::make_shared<std::shared_ptr<audit_trail>>();
  return [env = parts_.env, seal = parts_.keys.seal_key, segments = journal_segments(lab_.limits),
          watch = parts_.watch_store, trail](const key_pool_config::link_setting& link, key_pool_config::on_actor on_actor)
           -> result<std::unique_ptr<key_store>> {
    if (!*trail) {
      auto opened = audit_trail::open(env->storage, "audit");
      if (!opened)
        return opened.error();
      *trail = *opened;
    }
    journal_settings settings;
    settings.link = link.link;
    settings.end = link.end;
    settings.seal_key = seal;
    settings.segments = segments;
    auto store = open_journal_store(settings, {env->storage, env->random, env->clock, *trail,
                                               env->on_disk, std::move(on_actor)});
    if (!store || !watch)
      return store;
    return watch(link.link, link.end, std::move(*store));
  };
}

void composer::key_servers() {
  for (auto& x : site_.key_server.idq3p) {
    key_server_settings server;
    server.listen = x.listen;
    server.beyond_loopback = x.beyond_loopback;
    server.answer_damaged = x.answer_damaged;
    server.link = x.link;
    for (auto* link : lab_.links_of(site_.site))
      if (link->link == x.link)
        server.peer = link->bob_site == site_.site ? link->alice_site : link->bob_site;
    server.key_pool = here<key_pool_actor>("key_pool");
    auto start = idq3p_driver(parts_.system, parts_.env, server);
    if (!start) {
      problem_ = start.error();
      return;
    }
    add("idq3p/" + x.link.value + "@" + x.listen, *start);
  }
}

/// A device has a driver for each link that ends at it, and runs one at a time.
void composer::device_roles(const device_id& device) {
  qkd_device_config config;
  config.device = device;
  config.key_pool = here<key_pool_actor>("key_pool");
  config.request_timeout_ms = lab_.limits.request_timeout_ms;
  for (auto* link : lab_.links_of(site_.site)) {
    if (link->bob != device && link->alice != device)
      continue;
    source_role_of(*link);
    qkd_device_config::line line;
    line.link = link->link;
    line.bob_site = link->bob_site;
    line.source = here<qkd_source_actor>(source_role(link->link));
    if (link->bob == device) {
      line.link_actor_handle = here<link_actor>(link_role(link->link));
      link_role_of(*link);
    }
    config.lines.push_back(std::move(line));
  }
  if (config.lines.empty())
    return;
  add(device_role(device), qkd_device, config);
  out_.roles_for_peers.insert(device_role(device));
  out_.roles_for_operators.insert(device_role(device));
}

void composer::source_role_of(const link_config& link) {
  auto bob = link.bob_site == site_.site;
  qkd_source_settings source;
  source.driver = link.source;
  source.device = bob ? link.bob : link.alice;
  source.end = bob ? link_end::bob : link_end::alice;
  source.link = link.link;
  source.length_km = link.length_km;
  source.extra_loss_db = link.extra_loss_db;
  source.seed = parts_.emulation_seed;
  source.peer_site = bob ? link.alice_site : link.bob_site;
  source.peer = at<qkd_source_actor>(source.peer_site, source_role(link.link));
  source.owner = here<qkd_device_actor>(device_role(source.device));
  source.request_timeout_ms = lab_.limits.request_timeout_ms;
  if (bob)
    source.switches = emulated_switches_of(link);
  source.key_pool = here<key_pool_actor>("key_pool");
  source.pool_keys_max = lab_.limits.pool_keys_max;
  source.server = bob ? link.bob_server : link.alice_server;
  source.sae = bob ? link.bob_sae : link.alice_sae;
  source.other_sae = bob ? link.alice_sae : link.bob_sae;
  source.kme = bob ? link.bob_kme : link.alice_kme;
  source.certificates = link.kme_certificates;
  add_driver(source_role(link.link), qkd_source_driver(parts_.system, parts_.env, source));
  out_.roles_for_peers.insert(source_role(link.link));
}

void composer::link_role_of(const link_config& link) {
  link_actor_config pair;
  pair.link = link.link;
  pair.bob_device = link.bob;
  pair.alice_device = link.alice;
  pair.bob_site = link.bob_site;
  pair.alice_site = link.alice_site;
  pair.length_km = link.length_km;
  pair.bob = here<qkd_device_actor>(device_role(link.bob));
  pair.alice = at<qkd_device_actor>(link.alice_site, device_role(link.alice));
  pair.request_timeout_ms = lab_.limits.request_timeout_ms;
  if (link.switched) {
    auto& co = lab_.orchestrator().site;
    pair.controller = at<sdn_controller_actor>(co, "sdn_controller");
    pair.scheduler = at<scheduler_actor>(co, "scheduler");
    pair.scheduler_site = co;
    out_.roles_for_peers.insert(link_role(link.link));
    out_.roles_for_operators.insert(link_role(link.link));
  }
  add(link_role(link.link), link_pair, pair);
}
void composer::key_server_roles() {
  key_server_config config;
  config.site = site_.site;
  config.key_pool = here<key_pool_actor>("key_pool");
  config.request_timeout_ms = lab_.limits.request_timeout_ms;
  config.limits.keys_per_request_max = key_pool_config{}.keys_per_request_max;
  config.limits.key_size_bits_max = key_size_bits_max;
  config.limits.stored_keys_max = lab_.limits.pool_keys_max;
  for (auto& x : lab_.applications) {
    auto* link = lab_.link_between(site_.site, x.site);
    config.applications.push_back(
      {x.name, x.certificate, x.site, link ? link->link : link_id{}});
  }
  add("key_server", key_server, config);
  if (parts_.drivers.start_etsi014)
    add("etsi014", [start = parts_.drivers.start_etsi014,
                    server = here<key_server_actor>("key_server")] { return start(server); });
}

} // namespace qnfv
