#include "runtime/faults/plan.hpp"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace qnfv;

namespace {

fault_places some_places() {
  fault_places out;
  out.edges = {"co<>dc1", "co<>dc2"};
  out.sites = {"co", "dc1", "dc2"};
  out.roles = {"co/key_pool", "dc1/key_pool"};
  out.links = {"bob1/alice1"};
  out.vims = {"dc1"};
  return out;
}

fault_plan plan(const std::string& faults) {
  auto x = parse_fault_plan("{\"name\": \"p\", \"faults\": [" + faults + "]}", "p.json");
  INFO((x ? "" : x.error().text));
  REQUIRE(x);
  return *x;
}

std::string refusal(const std::string& fault) {
  auto x = parse_fault_plan("{\"name\": \"p\", \"faults\": [\n" + fault + "]}", "p.json");
  REQUIRE_FALSE(x);
  CHECK(x.error().code == ec::bad_config);
  return x.error().text;
}

} // namespace

TEST_CASE("a plan says what, where, when, how long, how often and with what probability") {
  auto x = plan(R"({"fault": "drop", "where": "co>dc1", "at_s": 3, "for_s": 5, "probability": 0.25})").faults[0];
  CHECK(x.what == fault_kind::drop);
  CHECK(x.where == "co>dc1");
  CHECK(x.at_s == 3);
  CHECK(x.for_s.low == 5);
  CHECK(x.probability.high == 0.25);
}

TEST_CASE("what a plan leaves out is the fault's own default") {
  auto x = plan(R"({"fault": "delay", "every_s": 60})").faults[0];
  CHECK(x.amount.low == traits(fault_kind::delay).amount_default);
  CHECK(x.for_s.high == traits(fault_kind::delay).for_s_default);
  CHECK(x.probability.low == 1);
}

TEST_CASE("every mistake in a plan is named with its line") {
  CHECK(refusal(R"({"fault": "dorp", "at_s": 1})").find("p.json:2: /faults/0/fault") == 0);
  CHECK(refusal(R"({"fault": "drop"})") == "p.json:2: /faults/0: when? give at_s, every_s or both");
  CHECK(refusal(R"({"fault": "drop", "delay_ms": 3, "at_s": 1})").find("/faults/0/delay_ms: drop has no amount")
        != std::string::npos);
  CHECK(refusal(R"({"fault": "delay", "share": 0.3, "at_s": 1})").find("delay has delay_ms") != std::string::npos);
  CHECK(refusal(R"({"fault": "drop", "where": "dc1", "at_s": 1})").find("/faults/0/where: \"dc1\" is no edge")
        != std::string::npos);
  CHECK(refusal(R"({"fault": "drop", "probability": 1.5, "at_s": 1})").find("at most 1") != std::string::npos);
  CHECK(refusal(R"({"fault": "drop", "for_s": [9, 3], "at_s": 1})").find("[low, high]") != std::string::npos);
  CHECK(refusal(R"({"fault": "crash", "nth": 3, "at_s": 1})").find("on_message") != std::string::npos);
  CHECK(refusal(R"({"fault": "crash", "on_message": "assign_key", "at_s": 1})")
        == "p.json:2: /faults/0/on_message: no message is called assign_key; did you mean assign_keys?");
  CHECK(refusal(R"({"fault": "crash", "wher": "dc1", "at_s": 1})").find("did you mean \"where\"") != std::string::npos);
}

TEST_CASE("the same seed draws the same faults, another seed others") {
  auto x = plan(R"({"fault": "delay", "delay_ms": [1, 100], "every_s": 10}, {"fault": "crash", "every_s": 30})");
  auto first = draw_faults(x, some_places(), 7, 600), again = draw_faults(x, some_places(), 7, 600);
  auto other = draw_faults(x, some_places(), 8, 600);
  REQUIRE(first);
  REQUIRE(first->size() == again->size());
  for (size_t i = 0; i < first->size(); ++i) {
    CHECK((*first)[i].at_s == (*again)[i].at_s);
    CHECK(describe((*first)[i].what) == describe((*again)[i].what));
    CHECK((*first)[i].what.amount <= 100);
  }
  CHECK((*first)[0].at_s != (*other)[0].at_s);
}

TEST_CASE("a line of a plan draws for itself: another line changes nothing") {
  auto alone = draw_faults(plan(R"({"fault": "crash", "every_s": 30})"), some_places(), 7, 600);
  auto both = draw_faults(plan(R"({"fault": "crash", "every_s": 30}, {"fault": "drop", "every_s": 30})"),
                          some_places(), 7, 600);
  size_t crashes = 0;
  for (auto& x : *both)
    if (x.what.what == fault_kind::crash)
      CHECK(x.at_s == (*alone)[crashes++].at_s);
  CHECK(crashes == alone->size());
}

TEST_CASE("faults come in the order of their times and within the span") {
  auto all = draw_faults(plan(R"({"fault": "crash", "every_s": 5}, {"fault": "drop", "at_s": 50},
                                 {"fault": "freeze", "at_s": 700})"),
                         some_places(), 1, 600);
  REQUIRE(all);
  for (size_t i = 1; i < all->size(); ++i)
    CHECK((*all)[i - 1].at_s <= (*all)[i].at_s);
  CHECK(all->back().at_s < 600);
}

TEST_CASE("an edge that is drawn for one way is one of its two directions") {
  auto all = draw_faults(plan(R"({"fault": "one_way", "every_s": 5})"), some_places(), 1, 600);
  std::set<std::string> seen;
  for (auto& x : *all)
    seen.insert(x.what.where);
  CHECK(seen == std::set<std::string>{"co>dc1", "dc1>co", "co>dc2", "dc2>co"});
}

TEST_CASE("a place that the lab has not is an error; anywhere without a place is left out") {
  auto missing = draw_faults(plan(R"({"fault": "crash", "where": "dc9", "at_s": 1})"), some_places(), 1, 60);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text == "p: this lab has no site dc9; did you mean dc1?");
  auto edge = check_place(some_places(), fault_kind::partition, "dc1<>dc2");
  REQUIRE_FALSE(edge);
  CHECK(edge.error().text.find("this lab has no edge dc1<>dc2; ") == 0);
  CHECK(check_place(some_places(), fault_kind::one_way, "dc1>co"));
  CHECK_FALSE(check_place(some_places(), fault_kind::drop, "dc1"));
  auto nowhere = plan(R"({"fault": "stuck_port", "every_s": 1})");
  CHECK(draw_faults(nowhere, some_places(), 1, 60)->empty());
  CHECK(placeless(nowhere, some_places()) == std::set<fault_kind>{fault_kind::stuck_port});
}

TEST_CASE("the plans in config/faults are good, and all.json knows every kind") {
  std::set<fault_kind> kinds;
  for (auto& file : std::filesystem::directory_iterator{std::string{QNFV_SOURCE_DIR} + "/config/faults"}) {
    auto x = load_fault_plan(file.path().string());
    INFO((x ? "" : x.error().text));
    REQUIRE(x);
    CHECK_FALSE(x->about.empty());
    if (file.path().filename() == "all.json")
      for (auto& each : x->faults)
        kinds.insert(each.what);
  }
  CHECK(kinds.size() == fault_kind_count);
}

TEST_CASE("places are read as they are written") {
  auto edge = parse_fault_place(fault_place::edge, "co<>dc1");
  REQUIRE(edge);
  CHECK(edge->first == "co");
  CHECK(edge->second == "dc1");
  CHECK(edge->both_ways);
  CHECK_FALSE(parse_fault_place(fault_place::edge, "co>dc1")->both_ways);
  CHECK(parse_fault_place(fault_place::role, "co/link/bob1/alice1")->second == "link/bob1/alice1");
  CHECK(parse_fault_place(fault_place::port, "polatis1:27")->port == 27);
  CHECK(parse_fault_place(fault_place::port, "polatis1")->port == 0);
  for (auto* bad : {"", "co", "co>", ">dc1", "co<>co", "a<>b<>c"})
    CHECK_FALSE(parse_fault_place(fault_place::edge, bad));
  for (auto* bad : {"", "p:", "p:0", "p:65536", "p:1x", "p:99999999999999999999"})
    CHECK_FALSE(parse_fault_place(fault_place::port, bad));
  CHECK_FALSE(parse_fault_place(fault_place::role, "co/"));
}
