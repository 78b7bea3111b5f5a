#include "drivers/idq3p/server.hpp"

namespace qnfv {

namespace {

using self_ptr = stateful<idq3p_server_actor, idq3p_server_state>*;

idq3p_asker asker_of(const idq3p_question& x) {
  return {to_text(x.from), x.request.request, x.request.device};
}

/// "idq3p@co": the encryptors of a site, as users of a key.
std::string user_at(const site_id& site) {
  return "idq3p@" + site.value;
}

void refuse(self_ptr self, const idq3p_question& x, idq3p_status why) {
  idq3p_response out;
  out.id = x.request.id;
  out.key_bytes = x.request.key_bytes;
  out.request = x.request.request;
  out.device = x.request.device;
  out.status = why;
  self->state.config.port->answer(encode(out), x.from);
}

/// What the pool's refusal is in the words of IDQ3P.
idq3p_status status_of(ec code) {
  switch (code) {
  case ec::unknown_key:
  case ec::not_allowed:
  case ec::unknown_link:
    return idq3p_status::unknown_key;
  case ec::invalid_argument:
    return idq3p_status::invalid_request;
  default:
    return idq3p_status::no_more_keys;
  }
}

void hand_over(self_ptr self, const idq3p_question& x, const key_grants& grants) {
  auto& s = self->state;
  if (grants.keys.size() != 1)
    return refuse(self, x, idq3p_status::no_more_keys);
  auto& key = grants.keys.front();
  auto id = idq3p_id_of(key.id);
  if (!id) {
    self->note("alarm", to_string(key.id) + " has no IDQ3P name: the session is too long");
    return refuse(self, x, idq3p_status::no_more_keys);
  }
  if (key.material.size() != x.request.key_bytes)
    return refuse(self, x, idq3p_status::wrong_key_length);
  idq3p_response out;
  out.id = *id;
  out.key_bytes = x.request.key_bytes;
  out.request = x.request.request;
  out.device = x.request.device;
  out.key = key.material;
  auto datagram = encode(out);
  s.recent->put(asker_of(x), x.request, *id, datagram, self->now());
  if (!std::exchange(s.expiry_due, true))
    self->after(std::chrono::seconds{s.config.recent_s}, tick{0, "expire"});
  s.config.port->answer(std::move(datagram), x.from);
}

template <class Ask>
void ask_pool(self_ptr self, const idq3p_question& x, Ask ask) {
  auto& s = self->state;
  self
    ->request(s.config.key_pool, std::chrono::milliseconds{s.config.pool_timeout_ms},
              std::move(ask))
    .then(
      [self, x](const key_grants& grants) {
        self->state.asking.erase(asker_of(x));
        hand_over(self, x, grants);
      },
      [self, x](const caf::error& why) {
        self->state.asking.erase(asker_of(x));
        refuse(self, x, status_of(to_failure(why).code));
      });
}

void take(self_ptr self, const idq3p_question& x) {
  auto& s = self->state;
  if (x.problem == idq3p_problem::key_length)
    return refuse(self, x, idq3p_status::wrong_key_length);
  if (x.problem != idq3p_problem::none)
    return refuse(self, x, idq3p_status::invalid_request);
  auto known = s.recent->find(asker_of(x), x.request, self->now());
  if (!known.empty())
    return s.config.port->answer(known, x.from);
  auto length = x.request.id.is_new() ? uint8_t{0} : s.recent->length_of(x.request.id, self->now());
  if (length != 0 && length != x.request.key_bytes)
    return refuse(self, x, idq3p_status::wrong_key_length);
  // A repeated one gets the answer to the first.
  if (!s.asking.insert(asker_of(x)).second)
    return;
  auto here = user_at(self->env().site);
  auto there = user_at(s.config.peer);
  if (!x.request.id.is_new())
    return ask_pool(
      self, x, claim_keys{s.config.link, {key_id_of(s.config.link, x.request.id)}, there, here});
  request_id request{self->env().random->bytes_of<std::array<uint8_t, 16>>()};
  ask_pool(self, x,
           reserve_keys{s.config.link, 1, 8u * x.request.key_bytes, request, {here, {there}}});
}

} // namespace

idq3p_server_actor::behavior_type
idq3p_server(stateful<idq3p_server_actor, idq3p_server_state>* self, idq3p_server_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.recent =
    std::make_unique<recent_answers>(s.config.recent_max, std::chrono::seconds{s.config.recent_s});
  // Weak: the port outlives this actor, and serves the next one after a restart.
  auto me = caf::actor_cast<caf::actor_addr>(self);
  s.config.port->serve([me, self](idq3p_question x) {
    if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
      continue_at(caf::actor_cast<idq3p_server_actor>(handle),
                  [self, x = std::move(x)] { take(self, x); });
  });
  self->note("idq3p", "keys of " + s.config.link.value + " at " + s.config.port->address());
  return {
    [](const peer_up&) {},
    [](const peer_down&) {},
    [self](const tick&) {
      auto& state = self->state;
      state.expiry_due = false;
      state.recent->expire(self->now());
      if (state.recent->size() > 0 && !std::exchange(state.expiry_due, true))
        self->after(std::chrono::seconds{state.config.recent_s}, tick{0, "expire"});
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
