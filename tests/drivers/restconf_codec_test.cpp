#include "drivers/restconf/codec.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace qnfv;
using resource = restconf_target::resource;

namespace {

const std::string one_pair = R"({"pair":[{"ingress":1,"egress":25}]})";

} // namespace

TEST_CASE("cross-connects are read with or without their module, container and plural") {
  for (auto* text :
       {R"({"pair":[{"ingress":1,"egress":25}]})",
        R"({"optical-switch:pair":[{"egress":25,"ingress":1}]})",
        R"({"pairs":[{"ingress":1,"egress":25}]})",
        R"({"optical-switch:cross-connects":{"pair":[{"ingress":1,"egress":25}]}})",
        R"({"cross-connects":{"optical-switch:pairs":[{"opsw:ingress":"1","egress":"25"}]}})",
        R"({"later":true,"pair":[{"ingress":1,"egress":25,"label":"x"}]})"}) {
    auto x = parse_restconf_pairs(text);
    INFO(text);
    REQUIRE(x);
    CHECK(*x == restconf_pairs{{1, 25}});
  }
  CHECK(parse_restconf_pairs(R"({"pair":[]})")->empty());
  CHECK(parse_restconf_pairs(R"({"optical-switch:cross-connects":{}})")->empty());
  CHECK(print_restconf(restconf_pairs{{1, 25}}, "pair") == one_pair);
}

TEST_CASE("what is no list of cross-connects is refused") {
  for (auto* text :
       {"", "{", "[]", "1", "{}", R"({"pair":{}})", R"({"pair":[1]})", R"({"pair":[{}]})",
        R"({"pair":[{"ingress":1}]})", R"({"pair":[{"ingress":0,"egress":2}]})",
        R"({"pair":[{"ingress":1,"egress":65536}]})", R"({"pair":[{"ingress":-1,"egress":2}]})",
        R"({"pair":[{"ingress":1.5,"egress":2}]})", R"({"pair":[{"ingress":"1x","egress":2}]})",
        R"({"pair":[{"ingress":1,"egress":null}]})", R"({"pair":[],"pair":[]})"})
    CHECK_FALSE(parse_restconf_pairs(text));
  restconf_pairs many(restconf_entries_max + 1, restconf_pair{1, 2});
  CHECK_FALSE(parse_restconf_pairs(print_restconf(many, "pair")));
  many.pop_back();
  CHECK(parse_restconf_pairs(print_restconf(many, "pair")));
}

TEST_CASE("port states are read as they are written; a state of another firmware is unsupported") {
  std::vector<restconf_port> ports{
    {1, restconf_state::enabled}, {2, restconf_state::disabled}, {3, restconf_state::failed}};
  auto text = print_restconf(ports);
  CHECK(text
        == R"({"optical-switch:port":[{"port-id":1,"status":"ENABLED"},)"
           R"({"port-id":2,"status":"DISABLED"},{"port-id":3,"status":"FAILED"}]})");
  auto again = parse_restconf_ports(text);
  REQUIRE(again);
  REQUIRE(again->size() == 3);
  CHECK((*again)[2].state == restconf_state::failed);
  auto other = parse_restconf_ports(R"({"port":[{"port-id":"7","status":3},{"port-id":8}]})");
  REQUIRE(other);
  CHECK((*other)[0].id == 7);
  CHECK((*other)[0].state == restconf_state::unsupported);
  for (auto* x : {"", "{}", R"({"port":[{}]})", R"({"port":7})", R"({"port":["7"]})"})
    CHECK_FALSE(parse_restconf_ports(x));
}

TEST_CASE("product information is read as it is written") {
  auto text = print_restconf(restconf_product{"Polatis", "002414", "I-OST-24x24", "6.5.2.18"});
  auto x = parse_restconf_product(text);
  REQUIRE(x);
  CHECK(x->manufacturer == "Polatis");
  CHECK(x->serial_number == "002414");
  CHECK(x->model_name == "I-OST-24x24");
  CHECK(x->software_version == "6.5.2.18");
  CHECK(parse_restconf_product(R"({"model-name":"x\n"})")->model_name == "x?");
  for (auto* y : {"", "[]", "{}", R"({"product-information":1})", R"({"model-name":1})"})
    CHECK_FALSE(parse_restconf_product(y));
}

TEST_CASE("a change of port states is read") {
  auto x = parse_restconf_port_change(
    R"({"optical-switch:input":{"port-enab":[1,2],"port-disab":["3"]}})");
  REQUIRE(x);
  CHECK(x->enable == std::vector<uint16_t>{1, 2});
  CHECK(x->disable == std::vector<uint16_t>{3});
  for (auto* y : {"", "{}", R"({"input":1})", R"({"input":{"port-enab":1}})",
                  R"({"input":{"port-enab":[0]}})"})
    CHECK_FALSE(parse_restconf_port_change(y));
}

TEST_CASE("errors of RFC 8040 are read, and those of other makes as far as they go") {
  auto x = parse_restconf_error(print_restconf(restconf_error{"in-use", "port 25 is taken"}));
  CHECK(x.tag == "in-use");
  CHECK(x.message == "port 25 is taken");
  CHECK(parse_restconf_error(R"({"errors":{"error":{"error-tag":"a"}}})").tag == "a");
  CHECK(parse_restconf_error(R"({"message":"no"})").message == "no");
  for (auto* y : {"", "<html>", "{}", R"({"errors":{"error":[]}})", R"({"errors":1})"})
    CHECK(parse_restconf_error(y).tag.empty());
}

TEST_CASE("paths name resources") {
  auto what = [](const char* x) { return parse_restconf_target(x).what; };
  CHECK(what("/api/data/cross-connects/pair") == resource::pairs);
  CHECK(what("/api/data/optical-switch:cross-connects/pairs") == resource::pairs);
  CHECK(parse_restconf_target("/api/data/optical-switch:cross-connects/pairs").list == "pairs");
  CHECK(parse_restconf_target("/api/data/cross-connects/pair=17").key == 17);
  CHECK(parse_restconf_target("/api/data/cross-connects").container);
  CHECK(what("/api/data/port-config/port") == resource::ports);
  CHECK(parse_restconf_target("/api/data/port-config/port=3").key == 3);
  CHECK(what("/api/data/product-information") == resource::product);
  CHECK(what("/api/operations/optical-switch:port-set-state") == resource::port_set_state);
  for (auto* x :
       {"", "/", "/api", "/api/data/", "/api/data/cross-connectsx", "/api/data/cross-connects/",
        "/api/data/cross-connects/pair=", "/api/data/cross-connects/pair=0",
        "/api/data/cross-connects/pair=1x", "/api/data/cross-connects/pair=65536",
        "/api/data/cross-connects/pair?x=1", "/api/data/cross-connects/../product-information",
        "/api/data/product-information/x", "/api/operations/reboot"})
    CHECK(what(x) == resource::none);
}

TEST_CASE("an entity tag stands for a body") {
  auto tag = restconf_etag(one_pair);
  CHECK(tag.size() == 18);
  CHECK(restconf_etag(one_pair) == tag);
  CHECK(restconf_etag(one_pair + " ") != tag);
  CHECK(names_etag(tag, tag));
  CHECK(names_etag("*", tag));
  CHECK(names_etag("\"a\", W/" + tag, tag));
  for (auto* x : {"", "\"a\"", ",", "W/"})
    CHECK_FALSE(names_etag(x, tag));
}

TEST_CASE("any bytes are RESTCONF or refused") {
  std::mt19937 random{7};
  const std::string texts[] = {
    one_pair, R"({"optical-switch:port":[{"port-id":1,"status":"ENABLED"}]})",
    R"({"ietf-restconf:errors":{"error":[{"error-tag":"in-use","error-message":"x"}]}})",
    R"({"input":{"port-enab":[1,2]}})", "/api/data/cross-connects/pair=17"};
  for (int i = 0; i < 50000; ++i) {
    auto text = texts[random() % 5];
    for (auto n = random() % 4; n > 0; --n)
      text[random() % text.size()] = static_cast<char>(random());
    if (auto x = parse_restconf_pairs(text))
      REQUIRE(*parse_restconf_pairs(print_restconf(*x, "pair")) == *x);
    parse_restconf_ports(text);
    parse_restconf_product(text);
    parse_restconf_port_change(text);
    parse_restconf_error(text);
    parse_restconf_target(text);
    names_etag(text, "\"1\"");
  }
  CHECK_FALSE(parse_restconf_pairs(std::string(100000, '[')));
}
