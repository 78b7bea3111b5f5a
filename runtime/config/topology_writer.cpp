#include "runtime/config/limits.hpp"
#include "runtime/config/optical_plane.hpp"
#include "runtime/config/topology.hpp"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

namespace qnfv {

namespace {

using json_writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

void write_deploy(json_writer& out, const deploy_config& x) {
  if (!x.given())
    return;
  out.Key("deploy");
  out.StartObject();
  for (auto [key, value] : {std::pair{"ssh", &x.ssh}, std::pair{"identity_file", &x.identity_file},
                            std::pair{"known_hosts_file", &x.known_hosts_file},
                            std::pair{"folder", &x.folder}})
    if (!value->empty()) {
      out.Key(key);
      out.String(value->c_str());
    }
  if (x.port != 0) {
    out.Key("port");
    out.Uint(x.port);
  }
  out.EndObject();
}

void write_optical(json_writer& out, const optical_plane& x) {
  auto field = [&](const char* key, const std::string& value) {
    out.Key(key);
    out.String(value.c_str());
  };
  out.Key("optical");
  out.StartObject();
  out.Key("switches");
  out.StartArray();
  for (auto& at : x.switches) {
    out.StartObject();
    field("name", at.name.value);
    field("site", at.site.value);
    out.Key("size");
    out.Uint(at.size);
    field("driver", at.driver);
    for (auto [key, value] : {std::pair{"address", &at.address}, std::pair{"dpid", &at.dpid},
                              std::pair{"user", &at.user},
                              std::pair{"password_file", &at.password_file},
                              std::pair{"ca", &at.ca},
                              std::pair{"certificate_name", &at.certificate_name}})
      if (!value->empty())
        field(key, *value);
    out.Key("emulated");
    out.Bool(at.emulated);
    out.EndObject();
  }
  out.EndArray();
  out.Key("fibres");
  out.StartArray();
  for (auto& fibre : x.fibres) {
    out.StartObject();
    field("from", to_string(fibre.from));
    field("to", to_string(fibre.to));
    out.Key("length_km");
    out.Double(fibre.length_km);
    out.EndObject();
  }
  out.EndArray();
  if (x.northbound) {
    out.Key("northbound");
    out.StartObject();
    field("listen", x.northbound->listen);
    field("user", x.northbound->user);
    field("password_file", x.northbound->password_file);
    out.EndObject();
  }
  out.EndObject();
}

} // namespace

std::string topology_to_json(const topology& x) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.SetIndent(' ', 2);
  auto field = [&](const char* key, const std::string& value) {
    out.Key(key);
    out.String(value.c_str());
  };
  auto whole = [&](const char* key, uint32_t value) {
    out.Key(key);
    out.Uint(value);
  };
  auto real = [&](const char* key, double value) {
    out.Key(key);
    out.Double(value);
  };
  out.StartObject();
  field("name", x.name);
  real("time_scale", x.time_scale);
  out.Key("production");
  out.Bool(x.production);
  out.Key("sites");
  out.StartArray();
  for (auto& site : x.sites) {
    out.StartObject();
    field("name", site.site.value);
    field("listen", site.listen);
    field("data_listen", site.data_listen);
    out.Key("orchestrator");
    out.Bool(site.orchestrator);
    out.Key("trusted_node");
    out.Bool(site.trusted_node);
    out.Key("devices");
    out.StartArray();
    for (auto& device : site.devices) {
      out.StartObject();
      field("name", device.device.value);
      field("kind", to_string(device.kind));
      out.EndObject();
    }
    out.EndArray();
    out.Key("vims");
    out.StartArray();
    for (auto& vim : site.vims) {
      out.StartObject();
      field("kind", vim.kind);
      field("driver", vim.driver);
      field("socket", vim.socket);
      out.EndObject();
    }
    out.EndArray();
    if (!site.metrics_listen.empty()) {
      out.Key("metrics");
      out.StartObject();
      field("listen", site.metrics_listen);
      out.EndObject();
    }
    out.Key("key_server");
    out.StartObject();
    if (auto& service = site.key_server.etsi014) {
      out.Key("etsi014");
      out.StartObject();
      field("listen", service->listen);
      field("identity", service->identity);
      out.Key("compat");
      out.StartObject();
      field("post_without_body", service->post_without_body);
      out.Key("unknown_key_status");
      out.Uint(service->unknown_key_status);
      out.EndObject();
      out.EndObject();
    }
    out.Key("idq3p");
    out.StartArray();
    for (auto& server : site.key_server.idq3p) {
      out.StartObject();
      field("link", server.link.value);
      field("listen", server.listen);
      out.Key("beyond_loopback");
      out.Bool(server.beyond_loopback);
      out.Key("answer_damaged");
      out.Bool(server.answer_damaged);
      out.EndObject();
    }
    out.EndArray();
    out.EndObject();
    write_deploy(out, site.deploy);
    out.EndObject();
  }
  out.EndArray();
  write_optical(out, x.optical);
  out.Key("schedule");
  out.StartObject();
  field("policy", x.schedule.policy);
  whole("tick_s", x.schedule.tick_s);
  out.EndObject();
  out.Key("links");
  out.StartArray();
  for (auto& link : x.links) {
    out.StartObject();
    field("bob", link.bob.value);
    field("alice", link.alice.value);
    if (!link.switched)
      real("length_km", link.length_km);
    real("extra_loss_db", link.extra_loss_db);
    field("source", link.source);
    for (auto [key, value] : {std::pair{"bob_server", &link.bob_server},
                              std::pair{"alice_server", &link.alice_server},
                              std::pair{"bob_sae", &link.bob_sae},
                              std::pair{"alice_sae", &link.alice_sae},
                              std::pair{"bob_kme", &link.bob_kme},
                              std::pair{"alice_kme", &link.alice_kme},
                              std::pair{"kme_certificates", &link.kme_certificates}})
      if (!value->empty())
        field(key, *value);
    out.EndObject();
  }
  out.EndArray();
  out.Key("applications");
  out.StartArray();
  for (auto& application : x.applications) {
    out.StartObject();
    field("name", application.name);
    field("site", application.site.value);
    field("certificate", application.certificate);
    out.EndObject();
  }
  out.EndArray();
  out.Key("virtual_links");
  out.StartArray();
  for (auto& link : x.virtual_links) {
    out.StartObject();
    field("a", link.a.value);
    field("b", link.b.value);
    whole("paths", link.paths);
    whole("keys_low", link.keys_low);
    whole("keys_high", link.keys_high);
    whole("keys_per_relay", link.keys_per_relay);
    out.EndObject();
  }
  out.EndArray();
  out.Key("limits");
  out.StartObject();
  for (auto& option : limit_options) {
    out.Key(option.name);
    out.Uint(x.limits.*option.field);
  }
  out.EndObject();
  out.EndObject();
  return std::string{buffer.GetString(), buffer.GetSize()} + "\n";
}

} // namespace qnfv
