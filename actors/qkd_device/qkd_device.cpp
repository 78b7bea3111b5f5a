#include "actors/qkd_device/qkd_device.hpp"

namespace qnfv {

namespace {

using self_ptr = stateful<qkd_device_actor, qkd_device_state>*;

bool allowed(self_ptr self) {
  auto asker = self->sender_site();
  return commands(asker, self->env().site) || asker == self->state.config.bob_site;
}

/// Passes a command on to the driver.
template <class Command>
caf::result<accepted> command(self_ptr self, const Command& x, std::function<void()> done = [] {}) {
  if (!allowed(self))
    return fail(ec::not_allowed, self->sender_site().value + " does not command device "
                                   + self->state.config.device.value);
  auto promise = self->make_response_promise<accepted>();
  auto timeout = std::chrono::milliseconds{self->state.config.request_timeout_ms};
  self->request(self->state.config.source, timeout, x)
    .then(
      [promise, done](const accepted& y) mutable {
        done();
        promise.deliver(y);
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace

std::string qkd_device_state::problem(const key_block& x) const {
  if (x.block.link != config.link)
    return "of another link";
  if (session == 0 || x.block.session != session)
    return "of session " + std::to_string(x.block.session) + " while "
           + (session == 0 ? std::string{"none"} : std::to_string(session)) + " runs";
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
  return {
    [self](const start_distilling& x) {
      // Its first block may come before its answer.
      if (allowed(self))
        self->state.session = x.session;
      return command(self, x);
    },
    [self](const stop_distilling& x) {
      self->state.session = 0;
      return command(self, x);
    },
    [self](const set_line& x) { return command(self, x); },
    [self](key_block& x) {
      auto problem = self->state.problem(x);
      if (problem.empty())
        return self->send(self->state.config.key_pool, std::move(x));
      ++self->state.thrown_away;
      self->note("device", self->state.config.device.value + ": block thrown away: " + problem);
    },
    [self](const device_report& x) {
      auto& link = self->state.config.link_actor_handle;
      if (link && x.session == self->state.session)
        self->send(link, x);
    },
    [self](const device_status_query& x) -> caf::result<device_report> {
      // After a restart of this actor the driver's session is nobody's.
      if (self->state.session == 0)
        return device_report{};
      return self->delegate(self->state.config.source, x);
    },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

} // namespace qnfv
