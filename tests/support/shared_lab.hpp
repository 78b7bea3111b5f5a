#pragma once

// A time-shared lab with a checker beside it, who sees where light really goes and every block that
// enters a pool.

#include "runtime/messages/schedule.hpp"
#include "tests/support/lab.hpp"

#include <cstring>

namespace qnfv::test {

inline const char* four_site = "config/topologies/four-site.json";
inline const switch_id polatis{"polatis1"};
inline const link_id link1{"bob1/alice1"}, link2{"bob1/alice2"}, link3{"bob1/alice3"};

/// True light against what enters pools: I7, I11, I24, I25 and I29 of one switch, and that both ends
/// of a link get the same bits.
class light_checker {
public:
  /// Alice's device has no light of its own to lose: her copy of a block comes up to the emulators'
  /// skew after its end.
  static constexpr duration alice_late = std::chrono::seconds{3};

  explicit light_checker(simulation& sim) : sim_(sim) {
    std::map<std::string, port_number> port;
    for (auto& x : sim.lab().optical.fibres)
      (x.from.port == 0 ? port[x.from.name] : port[x.to.name]) =
        x.from.port == 0 ? x.to.port : x.from.port;
    for (auto& link : sim.lab().links) {
      auto& x = links_[link.link];
      x.bob_site = link.bob_site;
      x.ports = {port[link.bob.value], port[link.alice.value]};
    }
    sim.watch({[this](auto& at, auto& block) { ingest(at, block); },
               [this](auto&, auto& glass) { light(glass); },
               [this](auto& x) {
                 if (x.message() == "link" || x.message() == "alarm")
                   notes.push_back(to_event(x));
               }});
  }
  ~light_checker() { sim_.watch({}); }

  /// From now on blocks of this link are bad, but for the one under way.
  void bad_from_now(const link_id& x, duration block) {
    links_[x].bad_since = sim_.now() + block + std::chrono::seconds{5};
  }
  void good_from_now(const link_id& x) { links_[x].bad_since.reset(); }
  /// The fibre itself is cut, or whole again.
  void fibre(const link_id& x, bool whole) {
    links_[x].cut = !whole;
    light(last_);
  }

  std::vector<trace_event> notes; ///< What links did, and all alarms.
  const std::vector<std::string>& found() const { return found_; }
  /// Keys that entered both pools.
  size_t keys_of(const link_id& x) const { return links_.at(x).both; }
  bool lit(const link_id& x) const { return links_.at(x).lit; }
  /// How often its light began.
  size_t times_lit(const link_id& x) const { return links_.at(x).times_lit; }

private:
  struct watched {
    site_id bob_site;
    cross_connection ports;
    bool lit = false, cut = false;
    time_point dark_since{};
    size_t times_lit = 0;
    std::optional<time_point> bad_since;
    size_t both = 0;
  };

  void fail(const std::string& what) {
    found_.push_back(std::to_string(to_seconds(sim_.elapsed())) + " s: " + what);
  }

  void light(const simulation::glass& glass) {
    std::set<port_number> ins, outs;
    for (auto& x : glass.joined)
      if (!ins.insert(x.in).second || !outs.insert(x.out).second)
        fail("I7 port " + std::to_string(x.in) + " or " + std::to_string(x.out) + " twice");
    for (auto& [id, x] : links_) {
      auto on = !x.cut && glass.dark.count(x.ports.in) + glass.dark.count(x.ports.out) == 0
                && std::count(glass.joined.begin(), glass.joined.end(), x.ports) > 0;
      if (x.lit && !on)
        x.dark_since = sim_.now();
      if (on && !x.lit)
        ++x.times_lit;
      x.lit = on;
    }
    last_ = glass;
  }

  void ingest(const site_id& at, const key_block& block) {
    auto what = at.value + " takes " + to_string(block);
    auto found = links_.find(block.block.link);
    if (found == links_.end())
      return fail("I25 of no link: " + what);
    auto& x = found->second;
    auto late = at == x.bob_site ? duration{0} : alice_late;
    if (!x.lit && sim_.now() > x.dark_since + late)
      fail("I25, I29 without the light of that pair: " + what);
    if (x.bad_since && sim_.now() > *x.bad_since)
      fail("I24 out of a bad session: " + what);
    if (block.material.size() != block.block.count * key_bytes)
      return fail("of another size: " + what);
    for (uint32_t i = 0; i < block.block.count; ++i) {
      auto raw = block.material.view();
      std::vector<uint8_t> bits(raw.data() + i * key_bytes, raw.data() + (i + 1) * key_bytes);
      auto& known = bits_[block.block.id(i)];
      if (!known.second.insert(at).second)
        fail("I11 a second time: " + what);
      if (known.second.size() == 1)
        known.first = bits;
      else if (known.first != bits)
        fail("the ends get different bits: " + what);
      else
        ++x.both;
    }
  }

  simulation& sim_;
  std::map<link_id, watched> links_;
  simulation::glass last_;
  std::map<key_id, std::pair<std::vector<uint8_t>, std::set<site_id>>> bits_;
  std::vector<std::string> found_;
};

/// The paper's lab: Bob at "co", three Alices, one switch.
class shared_lab : public lab {
public:
  explicit shared_lab(uint64_t seed = 7) : lab(small_pools(), seed), checker(sim()) {}

  void fault(switch_fault::kind what, port_number port = 0, uint32_t times = 0,
             uint32_t settle_ms = 25) {
    REQUIRE(sim().set_switch_fault(polatis, {what, port, settle_ms, times}));
  }
  void mend() { fault(switch_fault::kind::none); }
  void eve(const link_id& link, double share) {
    line_conditions line;
    line.eavesdropper_share = share;
    REQUIRE(sim().set_line(link, line));
  }
  void fibre(const link_id& link, bool whole) {
    line_conditions line;
    line.light = whole;
    REQUIRE(sim().set_line(link, line));
    checker.fibre(link, whole);
  }

  link_status link(const link_id& x) {
    auto all = sim().ask<link_list>(sim().orchestrator(), links_query{});
    if (!all)
      FAIL(describe(all.error()));
    for (auto& each : all->links)
      if (each.link == x)
        return each;
    FAIL("no link " << x.value);
    return {};
  }
  schedule_status schedule() {
    auto x = sim().ask<schedule_status>(
      sim().role<scheduler_actor>(site_id{"co"}, "scheduler"), schedule_query{});
    if (!x)
      FAIL(describe(x.error()));
    return *x;
  }
  scheduled_link scheduled(const link_id& x) {
    for (auto& each : schedule().links)
      if (each.link == x)
        return each;
    FAIL("not scheduled: " << x.value);
    return {};
  }

  pool_status pool(const std::string& site, const link_id& link) {
    auto all = sim().ask<keys_status>(sim().role<key_pool_actor>(site_id{site}, "key_pool"),
                                      keys_status_query{});
    REQUIRE(all);
    for (auto& each : all->pools)
      if (each.link == link)
        return each;
    FAIL("no pool of " << link.value << " at " << site);
    return {};
  }
  static std::string alice_site(const link_id& x) {
    return "dc" + x.value.substr(x.value.size() - 1);
  }

  /// Takes keys out at Bob's end and their copies at Alice's; both must be had, and be the same. True
  /// if Bob's end had them.
  bool use_keys(const link_id& link, uint32_t count) {
    key_users users{"co/test", {alice_site(link) + "/test"}};
    request_id request{sim().random().bytes_of<std::array<uint8_t, 16>>()};
    auto ours = sim().ask_at<key_grants>(site_id{"co"},
                                         sim().role<key_pool_actor>(site_id{"co"}, "key_pool"),
                                         reserve_keys{link, count, key_bits, request, users});
    if (!ours)
      return false;
    claim_keys claim{link, {}, "co/test", users.slaves[0]};
    for (auto& x : ours->keys)
      claim.keys.push_back(x.id);
    site_id there{alice_site(link)};
    auto theirs =
      sim().ask_at<key_grants>(there, sim().role<key_pool_actor>(there, "key_pool"), claim);
    INFO((theirs ? "" : describe(theirs.error())));
    REQUIRE(theirs);
    REQUIRE(theirs->keys.size() == ours->keys.size());
    for (size_t i = 0; i < ours->keys.size(); ++i) {
      auto a = ours->keys[i].material.view(), b = theirs->keys[i].material.view();
      CHECK(ours->keys[i].id == theirs->keys[i].id);
      CHECK(belongs_to(ours->keys[i].id, link));
      CHECK((a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0));
    }
    return true;
  }

  /// Time passes as it does for users: every minute each link is asked for keys, so many that its stock
  /// lasts some hours. False if `reached` never was.
  bool live(const std::function<bool()>& reached, duration limit) {
    for (auto end = sim().now() + limit; !reached();) {
      if (sim().now() >= end)
        return false;
      if (sim().now() >= next_use_) {
        next_use_ = sim().now() + 1min;
        for (auto& [x, count] : std::map<link_id, uint32_t>{{link1, 20}, {link2, 20}, {link3, 8}})
          if (down_.count("co") + down_.count(alice_site(x)) == 0)
            use_keys(x, count);
      }
      sim().advance(5s);
    }
    return true;
  }
  void live(duration d) {
    live([] { return false; }, d);
  }

  void until_link(const link_id& x, link_state state, duration limit = 6h) {
    INFO(x.value << " is to be " << to_string(state));
    auto reached = live([&] { return link(x).state == state; }, limit);
    INFO("it is " << to_string(link(x).state) << ": " << link(x).reason);
    REQUIRE(reached);
  }
  /// The link's pools take new keys.
  void until_more_keys(const link_id& x, duration limit = 12h) {
    auto before = checker.keys_of(x);
    INFO(x.value << " has taken " << before << " keys");
    auto reached = live([&] { return checker.keys_of(x) > before; }, limit);
    INFO("it is " << to_string(link(x).state) << ": " << link(x).reason);
    REQUIRE(reached);
    sim().advance(10s); // Both ends confirm them.
  }
  order ended(const order_id& id, duration limit = 6h) {
    REQUIRE(live([&] { return is_final(see(id).state); }, limit));
    return see(id);
  }

  void crash(const std::string& site) {
    sim().crash(site_id{site});
    down_.insert(site);
  }
  void start(const std::string& site) {
    sim().start(site_id{site});
    down_.erase(site);
    sim().advance(5s);
  }

  /// Lab time of Bob that a link has taken since `since`, as its own notes say.
  duration bobs_time(const link_id& link, time_point since) {
    auto begin = static_cast<int64_t>((since - sim().now()).count())
                 + sim().env(site_id{"co"}).clock->unix_ns();
    int64_t busy_since = -1, sum = 0;
    auto now = sim().env(site_id{"co"}).clock->unix_ns();
    for (auto& x : checker.notes) {
      if (x.message != "link" || x.text.rfind(link.value + " ", 0) != 0)
        continue;
      auto at = x.text.find(" -> ");
      if (at == std::string::npos)
        continue;
      auto to = x.text.substr(at + 4, x.text.find(' ', at + 4) - at - 4);
      auto free = to == "off" || to == "lost" || to == "failed";
      if (!free && busy_since < 0)
        busy_since = x.unix_ns;
      if (free && busy_since >= 0) {
        sum += std::max<int64_t>(0, x.unix_ns - std::max(begin, busy_since));
        busy_since = -1;
      }
    }
    if (busy_since >= 0)
      sum += std::max<int64_t>(0, now - std::max(begin, busy_since));
    return std::chrono::nanoseconds{sum};
  }

  bool traced(const std::string& message, const std::string& words) {
    for (auto& x : checker.notes)
      if (x.message == message && x.text.find(words) != std::string::npos)
        return true;
    return false;
  }

  /// Nothing that must hold is broken. Both ends' pools agree when nothing is under way.
  void check(bool quiet = true) {
    for (auto& x : checker.found())
      UNSCOPED_INFO(x);
    CHECK(checker.found().empty());
    check_invariants(quiet);
    for (auto& x : {link1, link2, link3}) {
      auto ours = pool("co", x), theirs = pool(alice_site(x), x);
      CHECK(ours.mismatches + theirs.mismatches == 0);
      for (auto* each : {&ours, &theirs}) {
        INFO(x.value << ": " << each->trouble);
        CHECK(each->trouble.empty());
      }
    }
  }

  light_checker checker;

private:
  /// So that Bob comes round in hours, not in days; by the paper's rules.
  static topology small_pools() {
    auto x = load(four_site);
    x.limits.pool_keys_max = 4000;
    x.schedule.policy = "paper"; // Bob is where its rules have him: the stories count on it.
    // Orders wait for hours here; asking seldom saves the test time.
    x.limits.key_retry_ms = 30000;
    return x;
  }

  time_point next_use_{};
  std::set<std::string> down_;
};

} // namespace qnfv::test
