#include "tools/qnfv/compose.hpp"

#include "actors/image_store/image_store.hpp"
#include "actors/image_stream/image_stream.hpp"
#include "actors/key_pool/journal_store.hpp"
#include "actors/key_pool/key_pool.hpp"
#include "actors/key_server/key_server.hpp"
#include "actors/link/link.hpp"
#include "actors/mano_gateway/mano_gateway.hpp"
#include "actors/orchestrator/orchestrator.hpp"
#include "actors/qkd_device/qkd_device.hpp"
#include "actors/trusted_node/trusted_node.hpp"
#include "actors/vim/vim.hpp"
#include "actors/vnf_manager/vnf_manager.hpp"
#include "drivers/registry.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono;

std::string device_role(const device_id& device) {
  return "qkd_device/" + device.value;
}

std::string source_role(const device_id& device) {
  return "source/" + device.value;
}

std::string link_role(const link_id& link) {
  return "link/" + link.value;
}

/// Collects the roles of one site.
class composer {
public:
  composer(const topology& lab, const site_config& site, site_parts parts)
    : lab_(lab), site_(site), parts_(std::move(parts)) {}

  result<node_config> compose() {
    out_.site = site_.site;
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
    key_plane();
    if (!problem_.text.empty())
      return problem_;
    if (site_.key_server.etsi014)
      key_server_roles();
    image_stream_config stream;
    stream.key_pool = here<key_pool_actor>("key_pool");
    stream.channel = here<channel_actor>("channel");
    stream.orchestrator = lab_.orchestrator().site;
    stream.segment_log2 = static_cast<uint8_t>(lab_.limits.segment_log2);
    stream.segments_in_flight = lab_.limits.segments_in_flight;
    stream.transfers_max = lab_.limits.transfers_max;
    stream.channel_idle_ms = lab_.limits.channel_idle_ms;
    stream.request_timeout_ms = lab_.limits.request_timeout_ms;
    add("image_stream", image_stream, stream);
    if (!site_.vims.empty())
      data_centre_roles();
    if (site_.orchestrator)
      orchestrator_roles();
    if (!problem_.text.empty())
      return problem_;
    return std::move(out_);
  }

private:
  template <class Handle>
  Handle here(const std::string& role) {
    return parts_.all_gates->to<Handle>(site_.site, role);
  }

  template <class Handle>
  Handle at(const site_id& site, const std::string& role) {
    return parts_.all_gates->to<Handle>(site, role);
  }

  void add(std::string role, std::function<caf::strong_actor_ptr()> start) {
    out_.roles.push_back({std::move(role), std::move(start)});
  }

  template <class F, class Config>
  void add(std::string role, F behaviour, Config config) {
    auto& system = parts_.system;
    auto env = parts_.env;
    add(std::move(role), [&system, env, behaviour, config] {
      return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(system, env, behaviour, config));
    });
  }

  void key_plane() {
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
    for (auto* link : links)
      devices(*link);
    key_servers();
    out_.roles_for_peers.insert({"node", "key_pool"});
    out_.roles_for_operators.insert({"node", "key_pool"});
    if (lab_.relays(site_.site))
      trusted_node_role();
  }

  void trusted_node_role() {
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
  stores() {
    // A pool that restarts finds the trail that its predecessor had open.
    auto trail = std::make_shared<std::shared_ptr<audit_trail>>();
    return [env = parts_.env, seal = parts_.keys.seal_key, segments = journal_segments(lab_.limits),
            trail](const key_pool_config::link_setting& link, key_pool_config::on_actor on_actor)
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
      return open_journal_store(settings, {env->storage, env->random, env->clock, *trail,
                                           env->on_disk, std::move(on_actor)});
    };
  }

  void key_servers() {
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

  void devices(const link_config& link) {
    auto end = link.bob_site == site_.site ? link_end::bob : link_end::alice;
    auto device = end == link_end::bob ? link.bob : link.alice;
    auto peer = end == link_end::bob ? link.alice : link.bob;
    auto peer_site = end == link_end::bob ? link.alice_site : link.bob_site;
    for (auto& known : out_.roles)
      if (known.role == device_role(device)) {
        problem_ = {ec::bad_config, "device " + device.value
                                      + " is in two links: a shared Bob needs the scheduler"};
        return;
      }
    qkd_source_settings source;
    source.driver = link.source;
    source.device = device;
    source.end = end;
    source.link = link.link;
    source.length_km = link.length_km;
    source.extra_loss_db = link.extra_loss_db;
    source.seed = parts_.emulation_seed;
    source.peer_site = peer_site;
    source.peer = at<qkd_source_actor>(peer_site, source_role(peer));
    source.owner = here<qkd_device_actor>(device_role(device));
    source.request_timeout_ms = lab_.limits.request_timeout_ms;
    auto bob = end == link_end::bob;
    source.key_pool = here<key_pool_actor>("key_pool");
    source.pool_keys_max = lab_.limits.pool_keys_max;
    source.server = bob ? link.bob_server : link.alice_server;
    source.sae = bob ? link.bob_sae : link.alice_sae;
    source.other_sae = bob ? link.alice_sae : link.bob_sae;
    source.kme = bob ? link.bob_kme : link.alice_kme;
    source.certificates = link.kme_certificates;
    auto start = qkd_source_driver(parts_.system, parts_.env, source);
    if (!start) {
      problem_ = start.error();
      return;
    }
    add(source_role(device), *start);
    qkd_device_config config;
    config.device = device;
    config.link = link.link;
    config.bob_site = link.bob_site;
    config.source = here<qkd_source_actor>(source_role(device));
    config.key_pool = here<key_pool_actor>("key_pool");
    if (end == link_end::bob)
      config.link_actor_handle = here<link_actor>(link_role(link.link));
    config.request_timeout_ms = lab_.limits.request_timeout_ms;
    add(device_role(device), qkd_device, config);
    out_.roles_for_peers.insert({device_role(device), source_role(device)});
    out_.roles_for_operators.insert(device_role(device));
    if (end != link_end::bob)
      return;
    link_actor_config pair;
    pair.link = link.link;
    pair.bob_site = link.bob_site;
    pair.alice_site = link.alice_site;
    pair.length_km = link.length_km;
    pair.bob = here<qkd_device_actor>(device_role(link.bob));
    pair.alice = at<qkd_device_actor>(link.alice_site, device_role(link.alice));
    pair.request_timeout_ms = lab_.limits.request_timeout_ms;
    add(link_role(link.link), link_pair, pair);
  }

  void key_server_roles() {
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

  void data_centre_roles() {
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
    manager.vim = here<vim_actor>("vim");
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

  void orchestrator_roles() {
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

  const topology& lab_;
  const site_config& site_;
  site_parts parts_;
  node_config out_;
  failure problem_;
};

} // namespace

uint32_t journal_segments(const limits_config& limits) {
  return 2 * (limits.pool_keys_max / journal_settings{}.segment_slots + 1) + 2;
}

std::vector<site_id> neighbours(const topology& lab, const site_id& site) {
  std::vector<site_id> out;
  auto& co = lab.orchestrator().site;
  for (auto& other : lab.sites) {
    if (other.site == site)
      continue;
    bool linked = !lab.key_link_between(site, other.site).empty();
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
