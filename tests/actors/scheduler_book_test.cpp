#include "actors/scheduler/assignment.hpp"
#include "actors/scheduler/book.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <random>

using namespace qnfv;

namespace {

/// A small random world: links with their own rates, starts and demand, some of which fail.
struct random_network {
  explicit random_network(uint32_t seed, const std::string& policy) : random(seed) {
    auto bobs = 1 + random() % 3;
    for (size_t b = 0; b < bobs; ++b)
      book.add_bob(device_id{"bob" + std::to_string(b + 1)});
    auto n = 1 + random() % 12;
    auto load = 0.3 + 0.6 * uniform();
    for (size_t i = 0; i < n; ++i) {
      link x;
      x.bob = i % bobs;
      x.rate = 100 + 3000 * uniform();
      x.init = 300 + 900 * uniform();
      x.demand = x.rate * load / (static_cast<double>(n) / static_cast<double>(bobs) + 1)
                 * (0.5 + uniform());
      x.cap = x.demand * 40000;
      x.stock = x.cap * uniform();
      links.push_back(x);
      schedule_book::new_link y;
      y.link = link_id{"bob" + std::to_string(x.bob + 1) + "/alice" + std::to_string(i)};
      y.bob = x.bob;
      y.rate_bps = x.rate;
      y.initialisation_s = x.init;
      book.add_link(y);
      book.reachable(i, true, 0);
    }
    REQUIRE(book.set_policy(policy));
  }

  double uniform() { return static_cast<double>(random() % 100000) / 1e5; }

  struct link {
    size_t bob = 0;
    double rate = 0, init = 0, demand = 0, cap = 0, stock = 0, asked = 0;
    bool serving = false, producing = false;
    double ready = 0, last_served = 0;
  };

  void tell(size_t i, const std::string& reason = {}) {
    auto& x = links[i];
    book.link_said(i, {x.serving, x.producing, x.producing ? x.rate : 0, reason}, t);
  }

  /// One tick; `seen` is called at each command, before it is done.
  template <class F>
  void step(F seen) {
    for (size_t i = 0; i < links.size(); ++i) {
      auto& x = links[i];
      if (x.serving && !x.producing && x.ready <= t) {
        if (random() % 20 == 0) {
          x.serving = false;
          tell(i, "initialisation failed");
        } else {
          x.producing = true;
          x.last_served = t;
          tell(i);
        }
      }
      if (x.producing)
        x.last_served = t;
      book.pool_seen(i, x.stock, x.cap, x.asked, t);
    }
    for (bool more = true; more;) {
      more = false;
      for (auto& command : book.plan(t)) {
        seen(command);
        log.push_back(static_cast<int>(command.to_do) * 1000 + static_cast<int>(command.link));
        auto& x = links[command.link];
        if (command.to_do == command::what::serve) {
          x.serving = true;
          x.ready = t + x.init;
          tell(command.link);
        } else if (command.to_do == command::what::release) {
          x.serving = x.producing = false;
          tell(command.link);
          more = true;
        }
      }
    }
    for (auto& x : links) {
      auto wanted = x.demand * 10;
      x.asked += wanted;
      x.stock = std::min(x.cap, x.stock + (x.producing ? x.rate * 10 : 0));
      if (x.stock >= wanted)
        x.stock -= wanted;
    }
    t += 10;
  }

  std::mt19937 random;
  schedule_book book;
  std::vector<link> links;
  std::vector<int> log;
  double t = 0;
};

schedule_book two_links(book_options options = {}) {
  schedule_book book{options};
  book.add_bob(device_id{"bob1"});
  for (auto* name : {"bob1/alice1", "bob1/alice2"}) {
    schedule_book::new_link x;
    x.link = link_id{name};
    x.rate_bps = 1000;
    x.initialisation_s = 400;
    book.reachable(book.add_link(x), true, 0);
  }
  book.set_policy("earliest_deadline");
  for (size_t i = 0; i < 2; ++i) {
    book.pool_seen(i, 1000.0 * static_cast<double>(i + 1), 1e6, 0, 0);
    book.pool_seen(i, 1000.0 * static_cast<double>(i + 1), 1e6, 100, 10);
  }
  return book;
}

bool is(const std::vector<command>& all, command::what what, size_t link) {
  return all.size() == 1 && all[0].to_do == what && all[0].link == link;
}

} // namespace

TEST_CASE("in 1,000 random networks the paper's rules hold at each switch-over (I27)") {
  for (uint32_t seed = 1; seed <= 1000; ++seed) {
    random_network net{seed, "paper"};
    size_t changes = 0;
    for (int n = 0; n < 700; ++n)
      net.step([&](const command& x) {
        auto& now = net.book.now();
        auto bob = net.book.bob_of(x.link);
        // Two links never have one Bob (I7, I25, I29 as far as a scheduler decides them).
        if (x.to_do == command::what::serve) {
          auto serving = std::count_if(net.links.begin(), net.links.end(), [&](auto& other) {
            return other.bob == bob && other.serving;
          });
          REQUIRE(serving == 0);
        }
        if (x.to_do != command::what::release || now.bobs[bob].doing != bob_activity::producing)
          return;
        auto& a = now.links[x.link];
        if (a.full())
          return;
        double twice = 0;
        bool critical = false;
        std::vector<size_t> waiting;
        for (auto i : now.bobs[bob].links)
          if (i != x.link && now.links[i].available)
            waiting.push_back(i);
        std::sort(waiting.begin(), waiting.end(), [&](size_t p, size_t q) {
          return now.links[p].life_s() < now.links[q].life_s();
        });
        for (auto i : waiting) {
          critical = critical || now.links[i].life_s() < twice + now.links[i].initialisation_s;
          twice += 2 * now.links[i].initialisation_s;
        }
        INFO("seed " << seed << ", " << a.link.value);
        REQUIRE(critical);
        REQUIRE(a.stock_bits >= a.demand_bps() * twice * (1 - 1e-9));
        ++changes;
      });
    (void)changes;
  }
}

TEST_CASE("in random networks nobody with demand starves without an alarm (I28)") {
  for (std::string policy : {"paper", "best"})
    for (uint32_t seed = 1; seed <= 60; ++seed) {
      random_network net{seed, policy};
      bool alarmed = false;
      for (int n = 0; n < 6000; ++n) {
        net.step([](const command&) {});
        alarmed = alarmed || !net.book.alarms().empty();
      }
      for (auto& x : net.links) {
        INFO(policy << ", seed " << seed);
        // A full pool lasts 40,000 s; 60,000 s have passed.
        CHECK((alarmed || x.last_served > 0));
      }
    }
}

TEST_CASE("the same events give the same decisions") {
  for (auto& policy : policy_names()) {
    random_network a{7, policy}, b{7, policy};
    for (int n = 0; n < 3000; ++n) {
      a.step([](const command&) {});
      b.step([](const command&) {});
    }
    INFO(policy);
    CHECK(a.log == b.log);
    CHECK_FALSE(a.log.empty());
  }
}

TEST_CASE("Bob goes to the next link only when the last one says that it has let go") {
  auto book = two_links();
  REQUIRE(is(book.plan(10), command::what::serve, 0));
  book.link_said(0, {true, false, 0, {}}, 11);
  book.link_said(0, {true, true, 1000, {}}, 400);
  book.pool_seen(0, 1e6, 1e6, 4000, 410);
  book.pool_seen(1, 2000, 1e6, 4000, 410);
  REQUIRE(is(book.plan(410), command::what::release, 0));
  CHECK(book.plan(420).empty());
  CHECK(book.plan(430).empty());
  book.link_said(0, {false, false, 0, {}}, 435);
  CHECK(is(book.plan(435), command::what::serve, 1));
  CHECK(book.record(0).failures == 0);
}

TEST_CASE("a link that does not let go is told again, and Bob waits") {
  auto book = two_links();
  book.plan(10);
  book.link_said(0, {true, true, 1000, {}}, 400);
  book.pool_seen(0, 1e6, 1e6, 4000, 410);
  book.plan(410);
  CHECK(is(book.plan(471), command::what::release, 0));
  CHECK(book.plan(480).empty());
}

TEST_CASE(
  "a failing link waits longer each time, then has only its retry budget; others are served") {
  book_options options;
  auto book = two_links(options);
  double t = 10;
  std::vector<double> tries;
  size_t other = 0;
  for (; t < 40000; t += 10) {
    book.pool_seen(0, 1000, 1e6, t, t);
    book.pool_seen(1, 500000, 1e6, t, t);
    for (bool more = true; more;) {
      more = false;
      for (auto& x : book.plan(t)) {
        if (x.to_do == command::what::serve && x.link == 0) {
          tries.push_back(t);
          book.link_said(0, {false, false, 0, "no light"}, t);
          more = true;
        } else if (x.to_do == command::what::serve) {
          ++other;
          book.link_said(1, {true, false, 0, {}}, t);
          book.link_said(1, {true, true, 1000, {}}, t + 1);
        } else if (x.to_do == command::what::release) {
          book.link_said(x.link, {false, false, 0, {}}, t);
          more = true;
        }
      }
    }
  }
  REQUIRE(tries.size() > options.retry_budget);
  CHECK(tries[2] - tries[1] >= 2 * options.backoff_first_s);
  auto n = tries.size();
  CHECK(tries[n - 1] - tries[n - 2] >= options.suspended_s);
  CHECK(other > 0);
  auto alarms = book.alarms();
  REQUIRE(alarms.size() == 1);
  CHECK(alarms[0].of_link);
  CHECK(alarms[0].alarm.reason.find("no light") != std::string::npos);
}

TEST_CASE("a refused command counts as a failure, a lost one is asked after") {
  auto book = two_links();
  REQUIRE(is(book.plan(10), command::what::serve, 0));
  SECTION("refused") {
    book.refused(0, false, "busy", 11);
    CHECK(book.record(0).failures == 1);
    CHECK(is(book.plan(12), command::what::serve, 1));
  }
  SECTION("lost") {
    book.refused(0, true, "no answer", 11);
    CHECK(book.plan(20).empty());
    CHECK(is(book.plan(71), command::what::ask, 0));
    book.link_said(0, {false, false, 0, {}}, 72);
    CHECK(book.record(0).failures == 1);
    CHECK(is(book.plan(73), command::what::serve, 1));
  }
}

TEST_CASE("a start that never ends is given up") {
  auto book = two_links();
  book.plan(10);
  book.link_said(0, {true, false, 0, {}}, 11);
  CHECK(book.plan(1000).empty());
  CHECK(is(book.plan(1700), command::what::release, 0));
  book.link_said(0, {false, false, 0, {}}, 1701);
  CHECK(is(book.plan(1702), command::what::serve, 1));
}

TEST_CASE("links that an earlier scheduler left serving are taken over, a second one is let go") {
  auto book = two_links();
  book.link_said(1, {true, true, 1000, {}}, 1);
  book.link_said(0, {true, false, 0, {}}, 2);
  auto commands = book.plan(3);
  REQUIRE_FALSE(commands.empty());
  CHECK(commands[0].to_do == command::what::release);
  CHECK(commands[0].link == 0);
  CHECK(std::none_of(commands.begin(), commands.end(),
                     [](auto& x) { return x.to_do == command::what::serve; }));
  CHECK(book.now().bobs[0].active == 1);
}

TEST_CASE("a Bob that is gone serves nobody; its links are served when it is back") {
  auto book = two_links();
  book.plan(10);
  book.bob_up(0, false, 20);
  CHECK(book.plan(30).empty());
  book.bob_up(0, true, 40);
  book.link_said(0, {false, false, 0, "lost"}, 41);
  CHECK(is(book.plan(50), command::what::serve, 0));
  CHECK(book.record(0).failures == 0);
}

TEST_CASE("figures that are no figures are refused") {
  auto book = two_links();
  auto before = book.now().links[0].stock_bits;
  for (double bad : {-1.0, std::nan(""), never_s}) {
    book.pool_seen(0, bad, 1e6, 200, 10);
    book.pool_seen(0, 1000, bad, 200, 10);
    book.pool_seen(0, 1000, 1e6, bad, 10);
  }
  CHECK(std::isfinite(book.now().links[0].stock_bits));
  CHECK(book.now().links[0].stock_bits <= before);
  CHECK(book.now().links[0].stock_bits >= 0);
  CHECK(std::isfinite(book.now().links[0].demand_bps()));
  CHECK(book.now().links[0].capacity_bits == 1e6);
}

TEST_CASE("another policy keeps what was learnt") {
  auto book = two_links();
  auto demand = book.now().links[0].demand_bps();
  CHECK(demand > 0);
  CHECK_FALSE(book.set_policy("lottery"));
  CHECK(book.set_policy("paper"));
  CHECK(std::string{book.current().name()} == "paper");
  CHECK(book.now().links[0].demand_bps() == demand);
}

TEST_CASE("demand is learnt from what is asked, served or not, and starts over with a pool") {
  demand_estimator x;
  double t = 0;
  for (; t < 6 * 3600; t += 10)
    x.saw(1000, 10, t);
  CHECK(x.forecast(t).now_bps() == Approx(100).epsilon(0.01));
  x.saw(-5, 10, t);
  x.saw(std::nan(""), 10, t);
  CHECK(x.forecast(t).now_bps() == Approx(100).epsilon(0.01));
  SECTION("a surge shows within the hour") {
    for (auto end = t + 3600; t < end; t += 10)
      x.saw(4000, 10, t);
    CHECK(x.forecast(t).now_bps() > 300);
  }
}

TEST_CASE("what an empty pool was asked for is remembered, and forgotten in time") {
  auto book = two_links();
  book.pool_seen(0, 900, 1e6, 200, 20);
  CHECK(book.now().links[0].unserved_bits == 0);
  book.pool_seen(0, 0, 1e6, 500, 30);
  CHECK(book.now().links[0].unserved_bits == Approx(300));
  book.pool_seen(0, 5000, 1e6, 500, 30 + 5 * unserved_memory_s);
  CHECK(book.now().links[0].unserved_bits < 3);
}

TEST_CASE("the shape of a day is learnt") {
  demand_estimator x;
  constexpr double pi = 3.14159265358979;
  double t = 0;
  for (; t < 5 * 86400; t += 10)
    x.saw(1000 * (1 + 0.7 * std::cos(2 * pi * (t / 3600 - 8) / 24)), 10, t);
  auto now = x.forecast(t); // Midnight.
  REQUIRE(now.day != nullptr);
  CHECK(now.bits(7 * 3600, 9 * 3600) / 7200 == Approx(170).epsilon(0.1));
  CHECK(now.bits(19 * 3600, 21 * 3600) / 7200 == Approx(30).epsilon(0.4));
}

TEST_CASE("links that may move are spread over the Bobs that are there") {
  auto to =
    share_out({{0.5, 0, false}, {0.4, 0, false}, {0.3, 0, false}, {0.2, 0, true}}, {true, true});
  double sum = 0;
  CHECK(to[3] == 0);
  std::vector<double> loads{0.5, 0.4, 0.3, 0.2};
  for (size_t i = 0; i < 4; ++i)
    sum += to[i] == 0 ? loads[i] : 0;
  CHECK(sum == Approx(0.7).margin(0.11));
  auto gone = share_out({{0.5, 0, false}, {0.4, 1, false}}, {false, true});
  CHECK(gone == std::vector<size_t>{1, 1});
}
