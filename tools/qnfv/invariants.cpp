#include "tools/qnfv/invariants.hpp"

#include <algorithm>
#include <cstdlib>

namespace qnfv {

namespace {

using namespace std::chrono_literals;
using kind = fault_kind;

/// Alice's device has no light of its own to lose: her copy of a block comes up to the emulators' skew
/// after its end.
constexpr duration alice_late = 3s;
/// A connection that was disturbed comes back within this.
constexpr duration aftermath = 15s;
constexpr size_t last_events = 12;

std::string first_word(const std::string& text, size_t from = 0) {
  return text.substr(from, text.find_first_of(" ,:", from) - from);
}

uint64_t last_number(std::string_view text) {
  return std::strtoull(std::string{text.substr(text.find_last_of(' ') + 1)}.c_str(), nullptr, 10);
}

} // namespace

invariant_checker::invariant_checker(simulation& sim, std::shared_ptr<key_ledger> keys)
  : sim_(sim), keys_(std::move(keys)) {
  std::map<std::string, std::pair<switch_id, port_number>> port;
  for (auto& x : sim.lab().optical.fibres)
    if (x.from.port == 0 && x.to.port > 0)
      port[x.from.name] = {switch_id{x.to.name}, x.to.port};
    else if (x.to.port == 0)
      port[x.to.name] = {switch_id{x.from.name}, x.from.port};
  for (auto& link : sim.lab().links) {
    auto& x = lines_[link.link];
    x.bob_site = link.bob_site;
    if (link.switched)
      bobs_[link.link] = link.bob;
    auto bob = port.find(link.bob.value), alice = port.find(link.alice.value);
    if (link.switched && bob != port.end() && alice != port.end()
        && bob->second.first == alice->second.first) {
      x.switched = true;
      x.lit = false;
      x.at = bob->second.first;
      x.ports = {bob->second.second, alice->second.second};
    }
  }
  for (auto& link : sim.lab().virtual_links)
    virtual_lines_[link.link] = {link.a, link.paths};
  keys_->tell = [this](const std::string& what) { fail(what); };
  sim_.watch({[this](auto& at, auto& block) { ingest(at, block); },
              [this](auto& at, auto& glass) { light(at, glass); },
              [this](auto& x) { event(x); }, [this](auto& at, auto& keys) { delivered(at, keys, {}); }});
}

invariant_checker::~invariant_checker() {
  sim_.watch({});
  keys_->tell = nullptr;
}

void invariant_checker::fail(const std::string& what) {
  found_.push_back({seconds(), what, {}});
  for (auto& x : last_)
    found_.back().before.push_back(to_event(x));
}

void invariant_checker::ingest(const site_id& at, const key_block& block) {
  auto what = at.value + " takes " + to_string(block);
  if (auto far = virtual_lines_.find(block.block.link); far != virtual_lines_.end())
    return relay_ended(far->second, block, what);
  auto i = lines_.find(block.block.link);
  if (i == lines_.end())
    return fail("I25 of no link: " + what);
  auto late = at == i->second.bob_site ? duration{0} : alice_late;
  if (!i->second.lit && sim_.now() > end_of(at, i->second.dark_since, late))
    fail("I25, I29 without the light of that pair: " + what);
}

void invariant_checker::pauses(const site_id& site, duration span) {
  auto& last = pauses_[site];
  auto now = sim_.now();
  if (last.until < now)
    last.from = now;
  last.until = std::max(last.until, now + span);
}

time_point invariant_checker::end_of(const site_id& site, time_point start, duration span) const {
  auto i = pauses_.find(site);
  auto paused = i != pauses_.end() && i->second.from <= start + span && i->second.until > start;
  return (paused ? i->second.until : start) + span;
}

void invariant_checker::relay_ended(const relayed& line, const key_block& block, const std::string& what) {
  std::set<site_id> saw{block.exposed_to.begin(), block.exposed_to.end()};
  if (saw.size() != block.exposed_to.size())
    fail("I23 one node saw several shares: " + what);
  else if (saw.size() < line.paths)
    fail("I44 it is not said who saw it: " + what);
}

void invariant_checker::delivered(const site_id& at, const key_grants& grants, const std::string& pair) {
  auto give = [&](const key_grant& grant, const link_id& link, const site_id& bob_end) {
    if (belongs_to(grant.id, link))
      keys_->delivered(key_ledger::node_of(link, bob_end == at ? link_end::bob : link_end::alice), grant, pair);
  };
  for (auto& grant : grants.keys) {
    for (auto& link : sim_.lab().links)
      give(grant, link.link, link.bob_site);
    for (auto& link : sim_.lab().virtual_links)
      give(grant, link.link, link.a);
  }
}

void invariant_checker::light(const switch_id& at, const simulation::glass& glass) {
  std::set<port_number> ins, outs;
  for (auto& x : glass.joined)
    if (!ins.insert(x.in).second || !outs.insert(x.out).second)
      fail("I7 port " + std::to_string(x.in) + " or " + std::to_string(x.out) + " of " + at.value
           + " twice");
  for (auto& [id, x] : lines_) {
    if (!x.switched || x.at != at)
      continue;
    auto on = glass.dark.count(x.ports.in) + glass.dark.count(x.ports.out) == 0
              && std::count(glass.joined.begin(), glass.joined.end(), x.ports) > 0;
    if (x.lit && !on)
      x.dark_since = sim_.now();
    x.lit = on;
  }
}

void invariant_checker::event(const trace_record& x) {
  last_.push_back(x);
  if (last_.size() > last_events)
    last_.pop_front();
  auto& newest = newest_[{x.id.site, x.id.epoch}];
  newest = std::max(newest, x.id.sequence);
  if (x.cause && x.cause.sequence > newest_[{x.cause.site, x.cause.epoch}])
    fail("I31 " + to_string(x.id) + " was caused by " + to_string(x.cause) + ", which has not happened");
  if (!expected_.empty())
    look_for_silence();
  if (x.kind == trace_kind::receive && x.message() == "claim_link")
    scheduler_claims(last_number(x.text()));
  if (x.kind == trace_kind::note)
    noted(to_event(x));
}

void invariant_checker::noted(const trace_event& x) {
  if (x.message == "fault" || x.message == "fault_over") {
    began(x);
  } else if (x.message == "peer_up" || x.message == "peer_down") {
    peer_went(x, x.message == "peer_up");
  } else if (x.message == "start") {
    site_began(x);
  } else if (x.message == "restart") {
    role_died(x);
  } else if (x.message == "alarm" && x.text.find("the two ends hold different bits") != std::string::npos) {
    if (virtual_lines_.count(link_id{first_word(x.text)}) > 0)
      fail("I22 " + x.text);
  } else if (x.message == "order") {
    order_states_[first_word(x.text)] = first_word(x.text, x.text.find(' ') + 1);
  } else if (x.message == "link") {
    if (auto arrow = x.text.find(" -> "); arrow != std::string::npos)
      link_went(link_id{first_word(x.text)}, first_word(x.text, arrow + 4));
  }
}

void invariant_checker::site_began(const trace_event& x) {
  for (auto& [pair, up] : up_)
    if (pair.first.value == x.site)
      up = false;
  for (auto& [link, state] : link_states_)
    if (lines_[link].bob_site.value == x.site)
      state = "off";
  for (auto i = restarts_.begin(); i != restarts_.end();)
    i = i->first.rfind(x.site + "/", 0) == 0 ? restarts_.erase(i) : std::next(i);
  new_scheduler_ = new_scheduler_ || x.site == sim_.lab().orchestrator().site.value;
  auto number = last_number(x.text);
  if (number <= starts_[x.site])
    fail("I43 " + x.site + " starts as number " + std::to_string(number) + " again");
  starts_[x.site] = number;
}

void invariant_checker::scheduler_claims(uint64_t epoch) {
  if (new_scheduler_ && epoch <= epoch_)
    fail("I43 a scheduler starts with epoch " + std::to_string(epoch) + " again");
  new_scheduler_ = false;
  epoch_ = std::max(epoch_, epoch);
}

void invariant_checker::role_died(const trace_event& x) {
  auto role = first_word(x.text);
  auto& deaths = restarts_[x.site + "/" + role];
  auto& limits = sim_.lab().limits;
  while (!deaths.empty() && sim_.now() - deaths.front() > std::chrono::seconds{limits.restart_window_s})
    deaths.pop_front();
  deaths.push_back(sim_.now());
  if (deaths.size() > limits.restarts_max)
    fail("I36 " + x.site + "/" + role + " starts again after " + std::to_string(deaths.size()) + " deaths");
  new_scheduler_ = new_scheduler_ || role == "scheduler";
  if (role.rfind("link/", 0) == 0)
    link_states_[link_id{role.substr(5)}] = "off";
}

void invariant_checker::link_went(const link_id& link, const std::string& state) {
  link_states_[link] = state;
  auto has_bob = [](const std::string& x) { return x == "switching" || x == "initialising" || x == "distilling"; };
  auto bob = bobs_.find(link);
  if (bob == bobs_.end() || !has_bob(state))
    return;
  for (auto& [other, its] : link_states_)
    if (other != link && has_bob(its) && bobs_.count(other) > 0 && bobs_[other] == bob->second)
      fail("I7 " + link.value + " and " + other.value + " have one Bob");
}

void invariant_checker::began(const trace_event& x) {
  auto what = parse_fault_kind(first_word(x.text));
  if (!what)
    return;
  bool over = x.message == "fault_over";
  // Of those that count no hits it is enough that they began.
  if (counts_hits(*what) ? over && x.text.find("hit 0 times") == std::string::npos : !over)
    fired_.insert(*what);
  if (over)
    return;
  if (auto i = waiting_.find(x.text); i != waiting_.end())
    expect(i->second);
  for (auto& [link, state] : link_states_)
    ++coverage_[{*what, "link " + state}];
  for (auto& [id, state] : order_states_)
    if (state != "running" && state != "failed" && state != "cancelled")
      ++coverage_[{*what, "order " + state}];
}

void invariant_checker::expect(const fault& x) {
  auto sort = traits(x.what).place;
  auto at = parse_fault_place(sort, x.where);
  if (!at || (sort != fault_place::edge && sort != fault_place::site))
    return;
  // Nobody knows when its message comes; then it is expected.
  if (!x.message.empty()) {
    waiting_[describe(x)] = x;
    waiting_[describe(x)].message.clear();
    return;
  }
  std::vector<site_id> concerned{site_id{at->first}};
  if (sort == fault_place::edge)
    concerned.push_back(site_id{at->second});
  if (x.what == kind::freeze)
    pauses(concerned[0], from_seconds(x.for_s));
  auto now = sim_.now();
  auto quiet = std::all_of(concerned.begin(), concerned.end(), [&](auto& site) {
    return excused_until_[site] < now && sim_.is_up(site) && !sim_.is_frozen(site);
  });
  auto concerns = [&](const site_id& site) {
    return std::count(concerned.begin(), concerned.end(), site) > 0;
  };
  expected_.erase(std::remove_if(expected_.begin(), expected_.end(),
                                 [&](auto& e) { return concerns(e.at) || concerns(e.of); }),
                  expected_.end());
  for (auto& site : concerned)
    excused_until_[site] = std::max(excused_until_[site], now + from_seconds(x.for_s) + aftermath);
  auto& limits = sim_.lab().limits;
  // One interval more: the last heartbeat may just have been heard.
  auto by = now + (limits.heartbeats_missed + 1) * std::chrono::milliseconds{limits.heartbeat_ms} + 100ms;
  auto lasts = now + from_seconds(x.for_s) > by && x.probability >= 1;
  if (!quiet || !lasts)
    return;
  auto must_notice = [&](const site_id& here, const site_id& gone) {
    if (up_[{here, gone}])
      expected_.push_back({here, gone, by});
  };
  if (x.what == kind::partition || x.what == kind::one_way)
    must_notice(concerned[1], concerned[0]);
  if (x.what == kind::partition)
    must_notice(concerned[0], concerned[1]);
  if (x.what == kind::freeze || x.what == kind::crash || x.what == kind::power_cut)
    for (auto& [pair, up] : std::map<std::pair<site_id, site_id>, bool>{up_})
      if (pair.second == concerned[0] && excused_until_[pair.first] < now)
        must_notice(pair.first, pair.second);
}

void invariant_checker::look_for_silence() {
  auto now = sim_.now();
  for (auto i = expected_.begin(); i != expected_.end();) {
    if (!up_[{i->at, i->of}]) {
      i = expected_.erase(i);
    } else if (now > i->by) {
      fail("I35 " + i->at.value + " has not noticed that " + i->of.value + " is gone");
      i = expected_.erase(i);
    } else {
      ++i;
    }
  }
}

bool invariant_checker::excused(const site_id& a, const site_id& b) const {
  auto until = [&](const site_id& x) {
    auto i = excused_until_.find(x);
    return i == excused_until_.end() ? time_point{} : i->second;
  };
  return std::max(until(a), until(b)) >= sim_.now();
}

void invariant_checker::peer_went(const trace_event& x, bool up) {
  site_id here{x.site}, other{first_word(x.text)};
  up_[{here, other}] = up;
  if (!up && !excused(here, other))
    fail("I35 " + x.site + " says that " + x.text + ", and nothing was wrong");
}

} // namespace qnfv
