#include "runtime/config/optical_plane.hpp"
#include "tests/support/source_file.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using qnfv::test::source_file;

namespace {

const std::string good = source_file("config/topologies/four-site.json");

/// What is said about the four-site lab when `from` is `to` in it, from the path on; "" if it is fine.
std::string problem_with(const std::string& from, const std::string& to) {
  auto text = good;
  auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  auto x = parse_topology(text.replace(at, from.size(), to), "lab.json");
  if (x)
    return "";
  CHECK(x.error().code == ec::bad_config);
  auto slash = x.error().text.find('/');
  return slash == std::string::npos ? x.error().text : x.error().text.substr(slash);
}

} // namespace

TEST_CASE("the four-site lab shares one Bob over a switch, and the glass knows the lengths") {
  auto lab = parse_topology(good, "lab.json");
  REQUIRE(lab);
  CHECK(lab->time_shared());
  REQUIRE(lab->links.size() == 3);
  for (auto& link : lab->links)
    CHECK(link.switched);
  CHECK(lab->links[0].length_km == 0);
  CHECK(lab->links[1].length_km == 10);
  CHECK(lab->links[2].length_km == 25);
  auto& at = lab->optical.switches.at(0);
  CHECK(at.site == site_id{"co"});
  CHECK(at.size == 24);
  CHECK(at.emulated);
  CHECK(lab->schedule.policy == "best");
  auto again = parse_topology(topology_to_json(*lab), "again.json");
  REQUIRE(again);
  CHECK(again->digest == lab->digest);
}

TEST_CASE("light crosses each switch from one side to the other, either way, and takes the shortest") {
  optical_plane glass;
  for (auto* name : {"left", "right"}) {
    switch_config x;
    x.name = switch_id{name};
    x.size = 4;
    glass.switches.push_back(x);
  }
  auto join = [&](const char* a, const char* b, double km) {
    glass.fibres.push_back({*parse_fibre_end(a), *parse_fibre_end(b), km});
  };
  join("bob1", "left:1", 1);
  join("left:5", "right:5", 2); // From egress side to egress side: crossed backwards at the right.
  join("right:2", "alice1", 3);
  join("left:2", "alice2", 1);
  CHECK(shortest_km(glass, "bob1", "alice1") == 6.0);
  CHECK(shortest_km(glass, "alice1", "bob1") == 6.0);
  // Both on the ingress side of one switch.
  CHECK_FALSE(shortest_km(glass, "bob1", "alice2"));
  join("left:6", "alice1", 1.5);
  CHECK(shortest_km(glass, "bob1", "alice1") == 2.5);
}

TEST_CASE("every mistake about switches and fibres says where and what") {
  CHECK(problem_with("\"to\": \"polatis1:1\"", "\"to\": \"polatis1:49\"")
        == "/optical/fibres/0/to: polatis1 has ports 1 to 48");
  CHECK(problem_with("\"to\": \"polatis1:1\"", "\"to\": \"polatis1:0\"").find("expected a device, a site "
                                                                               "or SWITCH:PORT")
        != std::string::npos);
  CHECK(problem_with("\"to\": \"polatis1:1\"", "\"to\": \"polatis1\"")
        == "/optical/fibres/0/to: polatis1 is a switch: which port? \"polatis1:1\"");
  CHECK(problem_with("\"to\": \"polatis1:1\"", "\"to\": \"polatis2:1\"")
        == "/optical/fibres/0/to: no switch polatis2");
  CHECK(problem_with("\"from\": \"bob1\"", "\"from\": \"bob2\"")
        == "/optical/fibres/0/from: no device and no site bob2");
  CHECK(problem_with("\"polatis1:26\"", "\"polatis1:25\"")
        == "/optical/fibres/2/from: polatis1:25 has a fibre already (/optical/fibres/1/from)");
  CHECK(problem_with("\"from\": \"polatis1:27\", \"to\": \"alice3\"",
                     "\"from\": \"polatis1:2\", \"to\": \"alice3\"")
        == "/links/2: no fibres and switches lead from bob1 to alice3");
  CHECK(problem_with("{\"bob\": \"bob1\", \"alice\": \"alice1\"}",
                     "{\"bob\": \"bob1\", \"alice\": \"alice1\", \"length_km\": 5}")
        == "/links/0/length_km: its fibres have lengths already (/optical/fibres)");
  CHECK(problem_with("\"driver\": \"switch_openflow\", \"address\": \"127.0.0.1:6633\"",
                     "\"driver\": \"switch_openflow\"")
        == "/optical/switches/0: driver switch_openflow needs the key \"address\"");
  CHECK(problem_with("\"address\": \"127.0.0.1:6633\"", "\"address\": \"127.0.0.1:7121\"")
        == "/optical/switches/0/address: 127.0.0.1:7121 is taken by /sites/0/listen");
  CHECK(problem_with("\"name\": \"polatis1\"", "\"name\": \"dc1\"")
        == "/optical/switches/0/name: \"dc1\" is a device or a site already");
  CHECK(problem_with("\"switch_openflow\"", "\"switch_tl1\"").find("/optical/switches/0/driver: ") == 0);
  CHECK(problem_with("\"policy\": \"best\"", "\"policy\": \"worst\"").find("/schedule/policy: ") == 0);
}

TEST_CASE("a device in two links needs somebody to turn its light") {
  auto text = source_file("config/topologies/two-site.json");
  auto at = text.find("\"links\": [");
  text.insert(at + 10, "{\"bob\": \"bob1\", \"alice\": \"alice9\", \"length_km\": 1},");
  text.insert(text.find("{\"name\": \"alice1\""), "{\"name\": \"alice9\", \"kind\": \"alice\"}, ");
  auto x = parse_topology(text, "lab.json");
  REQUIRE_FALSE(x);
  CHECK(x.error().text.find("/links/1: bob1 is in two links: both need fibres to a switch")
        != std::string::npos);
}
