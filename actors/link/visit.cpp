#include "actors/link/visit.hpp"

#include "runtime/base/mutant.hpp"

#include <algorithm>

namespace qnfv::visit {

namespace {

using namespace std::chrono;

constexpr uint32_t stop_attempts = 3;

milliseconds request_timeout(self_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

/// Another time-out or a lost message must not leave Bob with a session that nobody follows.
void stop(self_ptr self, const qkd_device_actor& device, uint32_t attempts,
          std::function<void()> then) {
  self->request(device, request_timeout(self), stop_distilling{self->state.config.link})
    .then([then](const accepted&) { then(); },
          [self, device, attempts, then](const caf::error& why) {
            if (attempts > 1)
              return stop(self, device, attempts - 1, then);
            self->note("link", self->state.config.link.value
                                 + ": a device does not say that it stopped: " + describe(why));
            then();
          });
}

void release(self_ptr self, uint32_t attempts, std::function<void()> then) {
  auto& s = self->state;
  auto timeout = milliseconds{s.config.path_timeout_ms};
  auto generation = s.generation;
  self->request(s.config.controller, timeout, release_path{s.config.link.value, s.status.epoch})
    .then(
      [self, generation, then](const accepted&) {
        // A late answer is not of the path that was asked for since.
        if (self->state.generation == generation)
          self->state.path_owed = false;
        then();
      },
      [self, attempts, then](const caf::error& why) {
        if (attempts > 1)
          return release(self, attempts - 1, then);
        self->note("link", self->state.config.link.value + ": its path is not released yet: "
                             + describe(why));
        then();
      });
}

/// Alice first: Bob's pulses come back to nothing otherwise.
void start_session(self_ptr self) {
  auto& s = self->state;
  ++s.history.session;
  // Durable before it is used: key ids must never repeat.
  if (auto ok = remember(self); !ok)
    return ended(self, link_event::refused, describe(ok.error()));
  s.status.session = s.history.session;
  s.status.device = device_report{};
  s.settled = false;
  if (!apply(self, link_event::start))
    return;
  auto generation = ++s.generation;
  start_distilling command{s.config.link, s.status.session, s.status.epoch};
  auto refused = [self, generation](const caf::error& why) {
    if (self->state.generation == generation)
      ended(self, link_event::refused, describe(why));
  };
  self->request(s.config.alice, request_timeout(self), command)
    .then(
      [self, command, generation, refused](const accepted&) {
        if (self->state.generation != generation)
          return;
        self->request(self->state.config.bob, request_timeout(self), command)
          .then(
            [self, generation](const accepted&) {
              self->state.settled = self->state.generation == generation;
            },
            refused);
      },
      refused);
}

/// The session belongs to the pair that the light joins, whatever was asked for.
void path_stands(self_ptr self, const path_ready& x) {
  auto& s = self->state;
  auto& bob = s.config.bob_device.value;
  auto& alice = s.config.alice_device.value;
  auto ours = (x.from == bob && x.to == alice) || (x.from == alice && x.to == bob);
  if (!ours && !QNFV_MUTANT("link believes any light"))
    return ended(self, link_event::refused, "the light leads from " + x.from + " to " + x.to);
  s.status.length_km = x.length_km;
  start_session(self);
}

void connect(self_ptr self) {
  auto& s = self->state;
  if (!apply(self, link_event::connect))
    return;
  auto generation = ++s.generation;
  s.path_owed = true;
  connect_path wish{s.config.link.value, s.config.bob_device.value, s.config.alice_device.value,
                    s.status.epoch};
  self->request(s.config.controller, milliseconds{s.config.path_timeout_ms}, wish)
    .then(
      [self, generation](const path_ready& x) {
        if (self->state.generation == generation)
          path_stands(self, x);
      },
      [self, generation](const caf::error& why) {
        if (self->state.generation == generation)
          ended(self, link_event::refused, "no path: " + describe(why));
      });
}

void try_again_later(self_ptr self) {
  auto& s = self->state;
  auto wait = s.config.backoff_first_s;
  for (uint32_t i = 1; i < s.status.attempts && wait < s.config.backoff_max_s; ++i)
    wait *= 2;
  self->after_lab(seconds{std::min(wait, s.config.backoff_max_s)}, link_tick{++s.generation});
}

} // namespace

bool apply(self_ptr self, link_event event, std::string reason) {
  auto& status = self->state.status;
  auto to = next(status.state, event);
  if (!to)
    return false;
  self->note("link", status.link.value + " " + to_string(status.state) + " -> " + to_string(*to) + " ("
                       + to_string(event) + ")" + (reason.empty() ? "" : ": " + reason));
  status.state = *to;
  status.reason = std::move(reason);
  report(self);
  return true;
}

void report(self_ptr self) {
  auto& s = self->state;
  s.status.mean_initialisation_s = s.history.mean_initialisation_s;
  s.status.mean_secret_rate_bps = s.history.mean_secret_rate_bps;
  s.status.mean_qber = s.history.mean_qber;
  s.status.sessions_with_keys = s.history.sessions_with_keys;
  if (s.scheduled())
    self->send(s.config.scheduler, s.status);
}

status remember(self_ptr self) {
  auto& s = self->state;
  if (!s.damage.empty())
    return failure{ec::storage_failed, s.damage};
  auto text = to_text(s.history);
  auto ok = self->env().storage->replace(history_file(s.config.link), byte_view{std::string_view{text}});
  if (!ok)
    self->note("alarm", s.config.link.value + ": " + describe(ok.error()));
  return ok;
}

void begin(self_ptr self) {
  if (self->state.config.controller)
    return connect(self);
  start_session(self);
}

void ended(self_ptr self, link_event event, const std::string& reason) {
  auto& s = self->state;
  ++s.generation;
  if (next(s.status.state, event))
    ++s.status.attempts;
  if (!apply(self, event, reason) || s.letting_go)
    return;
  let_go(self, [self] {
    auto& state = self->state;
    if (!state.scheduled() && state.alice_is_up)
      try_again_later(self);
  });
}

void let_go(self_ptr self, std::function<void()> then) {
  auto& s = self->state;
  s.letting_go = true;
  // Whether Alice's device hears of it does not matter: its session is dead without Bob's.
  if (s.alice_is_up)
    stop(self, s.config.alice, 1, [] {});
  auto freed = [self, then] {
    auto& state = self->state;
    state.letting_go = false;
    state.status.serving = false;
    report(self);
    then();
  };
  stop(self, s.config.bob, stop_attempts, [self, freed] {
    if (self->state.config.controller && self->state.path_owed)
      release(self, stop_attempts, freed);
    else
      freed();
  });
}

void settle_debts(self_ptr self) {
  auto& s = self->state;
  if (s.path_owed && !s.letting_go && !s.status.serving)
    release(self, 1, [] {});
}

} // namespace qnfv::visit
