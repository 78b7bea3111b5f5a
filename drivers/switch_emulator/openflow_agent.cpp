#include "drivers/switch_emulator/openflow_agent.hpp"

#include "drivers/switch_emulator/openflow_face.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using self_ptr = stateful<openflow_agent_actor, openflow_agent_state>*;

void dial(self_ptr self);
void proceed(self_ptr self);

void send(self_ptr self, bytes message) {
  if (self->state.connection)
    self->state.connection->send(std::move(message));
}

void refuse(self_ptr self, const bytes& message, uint16_t type, uint16_t code) {
  auto xid = load_be32(message.data() + 4);
  send(self, encode(xid, openflow_error{type, code, message}));
}

/// Asks the switch; `then` runs unless the connection is another one by then. Either way the next
/// message may be looked at.
template <class Answer, class Ask>
void ask(self_ptr self, Ask what, std::function<void(result<Answer>)> then) {
  auto& s = self->state;
  auto serial = s.serial;
  auto came = [self, serial, then = std::move(then)](result<Answer> x) {
    if (self->state.serial == serial)
      return then(std::move(x));
    self->state.busy = false;
    proceed(self);
  };
  s.busy = true;
  self
    ->request(s.config.glass, std::chrono::milliseconds{s.config.command_timeout_ms},
              std::move(what))
    .then([came](Answer& x) { came(std::move(x)); },
          [came](caf::error& why) { came(to_failure(why)); });
}

void finish(self_ptr self) {
  self->state.busy = false;
  proceed(self);
}

void tell_features(self_ptr self, uint32_t xid) {
  // In order with the commands before: the status itself would not wait for them.
  ask<cross_connections>(
    self, read_cross_connections{}, [self, xid](result<cross_connections> joined) {
      ask<switch_status>(self, switch_status_query{}, [self, xid, joined](result<switch_status> x) {
        if (joined && x) {
          x->joined = joined->joined;
          send(self, encode(xid, features_of(self->state.config.datapath, *x)));
        }
        finish(self);
      });
    });
}

/// Carries out a plan from its step `at` on.
void carry_out(self_ptr self, const std::shared_ptr<const circuit_plan>& plan, size_t at,
               const bytes& message) {
  if (at == plan->steps.size())
    return finish(self);
  auto& step = plan->steps[at];
  auto then = [self, plan, at, message](result<accepted> x) {
    if (x)
      return carry_out(self, plan, at + 1, message);
    if (auto error = error_of(x.error().code))
      refuse(self, message, error->type, error->code);
    else
      self->state.command_lost = true;
    finish(self);
  };
  if (step.join)
    ask<accepted>(self, cross_connect{step.ports}, then);
  else
    ask<accepted>(self, disconnect{step.ports}, then);
}

void change_circuits(self_ptr self, const bytes& message) {
  auto x = read_cflow_mod(message);
  if (!x)
    return refuse(self, message, openflow::bad_request, openflow::bad_length);
  ask<cross_connections>(self, read_cross_connections{},
                         [self, message, x = *x](result<cross_connections> joined) {
                           auto plan = std::make_shared<circuit_plan>();
                           if (joined)
                             *plan = plan_of(x, joined->joined);
                           else
                             plan->refused = error_of(joined.error().code);
                           if (plan->refused) {
                             refuse(self, message, plan->refused->type, plan->refused->code);
                             return finish(self);
                           }
                           carry_out(self, plan, 0, message);
                         });
}

void take(self_ptr self, const bytes& message) {
  auto& s = self->state;
  auto header = *read_header(message);
  switch (header.type) {
  case openflow_type::hello:
  case openflow_type::echo_reply:
    return;
  case openflow_type::error:
    if (auto x = read_error(message))
      self->note("openflow", "the controller says " + to_string(*x));
    return;
  case openflow_type::features_request:
    return tell_features(self, header.xid);
  case openflow_type::get_config_request:
    return send(self, encode(openflow_type::get_config_reply, header.xid, s.settings));
  case openflow_type::set_config:
    if (auto x = read_config(message))
      s.settings = *x;
    else
      refuse(self, message, openflow::bad_request, openflow::bad_length);
    return;
  case openflow_type::cflow_mod:
    return change_circuits(self, message);
  case openflow_type::barrier_request:
    if (!std::exchange(s.command_lost, false))
      send(self, encode(openflow_type::barrier_reply, header.xid));
    return;
  default:
    return refuse(self, message, openflow::bad_request, openflow::bad_type);
  }
}

void proceed(self_ptr self) {
  auto& s = self->state;
  while (!s.busy && !s.inbox.empty()) {
    auto message = std::move(s.inbox.front());
    s.inbox.pop_front();
    take(self, message);
  }
  if (s.connection && !s.reading && s.inbox.size() < s.config.inbox_max) {
    s.reading = true;
    s.connection->read_on();
  }
}

void arrived(self_ptr self, uint64_t serial, const std::vector<bytes>& messages) {
  auto& s = self->state;
  if (serial != s.serial || !s.connection)
    return;
  s.again_ms = s.config.again_ms;
  s.reading = false;
  for (auto& message : messages) {
    auto header = *read_header(message);
    // A HELLO of a later version is an offer to speak this one.
    if (header.version != openflow_version && header.type != openflow_type::hello)
      refuse(self, message, openflow::bad_request, openflow::bad_version);
    else if (header.type == openflow_type::echo_request)
      send(self, encode(openflow_type::echo_reply, header.xid,
                        byte_view{message}.part(openflow_header_bytes)));
    else
      s.inbox.push_back(message);
  }
  proceed(self);
}

void dial_again(self_ptr self, const std::string& why) {
  auto& s = self->state;
  if (s.connection)
    self->note("openflow", "controller " + to_text(s.config.controller) + " is gone: " + why);
  s.connection = nullptr;
  s.inbox.clear();
  s.command_lost = false;
  ++s.serial;
  self->after(std::chrono::milliseconds{s.again_ms}, tick{s.serial, "dial"});
  s.again_ms = std::min(2 * s.again_ms, s.config.again_ms_max);
}

void connected(self_ptr self, uint64_t serial, result<std::shared_ptr<openflow_connection>> x) {
  auto& s = self->state;
  if (serial != s.serial)
    return;
  if (!x)
    return dial_again(self, x.error().text);
  s.connection = std::move(*x);
  self->note("openflow",
             datapath_text(s.config.datapath) + " dialled " + to_text(s.config.controller));
  auto me = caf::actor_cast<caf::actor_addr>(self);
  auto continue_here = [me](std::function<void()> run) {
    if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
      continue_at(caf::actor_cast<openflow_agent_actor>(handle), std::move(run));
  };
  s.reading = true;
  s.connection->send(encode(openflow_type::hello, ++s.xid));
  s.connection->start(
    [self, serial, continue_here](std::vector<bytes> messages) {
      continue_here(
        [self, serial, messages = std::move(messages)] { arrived(self, serial, messages); });
    },
    [self, serial, continue_here](const std::string& why) {
      continue_here([self, serial, why] {
        if (serial == self->state.serial)
          dial_again(self, why);
      });
    });
}

void dial(self_ptr self) {
  auto& s = self->state;
  auto serial = ++s.serial;
  auto me = caf::actor_cast<caf::actor_addr>(self);
  dial_openflow(self->env().io->context(), s.config.controller,
                std::chrono::milliseconds{s.config.dial_timeout_ms},
                [self, me, serial](result<std::shared_ptr<openflow_connection>> x) {
                  if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
                    continue_at(caf::actor_cast<openflow_agent_actor>(handle),
                                [self, serial, x] { connected(self, serial, x); });
                },
                self->env().tap());
}

/// Tells the controller of a port, once the number of ports is known.
void tell_port(self_ptr self, const switch_event& x) {
  auto& s = self->state;
  if (s.size != 0)
    send(self, encode(++s.xid, port_changed(s.size, x)));
}

/// Tells the controller what is joined now, if it is there to be told.
void tell_circuits(self_ptr self) {
  auto& s = self->state;
  auto serial = s.serial;
  self
    ->request(s.config.glass, std::chrono::milliseconds{s.config.command_timeout_ms},
              switch_status_query{})
    .then(
      [self, serial](const switch_status& x) {
        auto& s = self->state;
        if (s.serial == serial)
          for (auto& each : circuits_changed(s.config.datapath, x))
            send(self, encode(++s.xid, each));
      },
      [](const caf::error&) {});
}

} // namespace

openflow_agent_actor::behavior_type
openflow_agent(stateful<openflow_agent_actor, openflow_agent_state>* self,
               openflow_agent_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.again_ms = s.config.again_ms;
  self
    ->request(s.config.glass, std::chrono::milliseconds{s.config.command_timeout_ms},
              switch_status_query{})
    .then([self](const switch_status& x) { self->state.size = x.size; }, [](const caf::error&) {});
  dial(self);
  return {
    [self](const switch_event& x) {
      if (x.port != 0)
        tell_port(self, x);
      else if (self->state.connection)
        tell_circuits(self);
    },
    [self](const tick& x) {
      if (x.generation == self->state.serial)
        dial(self);
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
