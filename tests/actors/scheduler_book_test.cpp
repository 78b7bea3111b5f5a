#include "actors/scheduler/assignment.hpp"
#include "actors/scheduler/book.hpp"
#include "actors/scheduler/learnt.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

using namespace qnfv;

namespace {

/// A link that knows of its last visit says how it is.
void says(schedule_book& book, size_t link, link_word word, double t) {
  word.visit = book.record(link).visit;
  book.link_said(link, word, t);
}

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
    says(book, i, {x.serving, x.producing, x.producing ? x.rate : 0, reason}, t);
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

/// Two links of one Bob. Those of the first one last `start_s` and bring no key until it is mended; the
/// second one always has some.
struct failing_link {
  explicit failing_link(double start_s, book_options options = {})
      : start_s(start_s), book(two_links(options)) {}

  void live(double seconds) {
    for (auto end = t + seconds; t < end; t += 10) {
      if (began >= 0 && t - began >= start_s) {
        says(book, 0, {mended, mended, mended ? 1000.0 : 0, mended ? "" : "no key"}, t);
        if (!mended)
          wasted += t - std::exchange(began, -1);
        else if (mended_at < 0)
          mended_at = t;
      }
      book.pool_seen(0, 1000, 1e6, t, t);
      book.pool_seen(1, 500000, 1e6, t, t);
      for (bool more = true; more;) {
        more = false;
        for (auto& x : book.plan(t))
          more = obey(x) || more;
      }
    }
  }

  /// True if it was done at once.
  bool obey(const command& x) {
    if (x.to_do == command::what::release) {
      if (x.link == 0) {
        wasted += mended ? 0 : t - began;
        began = -1;
      }
      says(book, x.link, {}, t);
      return true;
    }
    if (x.to_do != command::what::serve)
      return false;
    says(book, x.link, {true, x.link == 1, x.link == 1 ? 1000.0 : 0, {}}, t);
    if (x.link == 0) {
      began = t;
      tries.push_back(t);
    } else {
      ++others;
    }
    return false;
  }

  double start_s;
  schedule_book book;
  double t = 10, began = -1, wasted = 0, mended_at = -1;
  bool mended = false;
  std::vector<double> tries;
  size_t others = 0;
};

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
  says(book, 0, {true, false, 0, {}}, 11);
  says(book, 0, {true, true, 1000, {}}, 400);
  book.pool_seen(0, 1e6, 1e6, 4000, 410);
  book.pool_seen(1, 2000, 1e6, 4000, 410);
  REQUIRE(is(book.plan(410), command::what::release, 0));
  CHECK(book.plan(420).empty());
  CHECK(book.plan(430).empty());
  says(book, 0, {false, false, 0, {}}, 435);
  CHECK(is(book.plan(435), command::what::serve, 1));
  CHECK(book.record(0).failures == 0);
}

TEST_CASE("a link that does not let go is told again, and Bob waits") {
  auto book = two_links();
  book.plan(10);
  says(book, 0, {true, true, 1000, {}}, 400);
  book.pool_seen(0, 1e6, 1e6, 4000, 410);
  book.plan(410);
  CHECK(is(book.plan(471), command::what::release, 0));
  CHECK(book.plan(480).empty());
}

TEST_CASE("a link that fails at once waits longer each time, and has an alarm; others are served") {
  book_options options;
  failing_link x{10, options};
  x.live(12 * 3600);
  auto n = x.tries.size();
  REQUIRE(n > options.alarm_after);
  CHECK(x.tries[2] - x.tries[1] >= 2 * options.backoff_first_s);
  CHECK(x.tries[n - 1] - x.tries[n - 2] >= options.backoff_max_s);
  CHECK(x.tries[n - 1] - x.tries[n - 2] <= 2 * options.backoff_max_s);
  CHECK(x.others > 0);
  auto alarms = x.book.alarms();
  REQUIRE(alarms.size() == 1);
  CHECK(alarms[0].of_link);
  CHECK(alarms[0].alarm.reason.find("no key") != std::string::npos);
  CHECK(alarms[0].since_s == x.tries[0] + 10);
}

TEST_CASE("a 25 km link that fails for ever takes its share of Bob, however long its tries last") {
  book_options options;
  for (double start_s : {30.0, 400.0, 1230.0, 3000.0}) {
    failing_link x{start_s, options};
    for (double hours : {6, 24, 24, 24 * 7}) {
      x.live(hours * 3600);
      INFO(start_s << " s a try: " << x.wasted << " s of Bob in " << x.t << " s, " << x.tries.size()
                   << " tries");
      CHECK(x.wasted <= options.retry_credit_s + options.retry_share * x.t + start_s);
    }
    CHECK(x.tries.size() > 7 * 24 * 3600 * options.retry_share / 3600);
    CHECK(x.others > 0);
  }
}

TEST_CASE("a link is tried again as soon as its tries have been paid for, and then starts over") {
  book_options options;
  failing_link x{1230, options};
  x.live(3 * 86400);
  REQUIRE(x.book.record(0).failures > 0);
  x.mended = true;
  auto since = x.t;
  x.live(86400);
  REQUIRE(x.mended_at > 0);
  INFO("mended for " << x.mended_at - since << " s");
  CHECK(x.mended_at - since <= x.start_s / options.retry_share + x.start_s);
  CHECK(x.book.record(0).failures == 0);
  CHECK(x.book.record(0).wasted_s == 0);
  CHECK(x.book.alarms().empty());
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
    says(book, 0, {false, false, 0, {}}, 72);
    CHECK(book.record(0).failures == 1);
    CHECK(is(book.plan(73), command::what::serve, 1));
  }
}

TEST_CASE("a start that never ends is given up") {
  auto book = two_links();
  book.plan(10);
  says(book, 0, {true, false, 0, {}}, 11);
  CHECK(book.plan(1000).empty());
  CHECK(is(book.plan(1700), command::what::release, 0));
  says(book, 0, {false, false, 0, {}}, 1701);
  CHECK(is(book.plan(1702), command::what::serve, 1));
}

TEST_CASE("links that an earlier scheduler left serving are taken over, a second one is let go") {
  auto book = two_links();
  book.link_said(1, {true, true, 1000, {}, 3}, 1);
  book.link_said(0, {true, false, 0, {}, 4}, 2);
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
  says(book, 0, {false, false, 0, "lost"}, 41);
  says(book, 1, {}, 41);
  CHECK(is(book.plan(50), command::what::serve, 0));
  CHECK(book.record(0).failures == 0);
}

TEST_CASE("a Bob that is back serves nobody before all his links have said whether they have him") {
  auto book = two_links();
  book.bob_up(0, false, 20);
  book.bob_up(0, true, 40);
  says(book, 0, {}, 41);
  CHECK(book.plan(42).empty());
  SECTION("one has") {
    says(book, 1, {true, true, 1000, {}}, 43);
    CHECK(book.plan(44).empty());
    CHECK(book.now().bobs[0].active == 1);
  }
  SECTION("none has") {
    says(book, 1, {}, 43);
    CHECK(is(book.plan(44), command::what::serve, 0));
  }
  SECTION("one is silent for good") {
    CHECK(book.plan(101).empty());
    CHECK(is(book.plan(102), command::what::serve, 0));
  }
}

TEST_CASE("what a link said before it heard of its visit is no answer") {
  auto book = two_links();
  book.link_said(0, {false, false, 0, {}, 2}, 1);
  auto begun = book.plan(10);
  REQUIRE(is(begun, command::what::serve, 0));
  REQUIRE(begun[0].visit == 3);
  link_word before{false, false, 0, "its last visit failed", 2};
  book.link_said(0, before, 11);
  CHECK(book.plan(12).empty());
  CHECK(book.record(0).failures == 0);
  SECTION("it begins") {
    says(book, 0, {true, false, 0, {}}, 13);
    book.link_said(0, {true, true, 1000, {}, begun[0].visit}, 400);
    CHECK(book.now().bobs[0].active == 0);
  }
  SECTION("this visit fails too") {
    says(book, 0, {false, false, 0, "no light"}, 13);
    CHECK(book.record(0).failures == 1);
    CHECK(is(book.plan(14), command::what::serve, 1));
  }
  SECTION("it never hears of it") {
    CHECK(is(book.plan(71), command::what::ask, 0));
    book.link_said(0, before, 72);
    CHECK(book.record(0).failures == 1);
    CHECK(is(book.plan(73), command::what::serve, 1));
  }
  SECTION("it still has Bob from before, and never hears of it") {
    CHECK(is(book.plan(71), command::what::ask, 0));
    book.link_said(0, {true, true, 1000, {}, before.visit}, 72);
    CHECK(book.now().bobs[0].active == 0);
    CHECK(book.record(0).initialisation.value() == Approx(400));
    book.link_said(0, {false, false, 0, "no light", before.visit}, 80);
    CHECK(book.now().bobs[0].active == no_link);
    auto next = book.plan(81);
    REQUIRE(is(next, command::what::serve, 1));
  }
  SECTION("it starts anew") {
    says(book, 0, {true, true, 1000, {}}, 400);
    book.link_said(0, {}, 401);
    CHECK(is(book.plan(402), command::what::serve, 1));
  }
}

TEST_CASE("visits are counted on from those of an earlier scheduler") {
  auto book = two_links();
  book.link_said(0, {false, false, 0, {}, 7}, 1);
  auto begun = book.plan(10);
  REQUIRE(is(begun, command::what::serve, 0));
  CHECK(begun[0].visit == 8);
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

TEST_CASE("another policy keeps what was learnt, and nothing of what the last one had decided") {
  auto book = two_links();
  REQUIRE(is(book.plan(10), command::what::serve, 0));
  CHECK_FALSE(book.why(0).empty());
  auto demand = book.now().links[0].demand_bps();
  CHECK(demand > 0);
  CHECK_FALSE(book.set_policy("lottery"));
  CHECK(book.set_policy("paper"));
  CHECK(std::string{book.current().name()} == "paper");
  CHECK(book.why(0).empty());
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

TEST_CASE("learnt demand goes on where it was written down") {
  demand_estimator x;
  double t = 0;
  for (; t < 6 * 3600; t += 10)
    x.saw(1000, 10, t);
  auto all = parse_learnt_demands(to_text({{link_id{"bob1/alice1"}, x.learnt()}}));
  REQUIRE(all);
  demand_estimator again{all->at(link_id{"bob1/alice1"})};
  CHECK(again.forecast(0).now_bps() == Approx(x.forecast(t).now_bps()).epsilon(0.001));
  CHECK(again.request_bits() == Approx(1000).epsilon(0.001));
  // A quiet minute is no news.
  for (t = 0; t < 60; t += 10)
    again.saw(0, 10, t);
  CHECK(again.forecast(t).bits(0, 86400) == Approx(100 * 86400).epsilon(0.05));
  CHECK(demand_estimator{learnt_demand{}}.forecast(0).now_bps() == 0);
}

TEST_CASE("what is no file of learnt demand is refused, with its line") {
  CHECK(parse_learnt_demands("qnfv-demand 1\n")->empty());
  auto refused = [](const std::string& text) {
    auto x = parse_learnt_demands(text);
    INFO(text);
    REQUIRE_FALSE(x);
    CHECK(x.error().code == ec::bad_config);
    return x.error().text;
  };
  std::string good = "a bps=1 seen_s=2 request_bits=3";
  CHECK(parse_learnt_demands("qnfv-demand 1\n" + good));
  for (auto* text : {"", "\n", "qnfv-demand", "qnfv-demand 2\n", "{}", "\x00\xff"})
    CHECK(refused(text).find("qnfv-demand 1") != std::string::npos);
  for (auto* line : {"a", "a bps=1", "a bps=1 seen_s=2", "a bps= seen_s=2 request_bits=3",
                     "a bps=-1 seen_s=2 request_bits=3", "a bps=nan seen_s=2 request_bits=3",
                     "a bps=1 seen_s=inf request_bits=3", "a bps=1x seen_s=2 request_bits=3",
                     "a seen_s=2 bps=1 request_bits=3", "a bps=1 seen_s=2 request_bits=1e999",
                     "a bps=1 seen_s=2 request_bits=3 more=4", ""})
    CHECK(refused("qnfv-demand 1\nb bps=1 seen_s=2 request_bits=3\n" + std::string{line} + "\n")
            .find("line 3")
          != std::string::npos);
  CHECK(refused("qnfv-demand 1\n" + good + "\n" + good).find("second") != std::string::npos);
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
