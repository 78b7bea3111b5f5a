#include "actors/sdn_controller/reservations.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

const switch_id s1{"s1"}, s2{"s2"};

held_path path(const std::string& name, std::vector<path_hop> hops) {
  held_path out;
  out.path.path = name;
  out.path.hops = std::move(hops);
  return out;
}

} // namespace

TEST_CASE("a port has one holder, and who comes second is told the first one's name") {
  reservations table;
  REQUIRE(table.hold(path("bob1/alice1", {{s1, {1, 25}}})));
  auto same_in = table.hold(path("bob1/alice2", {{s1, {1, 26}}}));
  REQUIRE_FALSE(same_in);
  CHECK(same_in.error().code == ec::busy);
  CHECK(same_in.error().text == "held by bob1/alice1");
  CHECK_FALSE(table.hold(path("x", {{s2, {1, 25}}, {s1, {2, 25}}})));
  CHECK(table.holder({s2, 1}).empty()); // All ports or none.
  CHECK(table.hold(path("other switch", {{s2, {1, 25}}})));
}

TEST_CASE("holding the same ports again changes nothing; other ports must be given up first") {
  reservations table;
  REQUIRE(table.hold(path("p", {{s1, {1, 25}}})));
  CHECK(table.hold(path("p", {{s1, {1, 25}}})));
  CHECK(table.paths().size() == 1);
  CHECK_FALSE(table.hold(path("p", {{s1, {2, 26}}})));
  CHECK(table.explains({s1, {1, 25}}));
}

TEST_CASE("what a given-up path joined stays held until it is parted") {
  reservations table;
  REQUIRE(table.hold(path("p", {{s1, {1, 25}}, {s2, {1, 25}}})));
  table.give_up("p");
  table.give_up("p");
  CHECK_FALSE(table.find("p"));
  CHECK_FALSE(table.explains({s1, {1, 25}}));
  CHECK(table.holder({s1, 25}) == "what is left of p");
  table.not_parted(table.left_of("p").front(), "device_failed: the switch says EPERM");
  CHECK(table.holder({s1, 25}).find("what is left of p") == 0);
  CHECK(table.holders(table.left_of("p"), "q").count("what is left of p (device_failed: the switch says EPERM)") == 1);
  CHECK_FALSE(table.hold(path("q", {{s1, {1, 26}}})));
  CHECK(table.left_of("p").size() == 2);
  table.parted({s1, {1, 25}});
  CHECK(table.hold(path("q", {{s1, {1, 26}}})));
  CHECK(table.holder({s2, 1}) == "what is left of p");
}
