#include "runtime/config/topology_reader.hpp"

#include "runtime/base/disjoint_paths.hpp"
#include "runtime/config/addresses.hpp"
#include "runtime/config/limits.hpp"
#include "runtime/config/optical_plane.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace qnfv {

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
    out_.production = top.HasMember("production") && top["production"].GetBool();
    if (top.HasMember("limits"))
      for (auto& option : limit_options)
        if (top["limits"].HasMember(option.name))
          out_.limits.*option.field = top["limits"][option.name].GetUint();
    for (rapidjson::SizeType i = 0; i < top["sites"].Size() && problem_.text.empty(); ++i)
      read_site(top["sites"][i], i);
    if (top.HasMember("optical") && problem_.text.empty())
      read_optical(top["optical"]);
    if (top.HasMember("schedule")) {
      out_.schedule.policy = text(top["schedule"], "policy", out_.schedule.policy.c_str());
      if (top["schedule"].HasMember("tick_s"))
        out_.schedule.tick_s = top["schedule"]["tick_s"].GetUint();
    }
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
    if (problem_.text.empty())
      check_sharing();
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
    if (x.HasMember("metrics")) {
      site.metrics_listen = x["metrics"]["listen"].GetString();
      read_address(path_of("sites", i, "metrics") + "/listen", site.metrics_listen);
    }
    if (x.HasMember("deploy"))
      read_deploy(x["deploy"], site.deploy, path_of("sites", i, "deploy"));
    out_.sites.push_back(std::move(site));
  }

  /// These become arguments of ssh and paths on the host.
  void read_deploy(const rapidjson::Value& x, deploy_config& deploy, const std::string& pointer) {
    deploy.ssh = text(x, "ssh");
    if (auto problem = ssh_problem(deploy.ssh); x.HasMember("ssh") && !problem.empty())
      bad(pointer + "/ssh", problem);
    if (x.HasMember("port"))
      deploy.port = x["port"].GetUint();
    for (auto [key, to] : {std::pair{"identity_file", &deploy.identity_file},
                           std::pair{"known_hosts_file", &deploy.known_hosts_file}}) {
      *to = text(x, key);
      // ssh would read these itself.
      auto special = to->find_first_of("\"%$\\\n") != std::string::npos;
      if (x.HasMember(key) && (special || (to->front() != '/' && to->rfind("~/", 0) != 0)))
        bad(pointer + "/" + key, "\"" + *to + "\": expected a plain path from / or ~/");
    }
    deploy.folder = text(x, "folder");
    if (x.HasMember("folder") && !plain_path(deploy.folder))
      bad(pointer + "/folder",
          "\"" + deploy.folder + "\": expected a path from / of letters, digits, . _ - and /");
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
    else if (!server.beyond_loopback && !on_loopback(address))
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
    read_length(x, link, i);
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

  /// The glass knows how long a link over a switch is.
  void read_length(const rapidjson::Value& x, link_config& link, size_t i) {
    auto& fibres = out_.optical.fibres;
    auto lit = [&](const device_id& device) {
      return std::any_of(fibres.begin(), fibres.end(), [&](auto& fibre) {
        return fibre.from.name == device.value || fibre.to.name == device.value;
      });
    };
    link.switched = lit(link.bob) || lit(link.alice);
    if (!link.switched) {
      if (!x.HasMember("length_km"))
        bad(path_of("links", i), "needs the key \"length_km\", or fibres to a switch");
      link.length_km = number(x, "length_km", 0);
      return;
    }
    if (x.HasMember("length_km"))
      bad(path_of("links", i, "length_km"), "its fibres have lengths already (/optical/fibres)");
    auto km = shortest_km(out_.optical, link.bob.value, link.alice.value);
    if (!km)
      bad(path_of("links", i), "no fibres and switches lead from " + link.bob.value + " to "
                                 + link.alice.value);
    link.length_km = km.value_or(0);
  }

  /// A device in two links can serve one at a time only: somebody must turn the light.
  void check_sharing() {
    std::map<device_id, size_t> seen;
    for (size_t i = 0; i < out_.links.size(); ++i) {
      auto& link = out_.links[i];
      for (auto& device : {link.bob, link.alice}) {
        auto known = seen.emplace(device, i);
        if (!known.second && !(link.switched && out_.links[known.first->second].switched))
          bad(path_of("links", i), device.value + " is in two links: both need fibres to a switch");
      }
    }
  }

  void read_optical(const rapidjson::Value& x) {
    if (x.HasMember("switches"))
      for (rapidjson::SizeType i = 0; i < x["switches"].Size(); ++i)
        read_switch(x["switches"][i], i);
    if (x.HasMember("fibres"))
      for (rapidjson::SizeType i = 0; i < x["fibres"].Size() && problem_.text.empty(); ++i)
        read_fibre(x["fibres"][i], i);
    if (x.HasMember("northbound")) {
      auto& service = out_.optical.northbound.emplace();
      service.listen = x["northbound"]["listen"].GetString();
      service.user = text(x["northbound"], "user", service.user.c_str());
      service.password_file = text(x["northbound"], "password_file");
      read_address("/optical/northbound/listen", service.listen);
      if (!on_loopback(service.listen))
        bad("/optical/northbound/listen", service.listen + " is not loopback: this interface has no "
                                                             "TLS, put a proxy before it");
    }
  }

  void read_switch(const rapidjson::Value& x, size_t i) {
    switch_config out;
    out.name = switch_id{x["name"].GetString()};
    auto pointer = [&](const char* key) { return path_of("optical/switches", i, key); };
    auto& name = out.name.value;
    if (!valid_name(name))
      bad(pointer("name"), "\"" + name + "\" is no name: letters, digits, . _ - only");
    for (auto& known : out_.optical.switches)
      if (known.name == out.name)
        bad(pointer("name"), "a switch " + name + " is there already");
    if (devices_.count(device_id{name}) > 0 || out_.site(site_id{name}))
      bad(pointer("name"), "\"" + name + "\" is a device or a site already");
    out.site = site_id{text(x, "site")};
    if (out.site.empty())
      for (auto& site : out_.sites)
        if (site.orchestrator)
          out.site = site.site;
    if (x.HasMember("site") && !out_.site(out.site))
      bad(pointer("site"), "no site " + out.site.value);
    if (x.HasMember("size"))
      out.size = static_cast<uint16_t>(x["size"].GetUint());
    out.driver = text(x, "driver", out.driver.c_str());
    out.address = text(x, "address");
    out.dpid = text(x, "dpid", out.dpid.c_str());
    out.user = text(x, "user");
    out.password_file = text(x, "password_file");
    out.ca = text(x, "ca");
    out.certificate_name = text(x, "certificate_name");
    out.emulated = out.driver == "switch_emulator"
                   || (x.HasMember("emulated") && x["emulated"].GetBool());
    if (out.driver == "switch_emulator") {
      if (!out.address.empty())
        bad(pointer("address"), "driver switch_emulator has none; say \"emulated\": true beside the "
                                "driver whose protocol the emulated switch shall speak");
    } else if (out.address.empty()) {
      bad(path_of("optical/switches", i), "driver " + out.driver + " needs the key \"address\"");
    } else {
      read_address(pointer("address"), out.address);
    }
    if (out.driver == "switch_restconf" && (out.user.empty() || out.password_file.empty()))
      bad(path_of("optical/switches", i), "driver switch_restconf needs \"user\" and \"password_file\"");
    if (out.driver == "switch_restconf" && out.ca.empty() && !on_loopback(out.address))
      bad(path_of("optical/switches", i), "a password without TLS stays on loopback: needs the key \"ca\"");
    out_.optical.switches.push_back(std::move(out));
  }

  fibre_end read_fibre_end(const std::string& word, const std::string& pointer) {
    auto end = parse_fibre_end(word);
    if (!end) {
      bad(pointer, "\"" + word + "\": expected a device, a site or SWITCH:PORT");
      return {};
    }
    auto* at = out_.optical.find(switch_id{end->name});
    if (!at) {
      if (end->port != 0)
        bad(pointer, "no switch " + end->name);
      else if (devices_.count(device_id{end->name}) == 0 && !out_.site(site_id{end->name}))
        bad(pointer, "no device and no site " + end->name);
      return *end;
    }
    if (end->port == 0)
      bad(pointer, end->name + " is a switch: which port? \"" + end->name + ":1\"");
    else if (end->port > 2u * at->size)
      bad(pointer, end->name + " has ports 1 to " + std::to_string(2u * at->size));
    else if (!ports_.emplace(word, pointer).second)
      bad(pointer, word + " has a fibre already (" + ports_[word] + ")");
    return *end;
  }

  void read_fibre(const rapidjson::Value& x, size_t i) {
    fibre_config out;
    out.from = read_fibre_end(x["from"].GetString(), path_of("optical/fibres", i, "from"));
    out.to = read_fibre_end(x["to"].GetString(), path_of("optical/fibres", i, "to"));
    out.length_km = number(x, "length_km", 0);
    if (out.from.port == 0 && out.to.port == 0)
      bad(path_of("optical/fibres", i), "neither end is a switch: a link between two devices needs "
                                        "no fibre here, only \"length_km\"");
    if (!out.from.name.empty() && out.from.name == out.to.name)
      bad(path_of("optical/fibres", i), "both ends are at " + out.from.name);
    out_.optical.fibres.push_back(std::move(out));
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
  std::map<std::string, std::string> ports_; ///< With a fibre, and where it says so.
};

} // namespace

result<topology> read_topology(const json_file& file) {
  return reader{file}.read();
}

} // namespace qnfv
