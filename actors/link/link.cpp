#include "actors/link/link.hpp"

#include <algorithm>
#include <cstdlib>

namespace qnfv {

namespace {

using namespace std::chrono;
using self_ptr = stateful<link_actor, link_actor_state>*;

/// True if the event counted.
bool apply(self_ptr self, link_event event, std::string reason = {}) {
  auto& status = self->state.status;
  auto to = next(status.state, event);
  if (!to)
    return false;
  self->note("link", status.link.value + " " + to_string(status.state) + " -> " + to_string(*to) + " ("
                       + to_string(event) + ")" + (reason.empty() ? "" : ": " + reason));
  status.state = *to;
  status.reason = std::move(reason);
  return true;
}

/// The next session number, durable before it is used: key ids must never repeat.
result<uint32_t> next_session(self_ptr self) {
  auto name = "link-" + self->state.config.link.value;
  std::replace(name.begin(), name.end(), '/', '-');
  auto& files = *self->env().storage;
  auto content = files.load(name, 32);
  auto last = content ? std::strtoul(std::string(content->begin(), content->end()).c_str(), nullptr, 10)
                      : 0;
  auto session = static_cast<uint32_t>(last + 1);
  if (auto ok = files.replace(name, byte_view{std::string_view{std::to_string(session)}}); !ok)
    return ok.error();
  return session;
}

void begin(self_ptr self);

/// Stops both devices; whether they answer does not matter: their session is dead already.
void stop_devices(self_ptr self) {
  auto timeout = milliseconds{self->state.config.request_timeout_ms};
  for (auto* device : {&self->state.config.bob, &self->state.config.alice})
    self->request(*device, timeout, stop_distilling{self->state.config.link})
      .then([](const accepted&) {}, [](const caf::error&) {});
}

void try_again_later(self_ptr self) {
  auto& s = self->state;
  auto wait = s.config.backoff_first_s;
  for (uint32_t i = 0; i < s.status.attempts && wait < s.config.backoff_max_s; ++i)
    wait *= 2;
  ++s.status.attempts;
  self->after_lab(seconds{std::min(wait, s.config.backoff_max_s)}, link_tick{++s.generation});
}

void ended(self_ptr self, link_event event, const std::string& reason) {
  ++self->state.generation;
  if (!apply(self, event, reason))
    return;
  stop_devices(self);
  if (self->state.alice_is_up)
    try_again_later(self);
}

/// Alice first: Bob's pulses come back to nothing otherwise.
void begin(self_ptr self) {
  auto& s = self->state;
  auto session = next_session(self);
  if (!apply(self, link_event::start))
    return;
  if (!session)
    return ended(self, link_event::refused, describe(session.error()));
  s.status.session = *session;
  s.status.device = device_report{};
  s.settled = false;
  auto generation = ++s.generation;
  auto timeout = milliseconds{s.config.request_timeout_ms};
  start_distilling command{s.config.link, *session};
  auto refused = [self, generation](const caf::error& why) {
    if (self->state.generation == generation)
      ended(self, link_event::refused, describe(why));
  };
  self->request(s.config.alice, timeout, command)
    .then(
      [self, command, timeout, generation, refused](const accepted&) {
        if (self->state.generation != generation)
          return;
        self->request(self->state.config.bob, timeout, command)
          .then(
            [self, generation](const accepted&) {
              self->state.settled = self->state.generation == generation;
            },
            refused);
      },
      refused);
}

/// A device that restarted has forgotten the session, and nobody else would notice.
void look_after(self_ptr self) {
  auto& s = self->state;
  auto alive = s.status.state == link_state::initialising || s.status.state == link_state::distilling;
  auto generation = s.generation;
  auto check = [self, generation](const char* end) {
    return [self, generation, end](const device_report& x) {
      if (self->state.generation == generation && x.session != self->state.status.session)
        ended(self, link_event::lost, std::string{end} + "'s device has restarted");
    };
  };
  auto silent = [self, generation](const char* end) {
    return [self, generation, end](const caf::error& why) {
      if (self->state.generation == generation)
        ended(self, link_event::lost, std::string{end} + "'s device does not answer: " + describe(why));
    };
  };
  auto timeout = milliseconds{s.config.request_timeout_ms};
  if (alive && s.settled) {
    self->request(s.config.bob, timeout, device_status_query{}).then(check("bob"), silent("bob"));
    self->request(s.config.alice, timeout, device_status_query{})
      .then(check("alice"), silent("alice"));
  }
  self->after(milliseconds{s.config.health_ms}, link_tick{0, true});
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
  self->after(milliseconds{s.config.health_ms}, link_tick{0, true});
  return {
    [self](const device_report& x) {
      auto& state = self->state;
      if (x.session != state.status.session)
        return;
      state.status.device = x;
      if (x.phase == qkd_phase::keys_ready) {
        state.status.attempts = 0;
        apply(self, link_event::first_key);
      } else if (x.phase == qkd_phase::lost) {
        ended(self, link_event::lost, x.reason);
      } else if (x.phase == qkd_phase::failed) {
        ended(self, link_event::refused, x.reason);
      }
    },
    [self](const link_status_query&) { return self->state.status; },
    [](const claim_link& x) -> caf::result<link_status> {
      return fail(ec::invalid_argument, x.link.value + " has its Bob for itself");
    },
    [](const serve_link& x) -> caf::result<accepted> {
      return fail(ec::invalid_argument, x.link.value + " has its Bob for itself");
    },
    [](const release_link& x) -> caf::result<accepted> {
      return fail(ec::invalid_argument, x.link.value + " has its Bob for itself");
    },
    [](const path_lost&) {},
    [self](const link_tick& x) {
      if (x.health)
        return look_after(self);
      if (x.generation == self->state.generation && self->state.alice_is_up)
        begin(self);
    },
    [self](const peer_up& x) {
      auto& state = self->state;
      if (x.site != state.config.alice_site)
        return;
      state.alice_is_up = true;
      state.status.attempts = 0;
      begin(self);
    },
    [self](const peer_down& x) {
      if (x.site != self->state.config.alice_site)
        return;
      self->state.alice_is_up = false;
      ended(self, link_event::lost, x.site.value + " is gone: " + x.reason);
    },
  };
}

} // namespace qnfv
