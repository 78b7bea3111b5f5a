#include "tools/face/json_out.hpp"

#include "tools/face/json.hpp"
#include "tools/face/relays.hpp"

namespace qnfv {

namespace {

double mb_per_s(const order& x) {
  return x.stream_s > 0 ? static_cast<double>(x.size_bytes) / 1e6 / x.stream_s : 0;
}

void put(json& out, const image_record& x) {
  out.begin();
  out.field("image", x.image.value);
  out.field("kind", to_string(x.kind));
  out.field("size_bytes", x.size_bytes);
  out.field("digest", x.digest);
  out.end();
}

void put(json& out, const order& x) {
  out.begin();
  out.field("order", x.id.value);
  out.field("image", x.image.value);
  out.field("site", x.site.value);
  out.field("state", to_string(x.state));
  out.field("error", x.code == ec::none ? "" : to_string(x.code));
  out.field("reason", x.reason);
  out.field("transfer", to_string(x.transfer));
  out.field("key_id", x.key == key_id{} ? "" : to_string(x.key));
  out.field("size_bytes", x.size_bytes);
  out.field("sent_bytes", x.sent_bytes);
  out.field("digest", x.digest);
  out.field("site_digest", x.site_digest);
  out.field("vnf", x.vnf.value);
  out.field("stream_s", x.stream_s);
  out.field("total_s", x.total_s);
  out.field("mb_per_s", mb_per_s(x));
  out.field("trace", x.trace);
  out.end();
}

void put(json& out, const vnf_info& x) {
  out.begin();
  out.field("vnf", x.vnf.value);
  out.field("site", x.site.value);
  out.field("image", x.image.value);
  out.field("kind", to_string(x.kind));
  out.field("vim", x.vim);
  out.field("vim_image", x.vim_image);
  out.field("state", to_string(x.state));
  out.field("reason", x.reason);
  out.end();
}

void put(json& out, const link_status& x) {
  out.begin();
  out.field("link", x.link.value);
  out.field("bob_site", x.bob_site.value);
  out.field("alice_site", x.alice_site.value);
  out.field("length_km", x.length_km);
  out.field("state", to_string(x.state));
  out.field("session", uint64_t{x.session});
  out.field("attempts", uint64_t{x.attempts});
  out.field("phase", to_string(x.device.phase));
  out.field("qber", x.device.qber);
  out.field("loss_db", x.device.loss_db);
  out.field("secret_rate_bps", x.device.secret_rate_bps);
  out.field("initialisation_s", x.device.initialisation_s);
  out.field("keys", x.device.keys);
  out.field("failed_blocks", x.device.failed_blocks);
  out.field("reason", x.reason);
  out.end();
}

void put(json& out, const keys_status& x) {
  out.begin();
  out.field("site", x.site.value);
  out.key("pools");
  out.list(x.pools, [](json& to, const pool_status& p) {
    to.begin();
    to.field("link", p.link.value);
    to.field("peer", p.peer.value);
    to.field("end", to_string(p.end));
    to.field("ready", p.ready);
    to.field("stored", p.stored);
    to.field("reserved", p.reserved);
    to.field("assigned", p.assigned);
    to.field("consumed", p.consumed);
    to.field("destroyed", p.destroyed);
    to.field("ingested", p.ingested);
    to.field("demand_bits_per_s", p.demand_bits_per_s);
    to.field("refused", p.refused);
    to.field("mismatches", p.mismatches);
    to.field("kept", p.kept);
    to.field("ready_here", p.ready_here);
    to.field("weak_blocks", p.weak_blocks);
    to.field("session", uint64_t{p.session});
    to.field("trouble", p.trouble);
    to.key("exposed_to");
    to.list(p.exposed_to, [](json& in, const site_id& node) { in.text(node.value); });
    to.end();
  });
  out.end();
}

void put(json& out, const site_status& x) {
  out.begin();
  out.field("site", x.site.value);
  out.field("epoch", x.epoch);
  out.field("pid", uint64_t{x.pid});
  out.field("uptime_s", x.uptime_s);
  out.field("heartbeats", x.heartbeats);
  out.key("roles");
  out.list(x.roles, [](json& to, const role_status& r) {
    to.begin();
    to.field("role", r.role);
    to.flag("alive", r.alive);
    to.field("restarts", uint64_t{r.restarts});
    to.field("waiting", uint64_t{r.waiting});
    to.end();
  });
  out.key("peers");
  out.list(x.peers, [](json& to, const peer_status& p) {
    to.begin();
    to.field("site", p.site.value);
    to.flag("up", p.up);
    to.field("epoch", p.epoch);
    to.field("silent_s", p.silent_s);
    to.field("reason", p.reason);
    to.end();
  });
  out.end();
}

void put(json& out, const switch_status& x) {
  out.begin();
  out.field("switch", x.name.value);
  out.flag("reachable", x.reachable);
  out.field("model", x.model);
  out.field("size", uint64_t{x.size});
  out.key("joined");
  out.list(x.joined, [](json& to, const cross_connection& y) {
    to.begin();
    to.field("in", uint64_t{y.in});
    to.field("out", uint64_t{y.out});
    to.end();
  });
  for (auto [name, ports] : {std::pair{"dark", &x.dark}, std::pair{"failed", &x.failed}}) {
    out.key(name);
    out.list(*ports, [](json& to, port_number port) { to.number(port); });
  }
  out.field("commands", x.commands);
  out.field("mismatches", x.mismatches);
  out.field("ignored", x.ignored);
  out.field("trouble", x.trouble);
  out.end();
}

void put(json& out, const hosted_site& x) {
  out.begin();
  out.field("site", x.site.value);
  out.field("host", x.host);
  out.field("folder", x.folder);
  out.field("manager", x.manager);
  out.field("version", x.version);
  out.flag("running", x.running);
  out.field("done", x.done);
  out.field("error", x.error);
  out.end();
}

void put_names(json& out, const std::vector<site_id>& sites) {
  out.list(sites, [](json& to, const site_id& x) { to.text(x.value); });
}

void put(json& out, const virtual_link_status& x, const std::vector<relay_spending>& spent) {
  out.begin();
  out.field("link", x.link.value);
  out.field("origin", x.a.value);
  out.field("far_end", x.b.value);
  out.field("session", uint64_t{x.session});
  out.key("paths");
  out.list(x.paths, put_names);
  out.key("exposed_to");
  put_names(out, x.exposed_to);
  out.flag("each_sees_keys", x.each_sees_keys);
  out.field("stock_keys", x.stock);
  out.field("low_keys", x.keys_low);
  out.field("high_keys", x.keys_high);
  out.field("under_way", uint64_t{x.under_way});
  out.field("relays_done", x.relays_done);
  out.field("relays_failed", x.relays_failed);
  out.field("keys_relayed", x.keys_relayed);
  out.field("last_reason", x.last_reason);
  out.field("trouble", x.trouble);
  out.key("spent");
  out.list(spent, [](json& to, const relay_spending& y) {
    to.begin();
    to.field("hop", y.hop.value);
    to.field("keys", y.keys);
    to.end();
  });
  out.end();
}

template <class T>
std::string one(const T& x) {
  json out;
  put(out, x);
  return out.whole();
}

template <class T>
std::string many(const std::vector<T>& all) {
  json out;
  out.list(all, [](json& to, const T& x) { put(to, x); });
  return out.whole();
}

} // namespace

std::string to_json(const image_record& x) {
  return one(x);
}
std::string to_json(const image_list& x) {
  return many(x.images);
}
std::string to_json(const order& x) {
  return one(x);
}
std::string to_json(const order_list& x) {
  return many(x.orders);
}
std::string to_json(const vnf_info& x) {
  return one(x);
}
std::string to_json(const vnf_list& x) {
  return many(x.vnfs);
}
std::string to_json(const link_list& x) {
  return many(x.links);
}
std::string to_json(const std::vector<keys_status>& x) {
  return many(x);
}
std::string to_json(const std::vector<hosted_site>& x) {
  return many(x);
}
std::string to_json(const lab_report& x) {
  json out;
  out.begin();
  auto part = [&](const char* name, const auto& all) {
    out.key(name);
    out.list(all, [](json& to, const auto& y) { put(to, y); });
  };
  part("sites", x.sites);
  part("links", x.links);
  part("keys", x.keys);
  part("switches", x.switches);
  part("transfers", x.transfers);
  out.key("silent");
  out.list(x.silent, [](json& to, const std::string& why) { to.text(why); });
  out.end();
  return out.whole();
}
std::string to_json(const std::vector<relay_status>& all) {
  json out;
  out.list(virtual_links_of(all), [&](json& to, const virtual_link_status& x) {
    put(to, x, spent_for(x.link, all));
  });
  return out.whole();
}

} // namespace qnfv
