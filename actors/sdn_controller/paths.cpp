#include "actors/sdn_controller/work.hpp"
#include "runtime/base/mutant.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono;

milliseconds timeout_of(controller_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

void try_way(controller_ptr self, const request_ptr& x);

void end(controller_ptr self, const request_ptr& x, const result<path_ready>& out) {
  self->state.under_way.clear();
  x->answer(out);
  finish(self);
}

std::set<switch_id> names_of(const fibre_graph::way& x) {
  std::set<switch_id> out;
  for (auto& hop : x.hops)
    out.insert(hop.name);
  return out;
}

std::vector<switch_port> ports_of(const path_hop& x) {
  return {{x.name, x.ports.in}, {x.name, x.ports.out}};
}

/// Undoes what was done of this way and tries the next one, if another could be better.
void failed(controller_ptr self, const request_ptr& x, failure why) {
  auto& s = self->state;
  self->note("path", x->ask.path + ": " + describe(why));
  x->last = std::move(why);
  if (x->keep) {
    s.table.find(x->ask.path)->trouble = x->last.text;
    return end(self, x, x->last);
  }
  // It stood when it was asked for again, perhaps by somebody else than its owner.
  if (std::exchange(x->stood, false))
    tell_owner(self, x->ask.path, x->last.text);
  s.table.give_up(x->ask.path);
  part(self, s.table.left_of(x->ask.path), [self, x](const status&) {
    auto hopeless = x->last.code == ec::stale_epoch || x->last.code == ec::not_allowed;
    if (hopeless || !x->given.empty() || x->tried.size() >= self->state.config.ways_max)
      return end(self, x, x->last);
    try_way(self, x);
  });
}

/// The ends of a path are what the light reaches, not what was asked for.
result<path_ready> confirmed(controller_ptr self, const request_ptr& x, const crossbars& bars) {
  auto& s = self->state;
  auto* held = s.table.find(x->ask.path);
  if (!held->trouble.empty())
    return {ec::device_failed, held->trouble};
  path_ready out;
  out.path = x->ask.path;
  out.hops = x->way.hops;
  for (auto& hop : out.hops)
    if (bars.count(hop.name) == 0)
      return {ec::maybe_executed, hop.name.value + " cannot be read"};
  if (!x->given.empty()) {
    // One cross-connection, wherever it leads.
    auto& hop = out.hops.front();
    auto& bar = bars.at(hop.name);
    if (std::find(bar.begin(), bar.end(), hop.ports) == bar.end())
      return {ec::device_failed, "not joined when read back: " + text_of(hop)};
    auto there = s.graph.follow({hop.name, hop.ports.in}, bars);
    auto back = s.graph.follow({hop.name, hop.ports.out}, bars);
    out.from = back.end.empty() ? to_string(ports_of(hop)[0]) : back.end;
    out.to = there.end.empty() ? to_string(ports_of(hop)[1]) : there.end;
    out.length_km = there.length_km;
    return out;
  }
  auto entry = s.graph.entry_of(x->way, x->ask.from);
  auto light = s.graph.follow(entry, bars);
  out.from = s.graph.behind(entry);
  out.to = light.end;
  out.hops = light.hops;
  out.length_km = light.length_km;
  if (out.to != x->ask.to)
    return {ec::device_failed,
            "the light of " + out.from + " leads "
              + (light.end.empty() ? "to no end (" + light.why_none + ")" : "to " + light.end)
              + ", not to " + x->ask.to};
  if (!(out.hops == x->way.hops))
    return {ec::device_failed, "the light of " + out.from + " takes another way"};
  return out;
}

void check(controller_ptr self, const request_ptr& x, const crossbars& bars) {
  auto& s = self->state;
  auto out = confirmed(self, x, bars);
  if (QNFV_MUTANT("controller believes its orders"))
    out = s.table.find(x->ask.path)->path;
  for (auto& hop : x->way.hops)
    for (auto& port : ports_of(hop))
      if (out)
        s.suspects.erase(port);
      else
        s.suspects.insert(port);
  if (!out)
    return failed(self, x, out.error());
  auto* held = s.table.find(x->ask.path);
  held->path = *out;
  held->standing = true;
  self->note("path", out->path + " stands from " + out->from + " to " + out->to);
  if (x->turned)
    std::swap(out->from, out->to);
  end(self, x, out);
}

void join(controller_ptr self, const request_ptr& x, size_t i) {
  auto& s = self->state;
  if (i == x->way.hops.size())
    return read(self, names_of(x->way), [self, x](const crossbars& bars) { check(self, x, bars); });
  auto& hop = x->way.hops[i];
  self
    ->request(switch_of(self, hop.name), timeout_of(self),
              cross_connect{hop.ports, s.fence.highest()})
    .then([self, x, i](const accepted&) { join(self, x, i + 1); },
          [self, x, i](const caf::error& error) {
            auto why = to_failure(error);
            if (why.code != ec::stale_epoch && why.code != ec::not_allowed)
              for (auto& port : ports_of(x->way.hops[i]))
                self->state.suspects.insert(port);
            failed(self, x, std::move(why));
          });
}

/// Why there is no way: no fibre, or others on all of them.
failure why_none(controller_ptr self, const connect_path& ask) {
  auto& s = self->state;
  auto best = s.graph.find(ask.from, ask.to, [](const switch_port&) { return port_use::good; });
  if (!best)
    return {ec::invalid_argument, "no fibres lead from " + ask.from + " to " + ask.to};
  std::string text;
  for (auto& who : s.table.holders(best->hops, ask.path))
    text += (text.empty() ? "held by " : ", ") + who;
  if (!text.empty())
    return {ec::busy, "no free way from " + ask.from + " to " + ask.to + ": " + text};
  for (auto& hop : best->hops)
    for (auto& port : ports_of(hop))
      if (s.failed.count(port) > 0)
        return {ec::device_failed, to_string(port) + " has failed"};
  return {ec::busy, "no free way from " + ask.from + " to " + ask.to};
}

void begin(controller_ptr self, const request_ptr& x) {
  auto& s = self->state;
  held_path held;
  held.path.path = x->ask.path;
  held.path.from = x->ask.from;
  held.path.to = x->ask.to;
  held.path.hops = x->way.hops;
  held.path.length_km = x->way.length_km;
  held.asked_by = x->asked_by;
  held.epoch = x->ask.epoch;
  if (auto ok = s.table.hold(held); !ok)
    return end(self, x, ok.error());
  s.under_way = x->ask.path;
  s.told.erase(x->ask.path);
  x->tried.push_back(x->way.hops);
  join(self, x, 0);
}

void try_way(controller_ptr self, const request_ptr& x) {
  auto& s = self->state;
  if (!x->given.empty()) {
    x->way.hops = x->given;
    return begin(self, x);
  }
  auto way = s.graph.find(x->ask.from, x->ask.to, [&s](const switch_port& port) {
    if (!s.table.holder(port).empty() || s.failed.count(port) > 0)
      return port_use::closed;
    return s.suspects.count(port) + s.gone.count(port.at) > 0 ? port_use::poor : port_use::good;
  });
  auto again = way && std::find(x->tried.begin(), x->tried.end(), way->hops) != x->tried.end();
  if (!way || again)
    return end(self, x, x->tried.empty() ? why_none(self, x->ask) : x->last);
  x->way = std::move(*way);
  begin(self, x);
}

} // namespace

void connect(controller_ptr self, const request_ptr& x) {
  auto& s = self->state;
  // A newer scheduler may have spoken since it was queued.
  if (auto ok = s.fence.admit(x->ask.epoch); !ok)
    return end(self, x, ok.error());
  auto* held = s.table.find(x->ask.path);
  if (!held)
    return part(self, s.table.left_of(x->ask.path), [self, x](const status&) { try_way(self, x); });
  if (!x->given.empty() && !(held->path.hops == x->given))
    return release(self, x->ask.path, [self, x](const status&) { try_way(self, x); });
  if (x->given.empty()) {
    if (held->asked_by != x->asked_by && !commands(x->asked_by, s.config.site))
      return end(self, x, failure{ec::not_allowed, x->ask.path + " is of " + held->asked_by.value});
    x->turned = held->path.from == x->ask.to && held->path.to == x->ask.from;
    if (x->turned)
      std::swap(x->ask.from, x->ask.to);
    if (held->path.from != x->ask.from || held->path.to != x->ask.to)
      return end(self, x,
                 failure{ec::busy, x->ask.path + " joins " + held->path.from + " and "
                                     + held->path.to + ": release it first"});
  }
  // Joining again what stands changes nothing, and finds out whether it stands.
  x->stood = held->standing;
  x->way.hops = held->path.hops;
  x->asked_by = held->asked_by;
  begin(self, x);
}

void part(controller_ptr self, std::vector<path_hop> hops,
          std::function<void(const status&)> then) {
  if (hops.empty())
    return then(done{});
  // The last one first: the light goes at the far end before it can lead elsewhere.
  auto hop = hops.back();
  hops.pop_back();
  auto next = [self, hops, then](status so_far) {
    part(self, hops, [so_far, then](const status& x) { then(so_far ? x : so_far); });
  };
  self
    ->request(switch_of(self, hop.name), timeout_of(self),
              disconnect{hop.ports, self->state.fence.highest()})
    .then(
      [self, hop, next](const accepted&) {
        self->state.table.parted(hop);
        next(done{});
      },
      [self, hop, next](const caf::error& why) {
        auto text = describe(why);
        self->note("path", "could not part " + text_of(hop) + ": " + text);
        self->state.table.not_parted(hop, text);
        next(to_failure(why));
      });
}

void release(controller_ptr self, const std::string& path,
             std::function<void(const status&)> then) {
  self->state.table.give_up(path);
  part(self, self->state.table.left_of(path), std::move(then));
}

void read(controller_ptr self, const std::set<switch_id>& names,
          std::function<void(crossbars)> then) {
  struct round {
    crossbars bars;
    size_t waiting = 0;
    std::function<void(crossbars)> then;
  };
  auto x = std::make_shared<round>();
  x->waiting = names.size();
  x->then = std::move(then);
  if (names.empty())
    return x->then({});
  auto one = [x] {
    if (--x->waiting == 0)
      x->then(std::move(x->bars));
  };
  for (auto& name : names)
    self->request(switch_of(self, name), timeout_of(self), read_cross_connections{})
      .then(
        [x, one, name](cross_connections& answer) {
          x->bars[name] = std::move(answer.joined);
          one();
        },
        [one](const caf::error&) { one(); });
}

optical_switch_actor switch_of(controller_ptr self, const switch_id& name) {
  for (auto& x : self->state.config.switches)
    if (x.name == name)
      return x.handle;
  return {};
}

} // namespace qnfv
