#include "runtime/config/json.hpp"
#include "runtime/config/limits.hpp"
#include "runtime/config/topology.hpp"
#include "tests/support/source_file.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using qnfv::test::source_file;

namespace {

const std::string good = source_file("config/topologies/two-site.json");

std::string with(const std::string& from, const std::string& to) {
  auto out = good;
  auto at = out.find(from);
  REQUIRE(at != std::string::npos);
  return out.replace(at, from.size(), to);
}

/// The error of a text, "" if there is none.
std::string problem(const std::string& text) {
  auto x = parse_topology(text, "lab.json");
  if (x)
    return "";
  CHECK(x.error().code == ec::bad_config);
  CHECK(x.error().text.find('\n') == std::string::npos);
  return x.error().text;
}

} // namespace

TEST_CASE("the two-site lab reads, with its comments") {
  auto x = parse_topology(good, "two-site.json");
  REQUIRE(x);
  CHECK(x->name == "two-site");
  REQUIRE(x->sites.size() == 2);
  CHECK(x->orchestrator().site.value == "co");
  CHECK(x->site(site_id{"dc1"})->vims.size() == 2);
  REQUIRE(x->links.size() == 1);
  CHECK(x->links[0].link.value == "bob1/alice1");
  CHECK(x->links[0].alice_site.value == "dc1");
  CHECK(x->link_between(site_id{"dc1"}, site_id{"co"}) == &x->links[0]);
  CHECK(x->links_of(site_id{"co"}).size() == 1);
  CHECK(x->digest.size() == 64);
}

TEST_CASE("a topology written out reads back the same") {
  auto x = parse_topology(good, "two-site.json");
  auto text = topology_to_json(*x);
  auto y = parse_topology(text, "copy.json");
  REQUIRE(y);
  CHECK(topology_to_json(*y) == text);
  CHECK(y->digest == x->digest);
  auto other = parse_topology(with("\"length_km\": 5", "\"length_km\": 6"), "other.json");
  CHECK(other->digest != x->digest);
}

TEST_CASE("the example names every option with its default") {
  auto text = source_file("config/node.example.json");
  auto x = parse_topology(text, "node.example.json");
  REQUIRE(x);
  limits_config defaults;
  for (auto& option : limit_options) {
    INFO(option.name);
    CHECK(text.find("\"" + std::string{option.name} + "\"") != std::string::npos);
    CHECK(x->limits.*option.field == defaults.*option.field);
  }
  CHECK(x->time_scale == topology{}.time_scale);
  CHECK(x->links[0].extra_loss_db == link_config{}.extra_loss_db);
  CHECK(x->links[0].source == link_config{}.source);
  CHECK(x->sites[1].vims[0].socket == vim_config{}.socket);
  REQUIRE(x->sites[0].key_server.etsi014);
  auto& service = *x->sites[0].key_server.etsi014;
  CHECK(service.identity == etsi014_service{}.identity);
  CHECK(service.post_without_body == etsi014_service{}.post_without_body);
  CHECK(service.unknown_key_status == etsi014_service{}.unknown_key_status);
  CHECK(x->applications[1].certificate == x->applications[1].name);
  CHECK(x->sites[0].trusted_node == site_config{}.trusted_node);
  virtual_link_config by_default;
  CHECK(x->virtual_links[0].paths == by_default.paths);
  CHECK(x->virtual_links[0].keys_low == by_default.keys_low);
  CHECK(x->virtual_links[0].keys_high == by_default.keys_high);
  CHECK(x->virtual_links[0].keys_per_relay == by_default.keys_per_relay);
  // Every key of the schema is in the example.
  rapidjson::Document schema;
  schema.Parse(topology_schema().data(), topology_schema().size());
  std::vector<const rapidjson::Value*> open{&schema};
  size_t keys = 0;
  while (!open.empty()) {
    auto* node = open.back();
    open.pop_back();
    if (node->HasMember("items"))
      open.push_back(&(*node)["items"]);
    if (!node->HasMember("properties"))
      continue;
    for (auto& member : (*node)["properties"].GetObject()) {
      INFO(member.name.GetString());
      CHECK(text.find("\"" + std::string{member.name.GetString()} + "\"") != std::string::npos);
      open.push_back(&member.value);
      ++keys;
    }
  }
  CHECK(keys > 30);
}

TEST_CASE("every mistake in a topology is one line that says where and what") {
  auto line_of = [](const std::string& text, const std::string& what) {
    auto at = text.find(what);
    return std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<long>(at), '\n'));
  };
  auto check = [&](const std::string& from, const std::string& to, const std::string& path,
                   const std::string& expected, const std::string& mark = "") {
    auto text = with(from, to);
    CHECK(problem(text) == "lab.json:" + line_of(text, mark.empty() ? to : mark) + ": " + path + ": "
                             + expected);
  };
  check("\"length_km\": 5", "\"lenght_km\": 5, \"length_km\": 5", "/links/0/lenght_km",
        "unknown key \"lenght_km\"; did you mean \"length_km\"?");
  check("\"length_km\": 5", "\"colour\": 5, \"length_km\": 5", "/links/0/colour",
        "unknown key \"colour\"");
  check("\"length_km\": 5", "\"length_km\": \"5 km\"", "/links/0/length_km",
        "expected a number without unit");
  check("\"length_km\": 5", "\"length_km\": 201", "/links/0/length_km", "must be at most 200");
  check("\"length_km\": 5", "\"length_km\": -1", "/links/0/length_km", "must be at least 0");
  check(", \"length_km\": 5", "", "/links/0", "needs the key \"length_km\", or fibres to a switch",
        "{\"bob\": \"bob1\", \"alice\"");
  check("\"kind\": \"alice\"", "\"kind\": \"eve\"", "/sites/1/devices/0/kind",
        "expected one of \"bob\", \"alice\"");
  check("\"orchestrator\": true", "\"orchestrator\": 1", "/sites/0/orchestrator",
        "expected true or false");
  check("\"name\": \"two-site\"", "\"name\": 5", "/name", "expected a text in quotes");
  check("\"name\": \"two-site\"", "\"name\": \"two/site\"", "/name",
        "\"two/site\" is no name: letters, digits, . _ - only");
  check("\"name\": \"dc1\"", "\"name\": \"co\"", "/sites/1/name", "a site co is there already",
        "\"name\": \"co\", // a data");
  check("\"name\": \"dc1\"", "\"name\": \"operator\"", "/sites/1/name", "\"operator\" is reserved");
  check("\"name\": \"dc1\"", "\"name\": \"a-name-of-twenty-one-b\"", "/sites/1/name",
        "\"a-name-of-twenty-one-b\" is no site name: letters, digits, . _ - only, at most 20");
  check("\"name\": \"alice1\"", "\"name\": \"bob1\"", "/sites/1/devices/0/name",
        "a device bob1 is there already", "\"name\": \"bob1\", \"kind\": \"alice\"");
  check("\"bob\": \"bob1\"", "\"bob\": \"bob9\"", "/links/0/bob", "no site has a device bob9");
  check("\"bob\": \"bob1\"", "\"bob\": \"alice1\"", "/links/0/bob", "alice1 is alice's end, not bob's");
  check("127.0.0.1:7102", "localhost:7102", "/sites/1/listen", "\"localhost\" is no numeric IP address");
  check("127.0.0.1:7102", "here", "/sites/1/listen", "expected HOST:PORT", "\"here\"");
  check("127.0.0.1:7102", "127.0.0.1:70000", "/sites/1/listen", "\"70000\" is no port");
  check("127.0.0.1:7102", "::1:7102", "/sites/1/listen",
        "an IPv6 address stands in brackets: [::1]:7102");
  check("127.0.0.1:7102", "127.0.0.1:7101", "/sites/1/listen",
        "127.0.0.1:7101 is taken by /sites/0/listen",
        "\"listen\": \"127.0.0.1:7101\",\n      \"data_listen\": \"127.0.0.1:7202\"");
  check("\"orchestrator\": true,", "", "/sites", "no site has \"orchestrator\": true", "\"sites\"");
  check("\"kind\": \"disk\"", "\"kind\": \"container\"", "/sites/1/vims/1/kind",
        "a VIM for container images is there already",
        "{\"kind\": \"container\", \"driver\": \"vim_emulator\"}\n      ]");
  check("\"links\": [", "\"limits\": {\"heartbeat_ms\": 2.5}, \"links\": [", "/limits/heartbeat_ms",
        "expected a whole number without unit");
  check("\"links\": [", "\"time_scale\": 0, \"links\": [", "/time_scale", "must be more than 0");
}

TEST_CASE("applications and key servers read, and read back the same") {
  auto x = parse_topology(good, "two-site.json");
  REQUIRE(x);
  REQUIRE(x->applications.size() == 2);
  CHECK(x->applications[0].name == "nfv-co");
  CHECK(x->applications[0].site.value == "co");
  CHECK(x->applications[0].certificate == "nfv-co");
  REQUIRE(x->site(site_id{"dc1"})->key_server.etsi014);
  CHECK(x->site(site_id{"dc1"})->key_server.etsi014->listen == "127.0.0.1:7302");
  auto other = with(
    "{\"etsi014\": {\"listen\": \"127.0.0.1:7301\"}}",
    "{\"etsi014\": {\"listen\": \"[::1]:7301\", \"identity\": \"uri\", \"compat\": "
    "{\"post_without_body\": \"refuse\", \"unknown_key_status\": 404}}}");
  auto at = other.find("{\"name\": \"mano-gw-1\", ");
  REQUIRE(at != std::string::npos);
  other.insert(at + 1, "\"certificate\": \"urn:sae:7\", ");
  auto y = parse_topology(other, "other.json");
  REQUIRE(y);
  auto z = parse_topology(topology_to_json(*y), "copy.json");
  REQUIRE(z);
  CHECK(z->digest == y->digest);
  CHECK(z->applications[1].certificate == "urn:sae:7");
  auto& service = *z->sites[0].key_server.etsi014;
  CHECK(service.listen == "[::1]:7301");
  CHECK(service.identity == "uri");
  CHECK(service.post_without_body == "refuse");
  CHECK(service.unknown_key_status == 404);
  // A key server without a protocol, and a site without a key server.
  auto bare = parse_topology(with("{\"etsi014\": {\"listen\": \"127.0.0.1:7301\"}}", "{}"), "bare.json");
  REQUIRE(bare);
  auto again = parse_topology(topology_to_json(*bare), "copy.json");
  REQUIRE(again);
  CHECK_FALSE(again->sites[0].key_server.etsi014);
}

TEST_CASE("mistakes about applications and key servers say where and what") {
  auto says = [](const std::string& from, const std::string& to) {
    auto text = problem(with(from, to));
    return text.substr(text.find(" /") + 1);
  };
  const std::string app = "{\"name\": \"mano-gw-1\", \"site\": \"dc1\"}";
  CHECK(says(app, "{\"name\": \"mano-gw-1\", \"site\": \"dc9\"}")
        == "/applications/1/site: no site dc9");
  CHECK(says(app, "{\"name\": \"nfv-co\", \"site\": \"dc1\"}")
        == "/applications/1/name: an application nfv-co is there already");
  CHECK(says(app, "{\"name\": \"x\", \"site\": \"dc1\", \"certificate\": \"nfv-co\"}")
        == "/applications/1/certificate: \"nfv-co\" proves nfv-co already");
  CHECK(says(app, "{\"name\": \"a b\", \"site\": \"dc1\"}")
        == "/applications/1/name: \"a b\" is no name: letters, digits, . _ - only");
  for (auto* name : {"operator", "ca", "co", "dc1"})
    CHECK(says(app, "{\"name\": \"" + std::string{name} + "\", \"site\": \"dc1\"}")
          == "/applications/1/name: \"" + std::string{name} + "\" is reserved, or a site");
  for (auto* proof : {"co", "operator", "qnfv:site:co"})
    CHECK(says(app, "{\"name\": \"x\", \"site\": \"dc1\", \"certificate\": \"" + std::string{proof} + "\"}")
          == "/applications/1/certificate: \"" + std::string{proof} + "\" is reserved, or a site");
  CHECK(says(app, "{\"name\": \"x\"}") == "/applications/1: the key \"site\" is missing");
  const std::string listen = "\"listen\": \"127.0.0.1:7301\"";
  CHECK(says(listen, "\"listen\": \"127.0.0.1:7102\"").rfind("/sites/1/listen: 127.0.0.1:7102 is taken", 0)
        == 0);
  CHECK(says(listen, "\"listen\": \"here\"") == "/sites/0/key_server/etsi014/listen: expected HOST:PORT");
  CHECK(says(listen, listen + ", \"identity\": \"serial\"")
        == "/sites/0/key_server/etsi014/identity: expected one of \"cn\", \"dns\", \"uri\"");
  CHECK(says(listen, listen + ", \"compat\": {\"unknown_key_status\": 200}")
        == "/sites/0/key_server/etsi014/compat/unknown_key_status: expected one of 400, 404");
  CHECK(says(listen, listen + ", \"compat\": {\"post_without_body\": \"maybe\"}")
        == "/sites/0/key_server/etsi014/compat/post_without_body: expected one of \"accept\", \"refuse\"");
  CHECK(says("{\"etsi014\": {" + listen + "}}", "{\"etsi041\": {}}")
        == "/sites/0/key_server/etsi041: unknown key \"etsi041\"; did you mean \"etsi014\"?");
  CHECK(says("{\"etsi014\": {" + listen + "}}", "{\"etsi014\": {}}")
        == "/sites/0/key_server/etsi014: the key \"listen\" is missing");
}

TEST_CASE("key servers of a site, and key servers in place of devices, read and round trip") {
  auto text = with("\"length_km\": 5",
                   "\"length_km\": 5, \"source\": \"qkd_etsi014\", \"bob_server\": \"kme-a.example:8443\", "
                   "\"alice_server\": \"[::1]:8443\", \"bob_sae\": \"a\", \"alice_sae\": \"b\", "
                   "\"alice_kme\": \"kme-b\", \"kme_certificates\": \"/etc/kme\"");
  auto at = text.find("\"etsi014\":");
  text.insert(at, "\"idq3p\": [{\"link\": \"bob1/alice1\"}, {\"link\": "
                  "\"bob1/alice1\", \"listen\": \"0.0.0.0:5323\", \"beyond_loopback\": true, "
                  "\"answer_damaged\": true}], ");
  CHECK(problem(text) == "");
  auto x = parse_topology(text, "lab.json");
  REQUIRE(x);
  auto& servers = x->sites[0].key_server.idq3p;
  REQUIRE(servers.size() == 2);
  CHECK(servers[0].listen == "127.0.0.1:5323");
  CHECK_FALSE(servers[0].beyond_loopback);
  CHECK(servers[1].beyond_loopback);
  CHECK(servers[1].answer_damaged);
  CHECK(x->links[0].bob_server == "kme-a.example:8443");
  CHECK(x->links[0].bob_kme.empty());
  CHECK(x->links[0].kme_certificates == "/etc/kme");
  auto y = parse_topology(topology_to_json(*x), "copy.json");
  REQUIRE(y);
  CHECK(topology_to_json(*y) == topology_to_json(*x));
  CHECK(y->links[0].alice_kme == "kme-b");
}

TEST_CASE("every mistake about key servers says what to do") {
  auto link = [](const std::string& keys) {
    return problem(with("\"length_km\": 5", "\"length_km\": 5, " + keys));
  };
  auto ends_with = [](const std::string& x, const std::string& end) {
    INFO(x);
    return x.size() > end.size() && x.compare(x.size() - end.size(), end.size(), end) == 0;
  };
  CHECK(ends_with(link("\"source\": \"qkd_magic\""), "expected one of \"qkd_emulator\", \"qkd_idq3p\", "
                                                     "\"qkd_etsi014\""));
  CHECK(ends_with(link("\"bob_server\": \"127.0.0.1:1\""),
                  "/links/0/bob_server: a link of source qkd_emulator has none"));
  CHECK(ends_with(link("\"source\": \"qkd_idq3p\""),
                  "/links/0: source qkd_idq3p needs the key \"bob_server\""));
  const std::string idq3p = "\"source\": \"qkd_idq3p\", \"bob_server\": \"127.0.0.1:1\", \"alice_server\": ";
  CHECK(link(idq3p + "\"127.0.0.1:2\"") == "");
  CHECK(ends_with(link(idq3p + "\"there\""), "/links/0/alice_server: expected HOST:PORT"));
  CHECK(ends_with(link(idq3p + "\"clavis:5323\""), "\"clavis\" is no numeric IP address"));
  CHECK(ends_with(link(idq3p + "\"127.0.0.1:2\", \"bob_sae\": \"a\""),
                  "/links/0/bob_sae: a link of source qkd_idq3p has none"));
  const std::string etsi = "\"source\": \"qkd_etsi014\", \"bob_server\": \"a:1\", \"alice_server\": \"b:2\", "
                           "\"kme_certificates\": \"/etc/kme\", \"bob_sae\": \"a\", \"alice_sae\": ";
  CHECK(link(etsi + "\"b\"") == "");
  CHECK(ends_with(link(etsi + "\"a\""), "/links/0/alice_sae: both ends are called a"));
  CHECK(ends_with(link(etsi + "\"../b\""), "\"../b\" is no name: letters, digits, . _ - only"));

  auto server = [](const std::string& keys) {
    return problem(with("\"key_server\": {", "\"key_server\": {\"idq3p\": [" + keys + "], "));
  };
  CHECK(server("{\"link\": \"bob1/alice1\"}") == "");
  CHECK(ends_with(server("{}"), "the key \"link\" is missing"));
  CHECK(ends_with(server("{\"link\": \"bob1/alice2\"}"),
                  "/sites/0/key_server/idq3p/0/link: no link bob1/alice2 ends at co"));
  CHECK(ends_with(server("{\"link\": \"bob1/alice1\"}, {\"link\": \"bob1/alice1\"}"),
                  "127.0.0.1:5323 is taken by /sites/0/key_server/idq3p/0/listen"));
  CHECK(ends_with(server("{\"link\": \"bob1/alice1\", \"listen\": \"5323\"}"), "expected HOST:PORT"));
  CHECK(ends_with(server("{\"link\": \"bob1/alice1\", \"listen\": \"10.0.0.1:5323\"}"),
                  "10.0.0.1:5323 is not loopback, and IDQ3P has no authentication: say "
                  "\"beyond_loopback\": true if only encryptors reach it"));
}

TEST_CASE("a virtual link joins sites that share no fibre") {
  auto text = source_file("config/topologies/four-site-relay.json");
  auto x = parse_topology(text, "four-site-relay.json");
  INFO((x ? "" : x.error().text));
  REQUIRE(x);
  site_id co{"co"}, n1{"n1"}, dc3{"dc3"};
  CHECK(x->key_link_between(co, dc3) == link_id{"co/dc3"});
  CHECK(x->key_link_between(dc3, co) == link_id{"co/dc3"});
  CHECK(x->key_link_between(co, n1) == link_id{"bob1/alice1"});
  CHECK(x->key_link_between(n1, site_id{"n2"}).empty());
  CHECK(x->virtual_links[0].keys_high == virtual_link_config{}.keys_high);
  for (auto* site : {"co", "n1", "n2", "dc3"})
    CHECK(x->relays(site_id{site}));
  auto copy = parse_topology(topology_to_json(*x), "copy.json");
  REQUIRE(copy);
  CHECK(copy->digest == x->digest);
  // Without virtual links nobody relays.
  CHECK_FALSE(parse_topology(good, "two-site.json")->relays(co));
  auto problem_with = [&](const std::string& from, const std::string& to) {
    auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    auto out = text;
    auto why = problem(out.replace(at, from.size(), to));
    return why.substr(std::min(why.size(), why.find("/virtual_links")));
  };
  auto link = std::string{"{\"a\": \"co\", \"b\": \"dc3\", \"paths\": 1}"};
  CHECK(problem_with(link, "{\"a\": \"co\", \"b\": \"dc9\"}") == "/virtual_links/0/b: there is no site dc9");
  CHECK(problem_with(link, "{\"a\": \"co\", \"b\": \"co\"}")
        == "/virtual_links/0: both ends are at site co");
  CHECK(problem_with(link, link + ", {\"a\": \"dc3\", \"b\": \"co\"}")
        == "/virtual_links/1: a link dc3/co is there already");
  CHECK(problem_with("\"paths\": 1}", "\"paths\": 3}")
        == "/virtual_links/0: no 3 paths without a common site of links and trusted nodes from co to dc3");
  CHECK(problem_with("\"paths\": 1}", "\"keys_low\": 2000}")
        == "/virtual_links/0/keys_high: must lie between keys_low (2000) and pool_keys_max (20000)");
  CHECK(problem_with("\"paths\": 1}", "\"keys_per_relay\": 128}")
        == "/virtual_links/0/keys_per_relay: must be at most 127");
  CHECK(problem_with("\"paths\": 1}", "\"path\": 1}").find("unknown key \"path\"") != std::string::npos);
  auto closed = text;
  for (auto* name : {"\"name\": \"n1\",", "\"name\": \"n2\","})
    closed.insert(closed.find(name) + std::string{name}.size(), "\"trusted_node\": false,");
  CHECK(problem(closed).find("/virtual_links/0: no path of links and trusted nodes from co to dc3")
        != std::string::npos);
}

TEST_CASE("how a host is reached reads and round trips, and nothing of it can be an option of ssh") {
  auto deploy = [](const std::string& keys) {
    return with("\"orchestrator\": true,", "\"orchestrator\": true, \"deploy\": {" + keys + "},");
  };
  auto x = parse_topology(deploy("\"ssh\": \"lab@10.0.0.7\", \"port\": 2222, \"identity_file\": \"~/.ssh/lab\", "
                                 "\"known_hosts_file\": \"/etc/lab/known_hosts\", \"folder\": \"/srv/qnfv\""),
                          "lab.json");
  REQUIRE(x);
  auto y = parse_topology(topology_to_json(*x), "copy.json");
  REQUIRE(y);
  CHECK(topology_to_json(*y) == topology_to_json(*x));
  auto& how = y->sites[0].deploy;
  CHECK(how.given());
  CHECK(how.ssh == "lab@10.0.0.7");
  CHECK(how.port == 2222);
  CHECK(how.identity_file == "~/.ssh/lab");
  CHECK(how.known_hosts_file == "/etc/lab/known_hosts");
  CHECK(how.folder == "/srv/qnfv");
  CHECK_FALSE(y->sites[1].deploy.given());
  for (auto* ssh : {"dc1.lab", "root@::1", "10.0.0.7", "a.b@c-d"})
    CHECK(problem(deploy("\"ssh\": \"" + std::string{ssh} + "\"")) == "");
  auto says = [&](const std::string& keys) {
    auto text = problem(deploy(keys));
    return text.substr(std::min(text.size(), text.find("/deploy")));
  };
  CHECK(says("\"ssh\": \"-oProxyCommand=x\"") == "/deploy/ssh: \"-oProxyCommand=x\" is no host: expected USER@HOST");
  CHECK(says("\"ssh\": \"-l@host\"") == "/deploy/ssh: \"-l\" is no user's name");
  CHECK(says("\"ssh\": \"lab@a b\"") == "/deploy/ssh: \"a b\" is no host: expected USER@HOST");
  CHECK(says("\"ssh\": \"lab@\"") == "/deploy/ssh: \"\" is no host: expected USER@HOST");
  CHECK(says("\"port\": 0") == "/deploy/port: must be at least 1");
  CHECK(says("\"folder\": \"srv\"")
        == "/deploy/folder: \"srv\": expected a path from / of letters, digits, . _ - and /");
  for (auto* folder : {"/srv/$(x)", "/srv/a b", "/srv/../etc", "/srv/..", "/"})
    CHECK(says("\"folder\": \"" + std::string{folder} + "\"").find("/deploy/folder: ") == 0);
  CHECK(says("\"identity_file\": \"id\"") == "/deploy/identity_file: \"id\": expected a plain path from / or ~/");
  CHECK(says("\"known_hosts_file\": \"/etc/%h\"").find("/deploy/known_hosts_file: ") == 0);
}

TEST_CASE("what is no JSON says at which line") {
  CHECK(problem("{\n  \"name\": \"x\",\n  \"name\": \"y\"\n}")
        == "lab.json:3: the key \"name\" is there twice");
  CHECK(problem("{\n  \"name\" \"x\"}").rfind("lab.json:2: ", 0) == 0);
  CHECK(problem("").rfind("lab.json:1: ", 0) == 0);
  CHECK(problem(std::string(100, '[')).find("more than 32 levels") != std::string::npos);
  CHECK(problem(std::string((1u << 20) + 1, ' ')).find("larger than") != std::string::npos);
  CHECK(problem("[]").find("expected an object") != std::string::npos);
  auto missing = load_topology("/nonexistent/lab.json");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text == "/nonexistent/lab.json: No such file or directory");
}

TEST_CASE("numbers are what they say, or out of range") {
  auto file = parse_json("{\"a\": [5, -5, 18446744073709551615, -9223372036854775808, 1.5, -0.1, 1e3,\n"
                         "0e-30, 0.0000000000000000000000000000000, -0e300, 123456789012345678901]}", "n.json");
  REQUIRE(file);
  auto& x = file->value["a"];
  CHECK((x[0].IsInt() && x[0].IsUint() && x[0].GetInt() == 5));
  CHECK((x[1].IsInt() && x[1].GetInt() == -5));
  CHECK((x[2].IsUint64() && x[2].GetUint64() == UINT64_MAX));
  CHECK((x[3].IsInt64() && x[3].GetInt64() == INT64_MIN));
  CHECK((x[4].IsDouble() && x[4].GetDouble() == 1.5));
  CHECK((x[5].IsDouble() && x[5].GetDouble() == -0.1));
  CHECK((x[6].IsDouble() && x[6].GetDouble() == 1000));
  for (auto zero : {7u, 8u, 9u})
    CHECK((x[zero].IsDouble() && x[zero].GetDouble() == 0));
  CHECK((x[10].IsDouble() && x[10].GetDouble() == 123456789012345678901.0));
  for (auto* bad : {"1e-999", "-1e-400", "17976931348623159e292", "0.1e310"}) {
    auto refused = parse_json("{\"a\":\n" + std::string{bad} + "}", "n.json");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text.rfind("n.json:2: ", 0) == 0);
  }
}

TEST_CASE("long names around many values cost what they are long") {
  std::string text = "{\"" + std::string(400'000, 'x') + "\": [0";
  for (int i = 0; i < 300'000; ++i)
    text += ",0";
  auto file = parse_json(text + "]}", "long.json");
  REQUIRE(file);
  CHECK(file->value.MemberBegin()->value.Size() == 300'001);
}

TEST_CASE("an error names the line of its value, or of the one around it") {
  auto file = parse_json("{\n\"a/b\": [1,\n {\"c\":\n 2}],\n\"d\":\n 3}", "lines.json");
  REQUIRE(file);
  auto line = [&](const std::string& pointer) {
    auto text = file->error_at(pointer, "wrong").text;
    return text.substr(0, text.find(' '));
  };
  CHECK(line("") == "lines.json:1:");
  CHECK(line("/a~1b") == "lines.json:2:");
  CHECK(line("/a~1b/0") == "lines.json:2:");
  CHECK(line("/a~1b/1") == "lines.json:3:");
  CHECK(line("/a~1b/1/c") == "lines.json:4:");
  CHECK(line("/d") == "lines.json:6:");
  CHECK(line("/a~1b/1/missing/too") == "lines.json:3:");
  CHECK(line("/nowhere") == "lines.json:1:");
}

TEST_CASE("any cut or changed topology is a value or an error") {
  for (size_t n = 0; n < good.size(); ++n)
    (void) parse_topology(good.substr(0, n), "cut.json");
  unsigned random = 7;
  for (int i = 0; i < 2000; ++i) {
    auto text = good;
    for (int j = 0; j < 3; ++j) {
      random = random * 1664525u + 1013904223u;
      text[(random >> 8) % text.size()] = static_cast<char>(random >> 24);
    }
    auto x = parse_topology(text, "changed.json");
    if (!x)
      CHECK(x.error().code == ec::bad_config);
  }
}
