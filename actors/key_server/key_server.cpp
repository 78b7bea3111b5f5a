#include "actors/key_server/key_server.hpp"

namespace qnfv {

namespace {

using self_ptr = stateful<key_server_actor, key_server_state>*;

/// Key material stays within its site, and so do those who may ask for it.
bool from_here(self_ptr self) {
  return self->sender_site() == self->env().site;
}

caf::error not_from_here() {
  return fail(ec::not_allowed, "applications ask the key server of their own site");
}

template <class Ask>
caf::result<key_grants> pass_on(self_ptr self, const Ask& x) {
  if (!from_here(self))
    return not_from_here();
  auto ask = self->state.directory.check(x);
  if (!ask)
    return fail(ask.error());
  return self->delegate(self->state.config.key_pool, std::move(*ask));
}

caf::result<application_status> status_for(self_ptr self, const application_status_query& x) {
  if (!from_here(self))
    return not_from_here();
  auto& s = self->state;
  auto status = s.directory.check(x);
  if (!status)
    return fail(status.error());
  auto promise = self->make_response_promise<application_status>();
  self->request(s.config.key_pool, std::chrono::milliseconds{s.config.request_timeout_ms},
                pool_status_query{s.directory.link_to(x.slave)})
      .then(
          [promise, status = *status](const pool_status& pool) mutable {
            status.stored_keys = pool.ready_here;
            promise.deliver(std::move(status));
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace

key_server_actor::behavior_type key_server(stateful<key_server_actor, key_server_state>* self,
                                           key_server_config config) {
  self->state.directory = directory{config.site, std::move(config.applications), config.limits};
  self->state.config = std::move(config);
  return {
      [self](const application_status_query& x) { return status_for(self, x); },
      [self](const draw_keys& x) { return pass_on(self, x); },
      [self](const fetch_keys& x) { return pass_on(self, x); },
  };
}

} // namespace qnfv
