#pragma once

// A checker of a random network, who sees where light really goes and what each layer does at the moment
// it does it:
//
//   I7   mirrors are an injection, and a Bob has one Alice and one session at most, and is given to
//        one link
//   I14  bits are conserved
//   I25  a block enters the pool of the pair that the light joins, at both ends the same; no session
//        on a path to somebody else
//   I27  the paper's scheduler goes when it may, to whom it must, and alarms when it may not
//   I28  a link with demand that runs dry is visited, or there is an alarm (policies paper and best)
//   I29  no session before its path is confirmed; none, and no block, after its light is gone
//   I43  nobody obeys a scheduler older than one ever heard

#include "tests/support/random_network.hpp"

namespace qnfv::test {

/// Alice's copy of a block may come up to the emulators' skew after the end of its session.
constexpr auto alice_late = 3s;
/// For the emulated device to notice that the light has gone; while it measures the line it does at
/// the end of it.
constexpr auto light_noticed = 5s;
/// Between the switch's word that a path stands and the start of the session, and back.
constexpr auto confirmation = 5s;
/// A link with demand is dry for so long at most, if nobody raises an alarm.
constexpr auto dry_max = 3h;

class network_checker : public random_network::watcher {
public:
  network_checker(random_network& net, const std::string& policy)
    : net_(net), papers_rules_(policy == "paper"), nobody_starves_(papers_rules_ || policy == "best") {
    seen_.resize(net.links.size());
    net.watch(*this);
  }

  std::vector<std::string> found;
  size_t visits = 0, changes = 0, alarms = 0;

  void ingest(random_network::one_link& x, const std::string& at, const key_block& block) override {
    auto& mine = seen_[index(x)];
    // An emulated switch that has just died cannot tell Bob's emulator that the light is gone.
    auto untold = std::any_of(net_.switches.begin(), net_.switches.end(),
                              [](auto& each) { return !each.glass.state; });
    auto late = at == "co" && !untold ? duration{0} : alice_late;
    auto what = at + " takes " + to_string(block);
    look_at_light();
    if (!mine.lit && net_.w.now() > mine.dark_since + late)
      fail("I25, I29 without the light of that pair: " + what);
    auto known = x.blocks.find({block.block.session, block.block.first});
    if (!mine.given[at].insert({block.block.session, block.block.first}).second)
      fail("I11 a second time: " + what);
    else if (++mine.ends[{block.block.session, block.block.first}] == 2)
      mine.both_bits += block.block.count * double{key_bits};
    auto raw = block.material.view();
    auto digest =
      std::hash<std::string_view>{}({reinterpret_cast<const char*>(raw.data()), raw.size()});
    if (known != x.blocks.end() && known->second.first != digest)
      fail("the ends get different bits: " + what);
  }

  void after_each() override {
    look_at_light();
    look_at_sessions();
    look_at_visits();
    if (net_.scheduler.state)
      look_at_schedule();
  }

private:
  struct of_link {
    bool lit = false, said = false;
    time_point dark_since{}, unsaid_since{};
    uint32_t session = 0;
    uint64_t epoch = 0;
    std::optional<time_point> dry_since;
    using block = std::pair<uint32_t, uint64_t>; ///< Session and first key.
    std::map<std::string, std::set<block>> given;
    std::map<block, int> ends;
    double both_bits = 0; ///< Of blocks that both ends have.
  };

  size_t index(const random_network::one_link& x) const {
    return static_cast<size_t>(&x - net_.links.data());
  }
  void fail(const std::string& what) {
    if (found.size() < 10)
      found.push_back(std::to_string(to_seconds(net_.w.now().time_since_epoch())) + " s: " + what);
  }

  /// Where the mirrors point, and where the switches say they do. Only if that may have changed.
  void look_at_light() {
    std::vector<std::pair<const crossbar*, uint64_t>> now;
    for (auto& x : net_.switches) {
      auto* glass = x.glass.state ? x.glass.state->glass.get() : nullptr;
      now.emplace_back(glass, glass ? glass->changes() : 0);
    }
    if (now == mirrors_)
      return;
    mirrors_ = now;
    for (auto& x : net_.switches) {
      std::set<port_number> ins, outs;
      if (x.glass.state && x.glass.state->glass)
        for (auto& ports : x.glass.state->glass->truly_joined())
          if (!ins.insert(ports.in).second || !outs.insert(ports.out).second)
            fail("I7 two on one port of " + x.name.value);
    }
    std::map<size_t, int> alices;
    for (auto& x : net_.links) {
      auto& mine = seen_[index(x)];
      bool lit = true, said = true;
      for (auto& hop : x.way)
        for (auto& at : net_.switches)
          if (at.name == hop.name) {
            auto* glass = at.glass.state ? at.glass.state->glass.get() : nullptr;
            lit = lit && glass && glass->light_passes(hop.ports);
            auto joined = glass ? glass->joined() : std::vector<cross_connection>{};
            said = said && std::count(joined.begin(), joined.end(), hop.ports) > 0;
          }
      if (mine.lit && !lit)
        mine.dark_since = net_.w.now();
      if (mine.said && !said)
        mine.unsaid_since = net_.w.now();
      mine.lit = lit;
      mine.said = said;
      if (lit && ++alices[x.bob] > 1)
        fail("I7 " + x.bob_device.value + " has two Alices");
    }
  }

  void look_at_sessions() {
    std::array<int, random_network::bobs_max> running{};
    for (auto& x : net_.links) {
      auto* source = x.bob_source.state;
      if (!source || !source->running)
        continue;
      auto& mine = seen_[index(x)];
      auto what = [&] { return " session " + std::to_string(source->session) + " of " + x.id.value; };
      if (++running[x.bob] > 1)
        fail("I7 " + x.bob_device.value + " runs two sessions, one is" + what());
      if (source->session != mine.session) {
        if (source->session < mine.session)
          fail("I11" + what() + " after " + std::to_string(mine.session));
        mine.session = source->session;
        ++visits;
        if (!mine.said && net_.w.now() > mine.unsaid_since + confirmation)
          fail("I29 before its path stands:" + what());
      }
      auto measuring = source->report.phase == qkd_phase::line_measure;
      if (!mine.lit && !measuring && net_.w.now() > mine.dark_since + light_noticed)
        fail("I29 survives its path:" + what());
    }
  }

  /// What links do of their own: whom they obey, and on whose word they begin.
  void look_at_visits() {
    for (auto& x : net_.links) {
      if (!x.link.state)
        continue;
      auto& now = x.link.state->status;
      auto& epoch = seen_[index(x)].epoch;
      if (now.epoch < epoch)
        fail("I43 " + x.id.value + " went back to epoch " + std::to_string(now.epoch));
      epoch = now.epoch;
      if (net_.led_astray.empty())
        continue;
      auto astray = net_.led_astray.find(x.id);
      if (astray != net_.led_astray.end() && now.session > astray->second)
        fail("I25 " + x.id.value + " begins a session though the light leads to somebody else");
    }
  }

  // -- the scheduler's decisions ------------------------------------------------------------------------

  struct of_bob {
    size_t active = no_link;
    bool leaving = false;
    std::optional<std::pair<outlook, size_t>> left; ///< As things were when it was told to leave whom.
  };

  static bool wants(const link_outlook& x) { return x.available && !x.full(); }
  /// The shortest life of those that may be served, but for `but`.
  static double shortest(const outlook& now, const bob_outlook& b, size_t but) {
    auto out = never_s;
    for (auto i : b.links)
      if (i != but && wants(now.links[i]))
        out = std::min(out, now.links[i].life_s());
    return out;
  }
  /// T_n = sum over i < n of 2 t_i, + t_n, in the order of remaining life.
  static bool one_is_critical(const outlook& now, const bob_outlook& b) {
    auto order = b.links;
    std::stable_sort(order.begin(), order.end(), [&](size_t p, size_t q) {
      auto& x = now.links[p];
      auto& y = now.links[q];
      return x.life_s() != y.life_s() ? x.life_s() < y.life_s() : x.link < y.link;
    });
    double before = 0;
    for (auto i : order) {
      auto& x = now.links[i];
      if (i == b.active || !x.available)
        continue;
      if (x.life_s() < before + x.initialisation_s)
        return true;
      before += 2 * x.initialisation_s;
    }
    return false;
  }
  static bool may_be_left(const outlook& now, const bob_outlook& b) {
    double hold = 0;
    for (auto i : b.links)
      if (i != b.active && now.links[i].available)
        hold += 2 * now.links[i].initialisation_s;
    auto& a = now.links[b.active];
    return a.stock_bits >= a.demand_bps() * hold;
  }

  void look_at_schedule() {
    auto& s = net_.schedule();
    if (s.epoch != epoch_) {
      epoch_ = s.epoch;
      decisions_ = 0;
      bobs_.clear();
      for (auto& x : seen_)
        x.dry_since.reset();
    }
    if (s.book.counts().decisions == decisions_ || s.standing_down)
      return;
    decisions_ = s.book.counts().decisions;
    auto& now = s.book.now();
    bobs_.resize(now.bobs.size());
    std::set<size_t> alarmed;
    for (auto& x : s.book.alarms())
      alarmed.insert(x.bob);
    alarms += alarmed.size();
    for (size_t b = 0; b < now.bobs.size(); ++b) {
      if (papers_rules_)
        papers_rules_of(s.book, b, alarmed.count(b) > 0);
      int given = 0;
      for (auto i : now.bobs[b].links) {
        auto& record = s.book.record(i);
        if ((record.asked || record.serving) && !record.leaving && ++given > 1)
          fail("I7 " + now.bobs[b].bob.value + " is given to " + now.links[i].link.value
               + " and to another link");
        dry(s.book, i, now.bobs[b].active == i || alarmed.count(b) > 0);
        conserved(now.links[i], i);
      }
    }
  }

  void papers_rules_of(const schedule_book& book, size_t bob, bool alarmed) {
    auto& now = book.now();
    auto& b = now.bobs[bob];
    auto& before = bobs_[bob];
    auto leaving = b.active != no_link && book.record(b.active).leaving;
    auto producing = b.active != no_link && b.doing == bob_activity::producing;
    if (leaving && !before.leaving && before.active == b.active) {
      before.left.emplace(now, b.active);
      ++changes;
      auto& a = now.links[b.active];
      auto gave_up = book.record(b.active).failures > 0;
      if (producing && !a.full() && !gave_up && !(one_is_critical(now, b) && may_be_left(now, b)))
        fail("I27 " + a.link.value + " is left though it is not full, and nobody is critical or it "
             "does not hold enough");
    }
    if (producing && !leaving && !book.record(b.active).asked) {
      auto next = shortest(now, b, b.active);
      auto anybody = std::any_of(b.links.begin(), b.links.end(),
                                 [&](size_t i) { return i != b.active && wants(now.links[i]); });
      auto critical = one_is_critical(now, b);
      if (critical && may_be_left(now, b) && anybody)
        fail("I27 " + now.links[b.active].link.value + " is not left, though a link lives only "
             + span_text(next));
      if (critical && !may_be_left(now, b) && !alarmed)
        fail("I27 no alarm though a link is critical and " + now.links[b.active].link.value
             + " cannot be left");
    }
    if (b.active != no_link && b.active != before.active && book.record(b.active).asked) {
      auto life = now.links[b.active].life_s();
      auto least = shortest(now, b, no_link);
      auto as_left = before.left && life_in(before.left->first, b.active)
                                      <= shortest(before.left->first, b, before.left->second);
      if (life > least && !as_left)
        fail("I27 " + now.links[b.active].link.value + " lives " + span_text(life)
             + ", and another one only " + span_text(least));
      before.left.reset();
    }
    before.active = b.active;
    before.leaving = leaving;
  }
  static double life_in(const outlook& x, size_t link) { return x.links[link].life_s(); }

  void dry(const schedule_book& book, size_t i, bool cared_for) {
    auto& x = book.now().links[i];
    auto& since = seen_[i].dry_since;
    if (cared_for || !x.available || x.demand_bps() <= 0 || x.stock_bits >= key_bits) {
      since.reset();
      return;
    }
    if (!since)
      since = net_.w.now();
    if (nobody_starves_ && net_.w.now() > *since + dry_max) {
      fail("I28 " + x.link.value + " is dry, and nobody cares");
      since = net_.w.now();
    }
  }

  /// What both ends were given is there, was used, or found the pool full; and the scheduler counts on
  /// what the pool said, and nothing else.
  void conserved(const link_outlook& seen, size_t i) {
    auto& x = net_.links[i];
    if (std::abs(seen_[i].both_bits - x.stock_bits - x.used_bits - x.spilled_bits) > 1)
      fail("I14 bits of " + x.id.value + " are not conserved");
    auto known = std::count(x.said_bits.begin(), x.said_bits.end(), seen.stock_bits) > 0;
    if (seen.capacity_bits > 0 && !known)
      fail("I14 the scheduler counts on " + std::to_string(seen.stock_bits) + " bits of " + x.id.value
           + ", which its pool never said");
  }

  random_network& net_;
  bool papers_rules_, nobody_starves_;
  std::vector<of_link> seen_;
  std::vector<std::pair<const crossbar*, uint64_t>> mirrors_;
  uint64_t epoch_ = 0, decisions_ = 0;
  std::vector<of_bob> bobs_;
};

} // namespace qnfv::test
