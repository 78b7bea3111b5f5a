#include "actors/scheduler/capacity.hpp"
#include "actors/scheduler/policies.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cmath>

using namespace qnfv;

namespace {

/// Demand is 1 bit/s unless a test says otherwise, so bits are seconds.
link_outlook alice(const std::string& name, double initialisation_s, double life_s) {
  link_outlook x;
  x.link = link_id{name};
  x.initialisation_s = initialisation_s;
  x.stock_bits = life_s;
  x.capacity_bits = 1e6;
  x.rate_bps = 10;
  x.demand.level_bps = 1;
  x.demand.variance = 1;
  return x;
}

outlook one_bob(std::vector<link_outlook> links, size_t active = no_link) {
  outlook out;
  out.now_s = 1000;
  out.links = std::move(links);
  bob_outlook bob;
  bob.bob = device_id{"bob1"};
  bob.active = active;
  bob.doing = active == no_link ? bob_activity::free : bob_activity::producing;
  for (size_t i = 0; i < out.links.size(); ++i)
    bob.links.push_back(i);
  out.bobs.push_back(bob);
  return out;
}

bool goes_to(const decision& x, size_t link) {
  return x.to_do == decision::what::go && x.link == link;
}

bool stays(const decision& x) {
  return x.to_do == decision::what::stay;
}

/// Three waiting links with 400, 572 and 1265 s of initialisation in the order of their lives, and an
/// active one that may leave.
outlook worked_case(double life0, double life1, double life2, double active_life = 1e5) {
  return one_bob({alice("a", 400, life0), alice("b", 572, life1), alice("c", 1265, life2),
                  alice("d", 300, active_life)},
                 3);
}

} // namespace

TEST_CASE("paper: the n-th waiting link must live for twice the starts before it and its own") {
  auto paper = make_paper();
  // T = 400, 2 x 400 + 572 = 1372, 2 x 400 + 2 x 572 + 1265 = 3209 s.
  CHECK(stays(paper->decide(worked_case(400, 1372, 3209), 0)));
  CHECK(goes_to(paper->decide(worked_case(399, 1372, 3209), 0), 0));
  CHECK(goes_to(paper->decide(worked_case(400, 1371, 3209), 0), 0));
  CHECK(goes_to(paper->decide(worked_case(400, 1372, 3208), 0), 0));
}

TEST_CASE("paper: a free Bob begins with the link of the shortest remaining life") {
  auto paper = make_paper();
  CHECK(goes_to(paper->decide(one_bob({alice("a", 400, 900), alice("b", 400, 800)}), 0), 1));
  auto x = one_bob({alice("a", 400, 900), alice("b", 400, 800)});
  x.links[0].demand.level_bps = 2; // 450 s
  CHECK(goes_to(paper->decide(x, 0), 0));
}

TEST_CASE("paper: links that live equally long are taken by name") {
  auto paper = make_paper();
  CHECK(goes_to(paper->decide(one_bob({alice("b", 400, 900), alice("a", 400, 900)}), 0), 1));
  CHECK(goes_to(
    paper->decide(one_bob({alice("b", 400, 100), alice("a", 400, 100), alice("c", 9, 1e5)}, 2), 0),
    1));
}

TEST_CASE("paper: the active link is held until it has twice the starts of the others") {
  auto paper = make_paper();
  auto hold = 2 * (400 + 572 + 1265.0);
  auto held = worked_case(100, 2000, 4000, hold - 1);
  CHECK(stays(paper->decide(held, 0)));
  auto alarm = paper->alarm(0);
  REQUIRE(alarm);
  CHECK(alarm->worst == 0);
  CHECK(alarm->runs_dry_s == Approx(100));
  CHECK(alarm->reason.find("d is 1 bits short") != std::string::npos);
  CHECK(alarm->reason.find("a is critical") != std::string::npos);
  SECTION("it stays raised while that lasts") {
    paper->decide(held, 0);
    CHECK(paper->alarm(0));
  }
  SECTION("it ends when the active link may leave") {
    CHECK(goes_to(paper->decide(worked_case(100, 2000, 4000, hold), 0), 0));
    CHECK_FALSE(paper->alarm(0));
  }
  SECTION("it ends when nobody is critical any more") {
    paper->decide(worked_case(5000, 6000, 7000, hold - 1), 0);
    CHECK_FALSE(paper->alarm(0));
  }
}

TEST_CASE("paper: a full pool ends the visit") {
  auto paper = make_paper();
  auto x = worked_case(5000, 6000, 7000);
  x.links[3].stock_bits = x.links[3].capacity_bits;
  CHECK(goes_to(paper->decide(x, 0), 0));
  for (size_t i = 0; i < 3; ++i)
    x.links[i].stock_bits = x.links[i].capacity_bits;
  CHECK(stays(paper->decide(x, 0))); // Nobody wants keys.
}

TEST_CASE(
  "paper: the adaptive stop is off unless asked for, and then compares with the others' lives") {
  auto x = worked_case(10000, 20000, 30000, 25000);
  CHECK(stays(make_paper()->decide(x, 0)));
  CHECK(stays(make_paper(adaptive_stop::max)->decide(x, 0)));
  CHECK(goes_to(make_paper(adaptive_stop::mean)->decide(x, 0), 0));
  x.links[3].stock_bits = 30000;
  CHECK(goes_to(make_paper(adaptive_stop::max)->decide(x, 0), 0));
  SECTION("but not before the hold is met") {
    auto y = worked_case(4000, 4100, 4200, 4300);
    CHECK(stays(make_paper(adaptive_stop::max)->decide(y, 0)));
  }
}

TEST_CASE("paper: links that cannot be served are neither critical nor waited for") {
  auto paper = make_paper();
  auto x = worked_case(10, 2000, 4000, 2 * (572 + 1265.0));
  x.links[0].available = false;
  CHECK(stays(paper->decide(x, 0)));
  CHECK_FALSE(paper->alarm(0));
}

TEST_CASE("every policy leaves a starting link alone, and keeps a Bob whose only link it serves") {
  for (auto& name : policy_names()) {
    INFO(name);
    auto policy = make_policy(name);
    auto x = worked_case(1, 1, 1);
    x.bobs[0].doing = bob_activity::starting;
    CHECK(stays(policy->decide(x, 0)));
    CHECK(stays(make_policy(name)->decide(one_bob({alice("a", 400, 10)}, 0), 0)));
  }
}

TEST_CASE("every policy serves the only link of a free Bob") {
  for (auto& name : policy_names()) {
    INFO(name);
    CHECK(goes_to(make_policy(name)->decide(one_bob({alice("a", 400, 10)}), 0), 0));
  }
}

TEST_CASE("every policy bears links without demand, empty pools, and links that all failed") {
  for (auto& name : policy_names()) {
    INFO(name);
    auto policy = make_policy(name);
    auto quiet = one_bob({alice("a", 400, 10), alice("b", 400, 10)});
    for (auto& x : quiet.links)
      x.demand.level_bps = x.demand.variance = 0;
    auto first = policy->decide(quiet, 0);
    CHECK((stays(first) || first.link < 2));
    auto empty = one_bob({alice("a", 400, 0), alice("b", 400, 0)}, 0);
    CHECK_NOTHROW(policy->decide(empty, 0));
    auto failed = one_bob({alice("a", 400, 0), alice("b", 400, 0)});
    for (auto& x : failed.links)
      x.available = false;
    auto nobody = policy->decide(failed, 0);
    CHECK(nobody.link == no_link);
    CHECK_NOTHROW(policy->decide(one_bob({}), 0));
  }
}

TEST_CASE("best: who is due first is who is served next, also while Bob is behind") {
  auto lives =
    GENERATE(std::array<double, 3>{20000, 15000, 90000}, std::array<double, 3>{900, 0, 0});
  auto best = make_best();
  auto x =
    one_bob({alice("a", 400, lives[0]), alice("b", 1200, lives[1]), alice("c", 600, lives[2])});
  for (auto& link : x.links)
    link.capacity_bits = 40000;
  // Many looks ahead at one moment: also the search for an order has begun.
  decision next;
  for (int i = 0; i < 500; ++i)
    next = best->decide(x, 0);
  REQUIRE(next.to_do == decision::what::go);
  for (size_t i = 0; i < 3; ++i)
    CHECK(best->due_s(x, next.link) <= best->due_s(x, i));
  SECTION("and links that are not the ones it planned for do no harm") {
    x.bobs[0].links = {1};
    ++x.bobs[0].generation;
    CHECK(std::isfinite(best->due_s(x, 1)));
    CHECK(goes_to(best->decide(x, 0), 1));
  }
}

TEST_CASE("there is no policy of another name") {
  CHECK(make_policy("lottery") == nullptr);
}

TEST_CASE("a day's shape moves when a stock runs out") {
  day_shape day;
  std::array<double, 24> factors{};
  for (size_t h = 0; h < 24; ++h)
    factors[h] = h < 12 ? 1.5 : 0.5;
  day.set(factors);
  demand_forecast x;
  x.level_bps = 1;
  x.day = &day;
  CHECK(x.bits(0, 86400) == Approx(86400));
  CHECK(x.bits(0, 43200) == Approx(64800));
  CHECK(x.run_out_s(1.5 * 3600, 0) == Approx(3600));
  CHECK(x.run_out_s(0.5 * 3600, 43200) == Approx(3600));
  CHECK(x.now_bps() == Approx(1.5));
}

TEST_CASE("a surge fades from a forecast") {
  demand_forecast x;
  x.level_bps = 1;
  x.surplus_bps = 3;
  x.fade_s = 3600;
  CHECK(x.now_bps() == Approx(4));
  CHECK(x.bits(0, 1e6) == Approx(1e6 + 3 * 3600).epsilon(0.001));
  CHECK(x.run_out_s(x.bits(0, 5000), 0) == Approx(5000).margin(15));
}

TEST_CASE("what fluids need of a Bob") {
  // 25 km: 100 bit/s, 1265 s; a day's pool at 29 bit/s.
  CHECK(fluid_load({29.05, 100, 1265, 2509753}) == Approx(0.2942).margin(0.01));
  CHECK(fluid_load({0, 100, 1265, 1000}) == 0);
  CHECK(fluid_load({200, 100, 1265, 1000}) == Approx(2));
}

TEST_CASE("overload is shared so that the score is best and nobody falls far behind") {
  auto all = fair_fractions({0.1, 0.2, 0.3}, 1);
  CHECK(all == std::vector<double>{1, 1, 1});
  auto some = fair_fractions({0.12, 0.19, 1.1}, 0.9);
  double used = 0.12 * some[0] + 0.19 * some[1] + 1.1 * some[2];
  CHECK(used == Approx(0.9).margin(1e-3));
  CHECK(some[0] == Approx(1).margin(1e-6));
  CHECK(some[2] >= 0.5 * (some[0] + some[1] + some[2]) / 3);
  auto bounded = fair_fractions({0.12, 0.19, 1.1}, 0.9, {0.8, 1, 1});
  CHECK(bounded[0] <= 0.8 + 1e-9);
  CHECK(fairness_score({1, 0.5}) == Approx(0.625));
}
