#include "drivers/channel_tcp/channel_tcp.hpp"

namespace qnfv {

namespace {

using self_ptr = stateful<channel_actor, channel_tcp_state>*;
using opened_promise = caf::typed_response_promise<channel_opened>;

/// Delivers on the actor what an I/O thread found.
tcp_listener::taker deliver_to(self_ptr self, opened_promise promise) {
  auto handle = caf::actor_cast<channel_actor>(self);
  return [handle, promise, trace = current_trace()](result<channel_opened> channel) {
    trace_scope scope{trace};
    continue_at(handle, [promise, channel]() mutable {
      if (channel)
        promise.deliver(std::move(*channel));
      else
        promise.deliver(fail(channel.error()));
    });
  };
}

} // namespace

channel_actor::behavior_type channel_tcp(stateful<channel_actor, channel_tcp_state>* self,
                                         channel_tcp_config config) {
  self->state.config = std::move(config);
  return {
    [self](const open_channel& x) -> caf::result<channel_opened> {
      auto promise = self->make_response_promise<channel_opened>();
      auto& c = self->state.config;
      c.listener->open(x, std::chrono::milliseconds{c.connect_timeout_ms},
                       deliver_to(self, promise));
      return promise;
    },
    [self](const expect_channel& x) -> caf::result<channel_opened> {
      auto promise = self->make_response_promise<channel_opened>();
      self->state.config.listener->expect(x, deliver_to(self, promise));
      return promise;
    },
    [self](const channel_address_query&) {
      return channel_address{self->state.config.listener->address()};
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
