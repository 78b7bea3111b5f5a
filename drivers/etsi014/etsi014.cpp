#include "drivers/etsi014/etsi014.hpp"

#include "runtime/system/outside_request.hpp"

namespace qnfv {

namespace {

using namespace std::chrono_literals;
using self_ptr = stateful<key_service_actor, etsi014_state>*;
using shared_answer = std::shared_ptr<owed_answer>;

/// Without a timer of CAF's: it would live until it fires, thousands of them for every second of
/// the time-out. `expire` bounds the wait.
template <class Answer, class Ask>
void ask(self_ptr self, Ask question, std::function<void(Answer&)> then,
         std::function<void(const failure&)> otherwise) {
  self->request(self->state.config.key_server, caf::infinite, std::move(question))
      .then([then](Answer& x) { then(x); },
            [otherwise](const caf::error& why) { otherwise(to_failure(why)); });
}

void refuse(self_ptr self, const shared_answer& to, const failure& why, bool fetching) {
  to->send(answer(error_for(why, fetching, self->state.config.door->compat())));
}

void serve(self_ptr self, application_status_query x, const shared_answer& to) {
  ask<application_status>(
      self, std::move(x), [to](application_status& status) { to->send(answer(status)); },
      [self, to](const failure& why) { refuse(self, to, why, false); });
}

/// Says how many keys there are, if it is known in time.
void refuse_exhausted(self_ptr self, application_status_query x, const shared_answer& to,
                      const failure& why) {
  ask<application_status>(
      self, std::move(x),
      [self, to, why](application_status& status) {
        auto error = error_for(why, false, self->state.config.door->compat());
        error.stored_key_count = status.stored_keys;
        to->send(answer(error));
      },
      [self, to, why](const failure&) { refuse(self, to, why, false); });
}

void serve(self_ptr self, draw_keys x, const shared_answer& to) {
  x.request = request_id{self->env().random->bytes_of<std::array<uint8_t, 16>>()};
  application_status_query stock{x.caller, x.slave};
  ask<key_grants>(
      self, std::move(x), [to](key_grants& keys) { to->send(answer(keys)); },
      [self, to, stock = std::move(stock)](const failure& why) {
        if (why.code == ec::key_exhausted)
          return refuse_exhausted(self, stock, to, why);
        refuse(self, to, why, false);
      });
}

void serve(self_ptr self, fetch_keys x, const shared_answer& to) {
  ask<key_grants>(
      self, std::move(x), [to](key_grants& keys) { to->send(answer(keys)); },
      [self, to](const failure& why) { refuse(self, to, why, true); });
}

void serve(self_ptr, const etsi014_error& x, const shared_answer& to) {
  to->send(answer(x));
}

/// Answers what waited too long and forgets what was answered.
void expire(self_ptr self) {
  auto& open = self->state.open;
  auto now = self->now();
  while (!open.empty() && (open.front().answer->sent() || open.front().deadline <= now)) {
    if (!open.front().answer->sent())
      refuse(self, open.front().answer, {ec::maybe_executed, {}}, false);
    open.pop_front();
  }
}

void receive_visitors(self_ptr self) {
  auto& s = self->state;
  expire(self);
  auto deadline = self->now() + std::chrono::milliseconds{s.config.answer_timeout_ms};
  for (auto& x : s.config.door->take()) {
    s.open.push_back({deadline, x.answer});
    trace_scope scope{trace_of_request(*self, x.trace, "ETSI GS QKD 014")};
    std::visit([&](auto& call) { serve(self, std::move(call), x.answer); }, x.call);
  }
}

} // namespace

etsi014_state::~etsi014_state() {
  if (config.door)
    config.door->leave(service);
}

key_service_actor::behavior_type etsi014(stateful<key_service_actor, etsi014_state>* self,
                                         etsi014_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  auto me = caf::actor_cast<caf::actor_addr>(self);
  s.service = s.config.door->serve([me, self] {
    if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
      continue_at(caf::actor_cast<key_service_actor>(handle), [self] { receive_visitors(self); });
  });
  self->after(1s, tick{0, "expire"});
  return {
      [self](const tick&) {
        expire(self);
        self->after(1s, tick{0, "expire"});
      },
      [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
