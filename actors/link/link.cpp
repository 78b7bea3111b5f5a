#include "actors/link/link.hpp"

#include "actors/link/visit.hpp"
#include "runtime/base/mutant.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace qnfv {

namespace {

using namespace std::chrono;
using visit::self_ptr;

/// A device that restarted has forgotten the session, and nobody else would notice.
void look_after(self_ptr self) {
  auto& s = self->state;
  auto alive = s.status.state == link_state::initialising || s.status.state == link_state::distilling;
  auto generation = s.generation;
  auto check = [self, generation](const char* end) {
    return [self, generation, end](const device_report& x) {
      if (self->state.generation == generation && x.session != self->state.status.session)
        visit::ended(self, link_event::lost, std::string{end} + "'s device has restarted");
    };
  };
  auto silent = [self, generation](const char* end) {
    return [self, generation, end](const caf::error& why) {
      if (self->state.generation == generation)
        visit::ended(self, link_event::lost,
                     std::string{end} + "'s device does not answer: " + describe(why));
    };
  };
  auto timeout = milliseconds{s.config.request_timeout_ms};
  if (alive && s.settled) {
    self->request(s.config.bob, timeout, device_status_query{}).then(check("bob"), silent("bob"));
    self->request(s.config.alice, timeout, device_status_query{})
      .then(check("alice"), silent("alice"));
  }
  visit::settle_debts(self);
  self->after(milliseconds{s.config.health_ms}, link_tick{0, true});
}

/// A block was thrown away for its errors. Nobody else waits for a Bob of one link: there each block is
/// judged by itself.
void over_limit(self_ptr self, double qber) {
  auto& s = self->state;
  char percent[16];
  std::snprintf(percent, sizeof percent, "%.1f %%", 100 * qber);
  auto why = "a QBER of " + std::string{percent} + " leaves no secret: noise, or somebody listens";
  if (!std::exchange(s.suspect, true))
    self->note("alarm", s.config.link.value + ": " + why);
  if (s.scheduled())
    visit::ended(self, link_event::lost, why);
}

void device_says(self_ptr self, const device_report& x) {
  auto& s = self->state;
  if (x.session != s.status.session)
    return;
  auto more_keys = x.keys > s.status.device.keys;
  // Key servers of another make fail blocks too, and know no QBER.
  auto no_secret = x.failed_blocks > s.status.device.failed_blocks && x.qber > 0;
  s.status.device = x;
  // What a device says late of a session that has ended is no news.
  auto runs = s.status.state == link_state::initialising || s.status.state == link_state::distilling
              || s.status.state == link_state::releasing;
  if (no_secret)
    return over_limit(self, x.qber);
  if (x.phase == qkd_phase::keys_ready) {
    s.status.attempts = 0;
    s.suspect = false;
    s.history.distilled(x.secret_rate_bps, x.qber);
    if (s.status.state == link_state::initialising) {
      s.history.initialised(x.initialisation_s);
      visit::remember(self);
    }
    if (!visit::apply(self, link_event::first_key) && more_keys)
      visit::report(self);
  } else if (x.phase == qkd_phase::lost && runs) {
    visit::ended(self, link_event::lost, x.reason);
  } else if (x.phase == qkd_phase::failed && runs) {
    visit::ended(self, link_event::refused, x.reason);
  }
}

/// Why the scheduler's command does not count; no error if it does. The epoch of a younger scheduler is
/// taken: from now on older ones are fenced off, also after a restart.
caf::error objection(self_ptr self, uint64_t epoch) {
  auto& s = self->state;
  if (!s.scheduled())
    return fail(ec::invalid_argument, s.config.link.value + " has its Bob for itself");
  if (!commands(self->sender_site(), s.config.scheduler_site))
    return fail(ec::not_allowed, self->sender_site().value + " does not schedule "
                                   + s.config.link.value);
  if (epoch < s.status.epoch && !QNFV_MUTANT("link obeys an old scheduler"))
    return fail(ec::stale_epoch, "epoch " + std::to_string(epoch) + " is over: " + s.config.link.value
                                   + " obeys epoch " + std::to_string(s.status.epoch));
  if (epoch == s.status.epoch)
    return {};
  s.history.epoch = epoch;
  if (auto ok = visit::remember(self); !ok)
    return fail(ok.error());
  s.status.epoch = epoch;
  return {};
}

caf::result<accepted> serve(self_ptr self, const serve_link& x) {
  auto& s = self->state;
  if (auto no = objection(self, x.epoch))
    return no;
  if (s.letting_go || s.status.state == link_state::releasing)
    return fail(ec::busy, s.config.link.value + " still lets go of its last visit");
  if (s.status.serving) {
    s.status.visit = x.visit;
    visit::report(self);
    return accepted{};
  }
  if (!s.alice_is_up)
    return fail(ec::site_unreachable, s.config.alice_site.value + " is not joined");
  if (!s.damage.empty())
    return fail(ec::storage_failed, s.damage);
  s.status.serving = true;
  s.status.visit = x.visit;
  visit::begin(self);
  return accepted{};
}

void let_go(self_ptr self) {
  visit::let_go(self, [self] { visit::apply(self, link_event::stopped); });
}

caf::result<accepted> release(self_ptr self, const release_link& x) {
  auto& s = self->state;
  if (auto no = objection(self, x.epoch))
    return no;
  if (s.letting_go || s.status.state == link_state::releasing)
    return accepted{};
  if (!s.status.serving) {
    visit::report(self);
    return accepted{};
  }
  auto keys_on_their_way = s.status.state == link_state::distilling;
  ++s.generation;
  visit::apply(self, link_event::stop);
  if (keys_on_their_way)
    self->after_lab(seconds{s.config.drain_s}, link_tick{s.generation});
  else
    let_go(self);
  return accepted{};
}

void recall(self_ptr self) {
  auto& s = self->state;
  auto& files = *self->env().storage;
  auto name = history_file(s.config.link);
  auto names = files.list("");
  if (std::find(names.begin(), names.end(), name) == names.end())
    return;
  auto content = files.load(name, 1024);
  auto history = content ? parse_link_history({reinterpret_cast<const char*>(content->data()),
                                               content->size()})
                         : result<link_history>{content.error()};
  if (history) {
    s.history = *history;
    s.status.epoch = s.history.epoch;
    return;
  }
  s.damage = "file " + name + ": " + describe(history.error());
  s.status.state = link_state::failed;
  self->note("alarm", s.config.link.value + " makes no keys: " + s.damage);
}

} // namespace

link_actor::behavior_type link_pair(stateful<link_actor, link_actor_state>* self,
                                    link_actor_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.status.link = s.config.link;
  s.status.bob_site = s.config.bob_site;
  s.status.alice_site = s.config.alice_site;
  s.status.length_km = s.config.length_km;
  s.status.reason = s.config.alice_site.value + " has not joined yet";
  recall(self);
  if (!s.damage.empty())
    s.status.reason = s.damage;
  self->after(milliseconds{s.config.health_ms}, link_tick{0, true});
  if (s.scheduled()) {
    // After a restart in the middle of a visit: nobody follows that session any more.
    s.path_owed = true;
    visit::let_go(self, [] {});
  }
  return {
    [self](const device_report& x) { device_says(self, x); },
    [self](const link_status_query&) {
      return self->state.status;
    },
    [self](const claim_link& x) -> caf::result<link_status> {
      if (auto no = objection(self, x.epoch))
        return no;
      return self->state.status;
    },
    [self](const serve_link& x) { return serve(self, x); },
    [self](const release_link& x) { return release(self, x); },
    [self](const path_lost& x) {
      auto& state = self->state;
      if (x.path == state.config.link.value && state.status.serving
          && !QNFV_MUTANT("link ignores a lost path"))
        visit::ended(self, link_event::lost, "the path is gone: " + x.reason);
    },
    [self](const link_tick& x) {
      if (x.health)
        return look_after(self);
      if (x.generation != self->state.generation)
        return;
      if (self->state.status.state == link_state::releasing)
        let_go(self);
      else if (self->state.alice_is_up)
        visit::begin(self);
    },
    [self](const peer_up& x) {
      auto& state = self->state;
      if (x.site != state.config.alice_site) {
        if (state.scheduled() && x.site == state.config.scheduler_site)
          visit::report(self);
        return;
      }
      state.alice_is_up = true;
      if (state.scheduled()) {
        if (state.status.state == link_state::off)
          state.status.reason.clear();
        return visit::report(self);
      }
      state.status.attempts = 0;
      if (state.damage.empty() && !state.letting_go)
        visit::begin(self);
    },
    [self](const peer_down& x) {
      if (x.site != self->state.config.alice_site)
        return;
      self->state.alice_is_up = false;
      visit::ended(self, link_event::lost, x.site.value + " is gone: " + x.reason);
      if (self->state.status.state == link_state::off)
        self->state.status.reason = x.site.value + " is gone";
      if (self->state.scheduled())
        visit::report(self);
    },
  };
}

} // namespace qnfv
