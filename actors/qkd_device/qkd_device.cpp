#include "actors/qkd_device/qkd_device.hpp"

#include "runtime/base/mutant.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using self_ptr = stateful<qkd_device_actor, qkd_device_state>*;

/// The line that a command is for, if its sender may give it.
result<const qkd_device_config::line*> commanded(self_ptr self, const link_id& link) {
  auto& device = self->state.config.device.value;
  auto* line = self->state.line(link);
  auto asker = self->sender_site();
  auto own = commands(asker, self->env().site);
  if (!line)
    return own ? failure{ec::unknown_link, device + " is no end of " + link.value}
               : failure{ec::not_allowed, asker.value + " does not command device " + device};
  if (!own && asker != line->bob_site)
    return {ec::not_allowed, asker.value + " does not command device " + device};
  return line;
}

using promise_of_accepted = caf::typed_response_promise<accepted>;

/// Passes a command on to the driver; `answered` sees first whether it was accepted.
template <class Command>
caf::result<accepted> pass_on(self_ptr self, promise_of_accepted promise,
                              const qkd_device_config::line& line, const Command& x,
                              std::function<void(bool)> answered) {
  auto timeout = std::chrono::milliseconds{self->state.config.request_timeout_ms};
  self->request(line.source, timeout, x)
    .then(
      [promise, answered](const accepted& y) mutable {
        answered(true);
        promise.deliver(y);
      },
      [promise, answered](const caf::error& why) mutable {
        answered(false);
        promise.deliver(why);
      });
  return promise;
}

/// Once a scheduler has been obeyed, nobody's epoch (0) is an older one too.
status obey(qkd_device_state& s, uint64_t epoch) {
  if (epoch < s.fence.highest())
    return {ec::stale_epoch, s.config.device.value + " obeys epoch "
                               + std::to_string(s.fence.highest()) + ", not " + std::to_string(epoch)};
  return s.fence.admit(epoch);
}

/// A predecessor that died may have left a session running: nobody would stop it, and a second one
/// might be started beside it.
void stop_all(self_ptr self) {
  auto& c = self->state.config;
  for (auto& line : c.lines)
    self->request(line.source, std::chrono::milliseconds{c.request_timeout_ms}, stop_distilling{line.link})
      .then([](const accepted&) {}, [](const caf::error&) {}); // A source that does not run has none.
}

void idle(self_ptr self) {
  self->state.running = {};
  self->state.session = 0;
}

/// Asks the driver of a stopped session once more, which has not said yet that it stopped.
void stop_again(self_ptr self, std::function<void()> then) {
  auto& s = self->state;
  auto link = s.running;
  self->request(s.line(link)->source, std::chrono::milliseconds{s.config.request_timeout_ms},
                stop_distilling{link})
    .then(
      [self, link, then](const accepted&) {
        if (self->state.running == link && self->state.session == 0)
          idle(self);
        then();
      },
      [then](const caf::error&) { then(); });
}

void begin(self_ptr self, promise_of_accepted promise, const qkd_device_config::line& line,
           const start_distilling& x) {
  auto& s = self->state;
  auto refuse = [&](const caf::error& why) { promise.deliver(why); };
  if (auto ok = obey(s, x.epoch); !ok)
    return refuse(fail(ok.error()));
  if (!s.running.empty() && s.running != x.link && !QNFV_MUTANT("device takes a second link"))
    return refuse(fail(ec::busy, s.config.device.value + " runs session "
                                   + std::to_string(s.session) + " of " + s.running.value));
  auto before = s.session;
  if (x.session < before)
    return refuse(fail(ec::stale_epoch, "session " + std::to_string(x.session) + " after session "
                                          + std::to_string(before)));
  // Its first block may come before its answer.
  s.running = x.link;
  s.session = x.session;
  pass_on(self, promise, line, x, [self, x, before](bool accepted) {
    auto& state = self->state;
    if (!accepted && before == 0 && state.running == x.link && state.session == x.session)
      idle(self);
  });
}

caf::result<accepted> start(self_ptr self, const start_distilling& x) {
  auto line = commanded(self, x.link);
  if (!line)
    return fail(line.error());
  auto& s = self->state;
  auto promise = self->make_response_promise<accepted>();
  auto stopping = !s.running.empty() && s.running != x.link && s.session == 0;
  if (!stopping) {
    begin(self, promise, **line, x);
    return promise;
  }
  stop_again(self, [self, promise, x, line = *line] { begin(self, promise, *line, x); });
  return promise;
}

caf::result<accepted> stop(self_ptr self, const stop_distilling& x) {
  auto line = commanded(self, x.link);
  if (!line)
    return fail(line.error());
  // No block of it enters a pool from here on; another link may begin when the driver has stopped.
  if (self->state.running == x.link)
    self->state.session = 0;
  return pass_on(self, self->make_response_promise<accepted>(), **line, x, [self, x](bool accepted) {
    auto& state = self->state;
    // Unless it has been started again meanwhile.
    if (accepted && state.running == x.link && state.session == 0)
      idle(self);
  });
}

} // namespace

const qkd_device_config::line* qkd_device_state::line(const link_id& x) const {
  auto i = std::find_if(config.lines.begin(), config.lines.end(),
                        [&](auto& line) { return line.link == x; });
  return i == config.lines.end() ? nullptr : &*i;
}

std::string qkd_device_state::problem(const key_block& x) const {
  if (!line(x.block.link))
    return "of another device's link";
  if (session == 0 || x.block.link != running || x.block.session != session)
    return "of session " + std::to_string(x.block.session) + " while "
           + (session == 0 ? std::string{"none"}
                           : std::to_string(session) + " of " + running.value)
           + " runs";
  if (x.block.count == 0 || x.block.count > config.block_keys_max)
    return "of " + std::to_string(x.block.count) + " keys";
  if (x.material.size() != x.block.count * key_bytes)
    return "of " + std::to_string(x.material.size()) + " bytes for "
           + std::to_string(x.block.count) + " keys";
  return {};
}

qkd_device_actor::behavior_type
qkd_device(stateful<qkd_device_actor, qkd_device_state>* self, qkd_device_config config) {
  self->state.config = std::move(config);
  self->state.fence = {self->env().storage, "device-" + self->state.config.device.value};
  stop_all(self);
  return {
    [self](const start_distilling& x) { return start(self, x); },
    [self](const stop_distilling& x) { return stop(self, x); },
    [self](const set_line& x) -> caf::result<accepted> {
      auto line = commanded(self, x.link);
      if (!line)
        return fail(line.error());
      return pass_on(self, self->make_response_promise<accepted>(), **line, x, [](bool) {});
    },
    [self](key_block& x) {
      auto problem = self->state.problem(x);
      if (problem.empty())
        return self->send(self->state.config.key_pool, std::move(x));
      ++self->state.thrown_away;
      self->note("device", self->state.config.device.value + ": block of " + x.block.link.value
                             + " thrown away: " + problem);
    },
    [self](const device_report& x) {
      auto& s = self->state;
      if (self->sender_site() != self->env().site || x.link != s.running || x.session != s.session)
        return;
      // It ended by itself: the device is free.
      if (x.phase == qkd_phase::lost || x.phase == qkd_phase::failed)
        idle(self);
      if (auto& link = s.line(x.link)->link_actor_handle)
        self->send(link, x);
    },
    [self](const device_status_query& x) -> caf::result<device_report> {
      auto& s = self->state;
      // After a restart of this actor a driver's session is nobody's.
      if (s.session == 0)
        return device_report{};
      return self->delegate(s.line(s.running)->source, x);
    },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

} // namespace qnfv
