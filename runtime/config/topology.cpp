#include "runtime/config/topology.hpp"

#include "runtime/base/disjoint_paths.hpp"
#include "runtime/config/json.hpp"
#include "runtime/config/limits.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/sha.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace qnfv {

const site_config* topology::site(const site_id& x) const {
  auto i = std::find_if(sites.begin(), sites.end(), [&](auto& s) { return s.site == x; });
  return i == sites.end() ? nullptr : &*i;
}

const site_config& topology::orchestrator() const {
  return *std::find_if(sites.begin(), sites.end(), [](auto& s) { return s.orchestrator; });
}

std::vector<const link_config*> topology::links_of(const site_id& x) const {
  std::vector<const link_config*> out;
  for (auto& link : links)
    if (link.bob_site == x || link.alice_site == x)
      out.push_back(&link);
  return out;
}

const link_config* topology::link_between(const site_id& a, const site_id& b) const {
  for (auto& link : links)
    if ((link.bob_site == a && link.alice_site == b) || (link.bob_site == b && link.alice_site == a))
      return &link;
  return nullptr;
}

std::vector<const virtual_link_config*> topology::virtual_links_of(const site_id& x) const {
  std::vector<const virtual_link_config*> out;
  for (auto& link : virtual_links)
    if (link.a == x || link.b == x)
      out.push_back(&link);
  return out;
}

const virtual_link_config* topology::virtual_link_between(const site_id& a, const site_id& b) const {
  for (auto& link : virtual_links)
    if ((link.a == a && link.b == b) || (link.a == b && link.b == a))
      return &link;
  return nullptr;
}

link_id topology::key_link_between(const site_id& a, const site_id& b) const {
  if (auto* link = link_between(a, b))
    return link->link;
  auto* link = virtual_link_between(a, b);
  return link ? link->link : link_id{};
}

bool topology::relays(const site_id& x) const {
  auto* config = site(x);
  auto passes = config && config->trusted_node && links_of(x).size() > 1 && !virtual_links.empty();
  return passes || !virtual_links_of(x).empty();
}

namespace {

std::string path_of(const char* list, size_t i, const char* key = nullptr) {
  return std::string{"/"} + list + "/" + std::to_string(i) + (key ? std::string{"/"} + key : "");
}

std::string text(const rapidjson::Value& object, const char* key, const char* otherwise = "") {
  return object.HasMember(key) ? object[key].GetString() : otherwise;
}

double number(const rapidjson::Value& object, const char* key, double otherwise) {
  return object.HasMember(key) ? object[key].GetDouble() : otherwise;
}

/// "127.0.0.1:7101" or "[::1]:7101"; port 0 to 65535. The problem in words, empty if there is none.
std::string address_problem(const std::string& x) {
  auto colon = x.rfind(':');
  if (colon == std::string::npos)
    return "expected HOST:PORT";
  auto host = x.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    return "an IPv6 address stands in brackets: [::1]:7102";
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  if (error)
    return "\"" + host + "\" is no numeric IP address";
  auto port = x.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos
      || std::stoul(port) > 65535)
    return "\"" + port + "\" is no port";
  return {};
}

/// "kme-a.example:8443": as an address, but the host may be a name.
std::string server_problem(const std::string& x) {
  auto colon = x.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return "expected HOST:PORT";
  auto host = x.substr(0, colon);
  if (host.front() == '[' || !valid_name(host))
    return address_problem(x);
  return address_problem("127.0.0.1" + x.substr(colon));
}

bool any_port(const std::string& address) {
  return address.size() > 2 && address.compare(address.size() - 2, 2, ":0") == 0;
}

/// Fills a topology from a document that fits the schema, and checks what a schema cannot.
class reader {
public:
  explicit reader(const json_file& file) : file_(file) {}

  result<topology> read() {
    auto& top = file_.value;
    out_.name = top["name"].GetString();
    if (!valid_name(out_.name))
      return bad("/name", "\"" + out_.name + "\" is no name: letters, digits, . _ - only");
    out_.time_scale = number(top, "time_scale", 1);
    if (top.HasMember("limits"))
      for (auto& option : limit_options)
        if (top["limits"].HasMember(option.name))
          out_.limits.*option.field = top["limits"][option.name].GetUint();
    for (rapidjson::SizeType i = 0; i < top["sites"].Size() && problem_.text.empty(); ++i)
      read_site(top["sites"][i], i);
    if (top.HasMember("links"))
      for (rapidjson::SizeType i = 0; i < top["links"].Size() && problem_.text.empty(); ++i)
        read_link(top["links"][i], i);
    if (top.HasMember("virtual_links"))
      for (rapidjson::SizeType i = 0; i < top["virtual_links"].Size() && problem_.text.empty(); ++i)
        read_virtual_link(top["virtual_links"][i], i);
    if (top.HasMember("applications"))
      for (rapidjson::SizeType i = 0; i < top["applications"].Size(); ++i)
        read_application(top["applications"][i], i);
    if (problem_.text.empty())
      check_key_servers();
    if (problem_.text.empty())
      check_orchestrator();
    if (!problem_.text.empty())
      return problem_;
    return std::move(out_);
  }

private:
  failure bad(const std::string& pointer, const std::string& problem) {
    if (problem_.text.empty())
      problem_ = file_.error_at(pointer, problem);
    return problem_;
  }

  void read_address(const std::string& pointer, const std::string& address) {
    auto problem = address_problem(address);
    if (!problem.empty())
      bad(pointer, problem);
    else if (!any_port(address) && !addresses_.emplace(address, pointer).second)
      bad(pointer, address + " is taken by " + addresses_[address]);
  }

  void read_site(const rapidjson::Value& x, size_t i) {
    site_config site;
    site.site = site_id{x["name"].GetString()};
    auto& name = site.site.value;
    if (!valid_name(name) || name.size() > max_site_name)
      bad(path_of("sites", i, "name"), "\"" + name + "\" is no site name: letters, digits, . _ - "
                                         "only, at most " + std::to_string(max_site_name));
    else if (name == "operator" || name == "ca")
      bad(path_of("sites", i, "name"), "\"" + name + "\" is reserved");
    else if (out_.site(site.site))
      bad(path_of("sites", i, "name"), "a site " + name + " is there already");
    site.listen = x["listen"].GetString();
    site.data_listen = x["data_listen"].GetString();
    read_address(path_of("sites", i, "listen"), site.listen);
    read_address(path_of("sites", i, "data_listen"), site.data_listen);
    site.orchestrator = x.HasMember("orchestrator") && x["orchestrator"].GetBool();
    site.trusted_node = !x.HasMember("trusted_node") || x["trusted_node"].GetBool();
    if (x.HasMember("devices"))
      for (rapidjson::SizeType j = 0; j < x["devices"].Size(); ++j)
        read_device(x["devices"][j], site, path_of("sites", i, "devices") + "/" + std::to_string(j));
    if (x.HasMember("vims"))
      for (rapidjson::SizeType j = 0; j < x["vims"].Size(); ++j) {
        auto& y = x["vims"][j];
        vim_config vim;
        vim.kind = y["kind"].GetString();
        vim.driver = y["driver"].GetString();
        vim.socket = text(y, "socket", vim.socket.c_str());
        for (auto& known : site.vims)
          if (known.kind == vim.kind)
            bad(path_of("sites", i, "vims") + "/" + std::to_string(j) + "/kind",
                "a VIM for " + vim.kind + " images is there already");
        site.vims.push_back(vim);
      }
    if (x.HasMember("key_server"))
      read_key_server(x["key_server"], site, path_of("sites", i, "key_server"));
    out_.sites.push_back(std::move(site));
  }

  void read_key_server(const rapidjson::Value& x, site_config& site, const std::string& pointer) {
    if (x.HasMember("etsi014"))
      read_etsi014(x["etsi014"], site.key_server.etsi014.emplace(), pointer + "/etsi014");
    if (x.HasMember("idq3p"))
      for (rapidjson::SizeType j = 0; j < x["idq3p"].Size(); ++j)
        read_idq3p(x["idq3p"][j], site, pointer + "/idq3p/" + std::to_string(j));
  }

  void read_etsi014(const rapidjson::Value& y, etsi014_service& service,
                    const std::string& pointer) {
    service.listen = y["listen"].GetString();
    read_address(pointer + "/listen", service.listen);
    service.identity = text(y, "identity", service.identity.c_str());
    if (!y.HasMember("compat"))
      return;
    auto& compat = y["compat"];
    service.post_without_body =
      text(compat, "post_without_body", service.post_without_body.c_str());
    if (compat.HasMember("unknown_key_status"))
      service.unknown_key_status = compat["unknown_key_status"].GetUint();
  }

  void read_idq3p(const rapidjson::Value& x, site_config& site, const std::string& pointer) {
    idq3p_config server;
    server.link = link_id{x["link"].GetString()};
    server.listen = text(x, "listen", server.listen.c_str());
    server.beyond_loopback = x.HasMember("beyond_loopback") && x["beyond_loopback"].GetBool();
    server.answer_damaged = x.HasMember("answer_damaged") && x["answer_damaged"].GetBool();
    auto& address = server.listen;
    auto problem = address_problem(address);
    if (!problem.empty())
      bad(pointer + "/listen", problem);
    else if (!server.beyond_loopback && address.rfind("127.", 0) != 0
             && address.rfind("[::1]", 0) != 0)
      bad(pointer + "/listen", address + " is not loopback, and IDQ3P has no authentication: say "
                                         "\"beyond_loopback\": true if only encryptors reach it");
    else if (!any_port(address)
             && !addresses_.emplace("UDP " + address, pointer + "/listen").second)
      bad(pointer + "/listen", address + " is taken by " + addresses_["UDP " + address]);
    site.key_server.idq3p.push_back(std::move(server));
  }

  /// The links are known by now.
  void check_key_servers() {
    for (size_t i = 0; i < out_.sites.size(); ++i) {
      auto links = out_.links_of(out_.sites[i].site);
      auto& servers = out_.sites[i].key_server.idq3p;
      for (size_t j = 0; j < servers.size(); ++j)
        if (std::none_of(links.begin(), links.end(),
                         [&](auto* x) { return x->link == servers[j].link; }))
          bad(path_of("sites", i, "key_server/idq3p/") + std::to_string(j) + "/link",
              "no link " + servers[j].link.value + " ends at " + out_.sites[i].site.value);
    }
  }

  /// Sites and applications have certificates in one folder, and must not pass for each other.
  void read_application(const rapidjson::Value& x, size_t i) {
    application_config application;
    application.name = x["name"].GetString();
    application.site = site_id{x["site"].GetString()};
    application.certificate = text(x, "certificate", application.name.c_str());
    auto& name = application.name;
    auto& proof = application.certificate;
    auto reserved = [&](const std::string& word) {
      return word == "operator" || word == "ca" || out_.site(site_id{word})
             || word.rfind("qnfv:site:", 0) == 0;
    };
    if (!valid_name(name))
      bad(path_of("applications", i, "name"),
          "\"" + name + "\" is no name: letters, digits, . _ - only");
    if (reserved(name))
      bad(path_of("applications", i, "name"), "\"" + name + "\" is reserved, or a site");
    if (reserved(proof))
      bad(path_of("applications", i, "certificate"), "\"" + proof + "\" is reserved, or a site");
    if (!out_.site(application.site))
      bad(path_of("applications", i, "site"), "no site " + application.site.value);
    for (auto& known : out_.applications) {
      if (known.name == name)
        bad(path_of("applications", i, "name"), "an application " + name + " is there already");
      if (known.certificate == proof)
        bad(path_of("applications", i, x.HasMember("certificate") ? "certificate" : "name"),
            "\"" + proof + "\" proves " + known.name + " already");
    }
    out_.applications.push_back(std::move(application));
  }

  void read_device(const rapidjson::Value& x, site_config& site, const std::string& pointer) {
    device_config device;
    device.device = device_id{x["name"].GetString()};
    device.kind = std::string{x["kind"].GetString()} == "bob" ? link_end::bob : link_end::alice;
    if (!valid_name(device.device.value))
      bad(pointer + "/name", "\"" + device.device.value + "\" is no name: letters, digits, . _ - only");
    else if (!devices_.emplace(device.device, std::make_pair(site.site, device.kind)).second)
      bad(pointer + "/name", "a device " + device.device.value + " is there already");
    site.devices.push_back(device);
  }

  /// The site of the device that `key` names.
  site_id end_of_link(const rapidjson::Value& x, size_t i, const char* key, link_end kind) {
    device_id device{x[key].GetString()};
    auto found = devices_.find(device);
    if (found == devices_.end()) {
      bad(path_of("links", i, key), "no site has a device " + device.value);
      return {};
    }
    if (found->second.second != kind)
      bad(path_of("links", i, key), device.value + " is " + to_string(found->second.second)
                                      + "'s end, not " + key + "'s");
    return found->second.first;
  }

  void read_link(const rapidjson::Value& x, size_t i) {
    link_config link;
    link.bob = device_id{x["bob"].GetString()};
    link.alice = device_id{x["alice"].GetString()};
    link.link = link_id{link.bob.value + "/" + link.alice.value};
    link.bob_site = end_of_link(x, i, "bob", link_end::bob);
    link.alice_site = end_of_link(x, i, "alice", link_end::alice);
    link.length_km = x["length_km"].GetDouble();
    link.extra_loss_db = number(x, "extra_loss_db", 0);
    link.source = text(x, "source", link.source.c_str());
    read_key_servers(x, link, i);
    if (link.bob_site == link.alice_site)
      bad(path_of("links", i), "both ends are at site " + link.bob_site.value);
    for (auto& known : out_.links)
      if (known.link == link.link)
        bad(path_of("links", i), "a link " + link.link.value + " is there already");
    out_.links.push_back(std::move(link));
  }

  /// What the key servers of another make are called that the devices stand for.
  void read_key_servers(const rapidjson::Value& x, link_config& link, size_t i) {
    auto etsi = link.source == "qkd_etsi014";
    auto any = etsi || link.source == "qkd_idq3p";
    auto read = [&](const char* key, std::string& to, bool allowed, bool needed) {
      if (x.HasMember(key) && !allowed)
        bad(path_of("links", i, key), "a link of source " + link.source + " has none");
      else if (!x.HasMember(key) && needed)
        bad(path_of("links", i), "source " + link.source + " needs the key \"" + key + "\"");
      to = text(x, key);
    };
    read("bob_server", link.bob_server, any, any);
    read("alice_server", link.alice_server, any, any);
    read("bob_sae", link.bob_sae, etsi, etsi);
    read("alice_sae", link.alice_sae, etsi, etsi);
    read("bob_kme", link.bob_kme, etsi, false);
    read("alice_kme", link.alice_kme, etsi, false);
    read("kme_certificates", link.kme_certificates, etsi, etsi);
    for (auto [key, address] : {std::pair{"bob_server", &link.bob_server},
                                std::pair{"alice_server", &link.alice_server}}) {
      auto problem = etsi ? server_problem(*address) : address_problem(*address);
      if (any && !problem.empty())
        bad(path_of("links", i, key), problem);
    }
    // It is the name of a file too.
    for (auto [key, sae] :
         {std::pair{"bob_sae", &link.bob_sae}, std::pair{"alice_sae", &link.alice_sae}})
      if (etsi && !valid_name(*sae))
        bad(path_of("links", i, key), "\"" + *sae + "\" is no name: letters, digits, . _ - only");
    if (etsi && link.bob_sae == link.alice_sae)
      bad(path_of("links", i, "alice_sae"), "both ends are called " + link.bob_sae);
  }

  /// Paths lead over links that the file names above.
  void read_virtual_link(const rapidjson::Value& x, size_t i) {
    virtual_link_config link;
    link.a = site_id{x["a"].GetString()};
    link.b = site_id{x["b"].GetString()};
    link.link = link_id{link.a.value + "/" + link.b.value};
    auto whole = [&](const char* key, uint32_t& field) {
      if (x.HasMember(key))
        field = x[key].GetUint();
    };
    whole("paths", link.paths);
    whole("keys_low", link.keys_low);
    whole("keys_high", link.keys_high);
    whole("keys_per_relay", link.keys_per_relay);
    for (auto* end : {"a", "b"})
      if (!out_.site(site_id{x[end].GetString()}))
        bad(path_of("virtual_links", i, end), "there is no site " + std::string{x[end].GetString()});
    if (link.a == link.b)
      bad(path_of("virtual_links", i), "both ends are at site " + link.a.value);
    auto taken = out_.virtual_link_between(link.a, link.b) != nullptr;
    for (auto& known : out_.links)
      taken = taken || known.link == link.link;
    if (taken)
      bad(path_of("virtual_links", i), "a link " + link.link.value + " is there already");
    if (link.keys_low > link.keys_high || link.keys_high > out_.limits.pool_keys_max)
      bad(path_of("virtual_links", i, "keys_high"),
          "must lie between keys_low (" + std::to_string(link.keys_low) + ") and pool_keys_max ("
            + std::to_string(out_.limits.pool_keys_max) + ")");
    std::vector<site_edge> fibres;
    for (auto& fibre : out_.links)
      fibres.push_back({fibre.bob_site, fibre.alice_site});
    std::set<site_id> closed;
    for (auto& site : out_.sites)
      if (!site.trusted_node)
        closed.insert(site.site);
    if (problem_.text.empty() && disjoint_paths(fibres, link.a, link.b, link.paths, closed).empty())
      bad(path_of("virtual_links", i),
          "no " + (link.paths == 1 ? "path" : std::to_string(link.paths) + " paths without a common site")
            + " of links and trusted nodes from " + link.a.value + " to " + link.b.value);
    out_.virtual_links.push_back(std::move(link));
  }

  void check_orchestrator() {
    const site_config* found = nullptr;
    for (size_t i = 0; i < out_.sites.size(); ++i) {
      if (!out_.sites[i].orchestrator)
        continue;
      if (found)
        bad(path_of("sites", i, "orchestrator"), "the orchestrator is at " + found->site.value
                                                   + " already");
      found = &out_.sites[i];
    }
    if (!found)
      bad("/sites", "no site has \"orchestrator\": true");
  }

  const json_file& file_;
  topology out_;
  failure problem_;
  std::map<std::string, std::string> addresses_;
  std::map<device_id, std::pair<site_id, link_end>> devices_;
};

std::string digest_of(const std::string& x) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> out;
  SHA256(reinterpret_cast<const uint8_t*>(x.data()), x.size(), out.data());
  return to_hex(out);
}

} // namespace

result<topology> parse_topology(std::string_view text, const std::string& file_name) {
  auto file = parse_json(text, file_name);
  if (!file)
    return file.error();
  if (auto ok = check_schema(*file, topology_schema()); !ok)
    return ok.error();
  auto out = reader{*file}.read();
  if (out)
    out->digest = digest_of(topology_to_json(*out));
  return out;
}

result<topology> load_topology(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  if (in)
    text << in.rdbuf();
  if (!in || !text)
    return {ec::bad_config, path + ": " + std::strerror(errno ? errno : EISDIR)};
  return parse_topology(text.str(), path);
}

std::string topology_to_json(const topology& x) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> out{buffer};
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
    out.EndObject();
  }
  out.EndArray();
  out.Key("links");
  out.StartArray();
  for (auto& link : x.links) {
    out.StartObject();
    field("bob", link.bob.value);
    field("alice", link.alice.value);
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
