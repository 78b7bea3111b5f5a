#include "actors/scheduler/scheduler.hpp"

#include "actors/scheduler/learnt.hpp"
#include "runtime/base/mutant.hpp"

#include <algorithm>
#include <cstdlib>

namespace qnfv {

namespace {

using self_ptr = stateful<scheduler_actor, scheduler_state>*;
using std::chrono::milliseconds;

constexpr const char* epoch_file = "scheduler-epoch";
constexpr const char* demand_file = "scheduler-demand";

double now_s(self_ptr self) {
  return to_seconds(self->env().clock->lab(self->now() - self->state.started));
}

milliseconds patience(self_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

void act(self_ptr self, const std::vector<command>& commands);

void plan(self_ptr self) {
  auto& s = self->state;
  if (s.epoch != 0 && !s.standing_down)
    act(self, s.book.plan(now_s(self)));
}

void trace_alarms(self_ptr self) {
  auto& s = self->state;
  std::map<std::pair<device_id, link_id>, std::string> now;
  for (auto& x : s.book.alarms()) {
    auto& look = s.book.now();
    auto worst = x.alarm.worst == no_link ? link_id{} : look.links[x.alarm.worst].link;
    now[{look.bobs[x.bob].bob, x.of_link ? worst : link_id{}}] =
      x.alarm.reason + "; " + worst.value + " runs dry in " + span_text(x.alarm.runs_dry_s)
      + "; what would help: " + x.alarm.help;
  }
  for (auto& [who, text] : now)
    if (s.raised.count(who) == 0)
      self->note("alarm", who.first.value + ": " + text);
  for (auto& [who, text] : s.raised)
    if (now.count(who) == 0)
      self->note("alarm", (who.second.empty() ? who.first.value : who.second.value) + ": over");
  s.raised = std::move(now);
}

/// A younger scheduler has these links: this one does nothing more, whatever happens.
void stand_down(self_ptr self, const std::string& why) {
  auto& s = self->state;
  if (s.standing_down)
    return;
  s.standing_down = true;
  s.trouble = why;
  self->note("alarm", "superseded, standing down: " + why);
}

/// Two schedulers that never heard of each other must not have one epoch: its last digits tell sites
/// apart.
uint64_t epoch_above(uint64_t last, const site_id& site) {
  constexpr uint64_t sites = 1000;
  uint32_t tag = 2166136261u; // FNV-1a
  for (unsigned char c : site.value)
    tag = (tag ^ c) * 16777619u;
  return (last / sites + 1) * sites + tag % sites;
}

/// Durable before it is used: a command of an older epoch must never be taken for a younger one's.
bool take_epoch(self_ptr self, uint64_t above) {
  auto& s = self->state;
  auto& files = *self->env().storage;
  auto content = files.load(epoch_file, 32);
  uint64_t last =
    content ? std::strtoull(std::string(content->begin(), content->end()).c_str(), nullptr, 10) : 0;
  auto next = epoch_above(std::max(last, above), self->env().site);
  if (QNFV_MUTANT("scheduler keeps its epoch") && last > 0)
    next = std::max(last, above);
  if (auto ok = files.replace(epoch_file, byte_view{std::string_view{std::to_string(next)}}); !ok) {
    if (s.trouble.empty())
      self->note("alarm", "no epoch, no scheduling: " + describe(ok.error()));
    s.trouble = describe(ok.error());
    return false;
  }
  // There was a scheduler before this one, and links may serve for it.
  if (last > 0 || above > 0)
    for (size_t bob = 0; bob < s.bob_sites.size(); ++bob)
      s.book.doubt(bob);
  s.epoch = next;
  s.trouble.clear();
  return true;
}

/// Of the scheduler before this one. A file that is none is ignored: demand is learnt again.
learnt_demands recall_learnt(self_ptr self) {
  auto& files = *self->env().storage;
  auto names = files.list("");
  if (std::find(names.begin(), names.end(), demand_file) == names.end())
    return {};
  auto content = files.load(demand_file);
  auto out = content ? parse_learnt_demands(
               {reinterpret_cast<const char*>(content->data()), content->size()})
                     : result<learnt_demands>{content.error()};
  if (out)
    return *out;
  self->note("schedule", std::string{"file "} + demand_file + " is ignored, demand is learnt again: "
                           + describe(out.error()));
  return {};
}

void keep_learnt(self_ptr self) {
  auto& s = self->state;
  if (now_s(self) - s.kept_s < s.config.keep_learnt_s)
    return;
  s.kept_s = now_s(self);
  learnt_demands all;
  for (size_t i = 0; i < s.config.links.size(); ++i)
    all[s.config.links[i].link] = s.book.record(i).demand.learnt();
  if (auto ok = self->env().storage->replace(demand_file, byte_view{std::string_view{to_text(all)}});
      !ok)
    self->note("schedule", "learnt demand is not kept: " + describe(ok.error()));
}

void claim(self_ptr self, size_t link);

void claim_all(self_ptr self) {
  auto& s = self->state;
  for (size_t i = 0; i < s.links.size(); ++i)
    if (s.up.count(s.config.links[i].bob_site) > 0)
      claim(self, i);
}

void refresh_reach(self_ptr self, size_t link) {
  auto& s = self->state;
  auto& x = s.config.links[link];
  auto is = s.links[link].claimed && s.up.count(x.bob_site) > 0 && s.up.count(x.alice_site) > 0;
  if (is != s.book.record(link).reachable)
    s.book.reachable(link, is, now_s(self));
}

void hear(self_ptr self, size_t link, const link_status& x) {
  auto& s = self->state;
  if (x.epoch > s.epoch && s.links[link].held_once)
    return stand_down(self, x.link.value + " obeys epoch " + std::to_string(x.epoch));
  if (x.epoch != s.epoch) {
    // It has restarted and forgotten whom it obeys, or speaks of before the claim.
    if (s.links[link].held_once && x.epoch < s.epoch) {
      s.links[link].claimed = false;
      claim(self, link);
    }
    return;
  }
  link_word word;
  word.serving = x.serving;
  word.visit = x.visit;
  word.producing = x.state == link_state::distilling;
  if (word.producing)
    word.rate_bps = x.device.secret_rate_bps;
  if (!x.serving
      && (x.state == link_state::lost || x.state == link_state::failed || !x.reason.empty()))
    word.reason = x.reason.empty() ? to_string(x.state) : x.reason;
  s.book.link_said(link, word, now_s(self));
}

/// Its links obeyed a scheduler before this one, under a higher epoch: this one goes above it.
void rise_above(self_ptr self, size_t link, uint64_t epoch) {
  auto& s = self->state;
  self->note("schedule", "a scheduler before this one had a higher epoch: "
                           + s.config.links[link].link.value + " obeys " + std::to_string(epoch));
  if (!take_epoch(self, epoch))
    return;
  for (auto& other : s.links)
    other.claimed = false;
  claim_all(self);
}

/// A link has refused a claim as stale: whom does it obey?
void ask_epoch(self_ptr self, size_t link, uint64_t refused) {
  auto& x = self->state.config.links[link];
  self->request(x.link_actor_handle, patience(self), link_status_query{})
    .then(
      [self, link, refused](const link_status& status) {
        auto& s = self->state;
        s.links[link].asking = false;
        if (s.standing_down)
          return;
        if (refused != s.epoch) // Another link said it first.
          return claim(self, link);
        if (status.epoch > s.epoch)
          rise_above(self, link, status.epoch);
      },
      [self, link](const caf::error&) { self->state.links[link].asking = false; });
}

void claim(self_ptr self, size_t link) {
  auto& s = self->state;
  auto epoch = s.epoch;
  if (epoch == 0 || s.standing_down || s.links[link].asking)
    return;
  s.links[link].asking = true;
  auto& x = s.config.links[link];
  self->request(x.link_actor_handle, patience(self), claim_link{x.link, epoch})
    .then(
      [self, link, epoch](const link_status& status) {
        auto& s = self->state;
        auto& control = s.links[link];
        control.asking = false;
        if (s.standing_down)
          return;
        if (epoch != s.epoch)
          return claim(self, link);
        control.claimed = control.held_once = true;
        refresh_reach(self, link);
        hear(self, link, status);
        plan(self);
      },
      [self, link, epoch](const caf::error& error) {
        auto& s = self->state;
        s.links[link].asking = false;
        auto why = to_failure(error);
        if (s.standing_down || why.code != ec::stale_epoch)
          return; // Asked again at the next tick.
        if (epoch != s.epoch)
          return claim(self, link);
        if (s.links[link].held_once)
          return stand_down(self, why.text);
        s.links[link].asking = true;
        ask_epoch(self, link, epoch);
      });
}

/// Serving and releasing: what came of it is told by link_status; here only what did not come of it.
template <class Command>
void order(self_ptr self, size_t link, const Command& what) {
  self->request(self->state.config.links[link].link_actor_handle, patience(self), what)
    .then([](const accepted&) {},
          [self, link](const caf::error& error) {
            auto& s = self->state;
            auto why = to_failure(error);
            if (s.standing_down)
              return;
            if (why.code == ec::stale_epoch)
              return stand_down(self, why.text);
            s.book.refused(link, why.code == ec::maybe_executed, describe(why), now_s(self));
          });
}

void ask(self_ptr self, size_t link) {
  self
    ->request(self->state.config.links[link].link_actor_handle, patience(self), link_status_query{})
    .then(
      [self, link](const link_status& x) {
        if (self->state.standing_down)
          return;
        hear(self, link, x);
        plan(self);
      },
      [](const caf::error&) {}); // Asked again at the next tick.
}

void act(self_ptr self, const std::vector<command>& commands) {
  auto& s = self->state;
  for (auto& x : commands) {
    auto& link = s.config.links[x.link].link;
    switch (x.to_do) {
    case command::what::serve: {
      auto bob = s.book.bob_of(x.link);
      self->note("schedule", link.value + ": " + s.book.why(bob));
      order(self, x.link, serve_link{link, s.epoch, x.visit});
      break;
    }
    case command::what::release:
      order(self, x.link, release_link{link, s.epoch});
      break;
    case command::what::ask:
      ask(self, x.link);
    }
  }
}

void end_round(self_ptr self) {
  self->state.end_round(now_s(self));
  plan(self);
  trace_alarms(self);
}

void ask_pools(self_ptr self) {
  auto& s = self->state;
  if (s.awaited > 0) {
    // Somebody has not answered for a whole tick: planning goes on without it.
    s.awaited = 0;
    end_round(self);
  }
  auto round = s.generation;
  auto answered = [self, round](size_t p) {
    auto& s = self->state;
    s.pools[p].asking = false;
    if (s.generation == round && s.awaited > 0 && --s.awaited == 0 && !s.standing_down)
      end_round(self);
  };
  for (size_t p = 0; p < s.pools.size(); ++p) {
    auto& watch = s.pools[p];
    if (watch.asking)
      continue;
    watch.asking = true;
    ++s.awaited;
    self->request(watch.pool, patience(self), keys_status_query{})
      .then(
        [self, p, answered](const keys_status& x) {
          self->state.take(self->state.pools[p], x);
          answered(p);
        },
        [p, answered](const caf::error&) { answered(p); });
  }
  if (s.awaited == 0)
    end_round(self);
}

void look(self_ptr self) {
  auto& s = self->state;
  if (s.standing_down)
    return;
  if (s.epoch == 0 && take_epoch(self, 0))
    claim_all(self);
  for (size_t i = 0; i < s.links.size(); ++i)
    if (!s.links[i].claimed && s.up.count(s.config.links[i].bob_site) > 0)
      claim(self, i);
  keep_learnt(self);
  ask_pools(self);
}

void next_tick(self_ptr self) {
  self->after_lab(from_seconds(self->state.config.tick_s), tick{++self->state.generation, "look"});
}

void site_changed(self_ptr self, const site_id& site, bool up) {
  auto& s = self->state;
  auto now = now_s(self);
  if (up)
    s.up.insert(site);
  else
    s.up.erase(site);
  for (size_t b = 0; b < s.bob_sites.size(); ++b)
    if (s.bob_sites[b] == site)
      s.book.bob_up(b, up, now);
  for (size_t i = 0; i < s.links.size(); ++i) {
    auto& x = s.config.links[i];
    if (x.bob_site == site) {
      // It may come back as another start that has forgotten its scheduler.
      s.links[i].claimed = false;
      if (up)
        claim(self, i);
    }
    if (x.bob_site == site || x.alice_site == site)
      refresh_reach(self, i);
  }
  plan(self);
}

void open(self_ptr self, scheduler_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.started = self->now();
  s.up.insert(self->env().site);
  s.book = schedule_book{s.config.book};
  s.book.set_policy(s.config.policy);
  std::map<device_id, size_t> bobs;
  for (auto& x : s.config.links)
    if (bobs.count(x.bob) == 0) {
      bobs[x.bob] = s.book.add_bob(x.bob, x.bob_site == self->env().site);
      s.bob_sites.push_back(x.bob_site);
    }
  for (auto& x : s.config.spares)
    if (bobs.count(x.bob) == 0) {
      bobs[x.bob] = s.book.add_bob(x.bob, false, true);
      s.bob_sites.push_back(x.site);
    }
  auto learnt = recall_learnt(self);
  std::map<caf::actor_addr, size_t> known;
  for (size_t i = 0; i < s.config.links.size(); ++i) {
    auto& x = s.config.links[i];
    s.book.add_link({x.link, bobs[x.bob], x.rate_guess_bps, x.initialisation_guess_s, x.declared_bps,
                     x.movable, learnt[x.link]});
    s.index[x.link] = i;
    s.links.emplace_back();
    s.ends.emplace_back();
    size_t end = 0;
    for (auto* pool : {&x.bob_pool, &x.alice_pool}) {
      if (*pool) {
        auto [at, fresh] = known.emplace(pool->address(), s.pools.size());
        if (fresh)
          s.pools.push_back({*pool, {}, {}, false});
        s.pools[at->second].parts.emplace(x.link, std::make_pair(i, end));
      }
      ++end;
    }
  }
}

} // namespace

scheduler_actor::behavior_type scheduler(stateful<scheduler_actor, scheduler_state>* self,
                                         scheduler_config config) {
  open(self, std::move(config));
  self->send(self, tick{++self->state.generation, "look"});
  return {
    [self](const link_status& x) {
      auto& s = self->state;
      auto i = s.index.find(x.link);
      if (s.standing_down || i == s.index.end()
          || self->sender_site() != s.config.links[i->second].bob_site)
        return;
      hear(self, i->second, x);
      plan(self);
    },
    [self](const schedule_query&) { return self->state.status(now_s(self)); },
    [self](const set_policy& x) -> caf::result<schedule_status> {
      if (!commands(self->sender_site(), self->env().site))
        return fail(ec::not_allowed, self->sender_site().value + " does not command the scheduler");
      if (!self->state.book.set_policy(x.policy)) {
        std::string known;
        for (auto& name : policy_names())
          known += (known.empty() ? "" : ", ") + name;
        return fail(ec::invalid_argument, "no policy named " + x.policy + "; there are " + known);
      }
      self->note("schedule", "policy " + x.policy);
      plan(self);
      return self->state.status(now_s(self));
    },
    [self](const tick& x) {
      if (x.generation != self->state.generation || self->state.standing_down)
        return;
      next_tick(self);
      look(self);
    },
    [self](const peer_up& x) { site_changed(self, x.site, true); },
    [self](const peer_down& x) { site_changed(self, x.site, false); },
  };
}

} // namespace qnfv
