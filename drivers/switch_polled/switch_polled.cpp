#include "drivers/switch_polled/switch_polled.hpp"

#include "drivers/switch_polled/rules.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using self_ptr = stateful<switch_driver_actor, switch_polled_state>*;
using accepted_promise = caf::typed_response_promise<accepted>;

/// Asks the client; `then` runs on the actor.
template <class T, class Question>
void ask(self_ptr self, Question question, std::function<void(result<T>)> then) {
  auto handle = caf::actor_cast<switch_driver_actor>(self);
  question(*self->state.client,
           [handle, then = std::move(then), trace = current_trace()](result<T> x) {
             trace_scope scope{trace};
             continue_at(handle, [then, x] { then(x); });
           });
}

void tell_owner(self_ptr self, switch_event x) {
  if (self->state.config.owner)
    self->send(self->state.config.owner, std::move(x));
}

void wake_after(self_ptr self, uint32_t ms) {
  self->after(std::chrono::milliseconds{ms}, tick{++self->state.generation, "poll"});
}

// -- one command after the other ----------------------------------------------------------------

void next(self_ptr self) {
  auto& s = self->state;
  s.working = !s.waiting.empty();
  if (!s.working)
    return;
  auto work = std::move(s.waiting.front());
  s.waiting.pop_front();
  work();
}

/// `work` must call next() once, when it is done.
void enqueue(self_ptr self, std::function<void()> work) {
  self->state.waiting.push_back(std::move(work));
  if (!self->state.working)
    next(self);
}

// -- the connection -----------------------------------------------------------------------------

bool breaks_connection(ec code) {
  return code == ec::site_unreachable || code == ec::maybe_executed || code == ec::not_allowed;
}

void went_down(self_ptr self, const failure& why) {
  auto& s = self->state;
  s.status.trouble = why.text;
  if (std::exchange(s.status.reachable, false)) {
    self->note("switch", s.config.name.value + " is gone: " + why.text);
    tell_owner(self, {switch_event::kind::gone, 0, why.text});
    s.retry_ms = 0;
  }
  auto& c = s.config;
  s.retry_ms = s.retry_ms == 0 ? c.retry_first_ms : std::min(2 * s.retry_ms, c.retry_max_ms);
  wake_after(self, s.retry_ms);
}

void came_up(self_ptr self, const switch_identity& x) {
  auto& s = self->state;
  s.status.reachable = true;
  s.status.trouble.clear();
  s.status.model = x.model;
  s.status.size = x.size;
  s.ports.clear(); // The owner is told again what is wrong with them.
  s.joined_is_known = false;
  s.retry_ms = 0;
  self->note("switch", s.config.name.value + " is " + x.model);
  tell_owner(self, {switch_event::kind::connected, 0, x.model});
  wake_after(self, 0);
}

/// Makes sure that the switch is known.
void reach(self_ptr self, std::function<void(status)> then) {
  if (self->state.status.reachable)
    return then(done{});
  ask<switch_identity>(
    self, [](switch_client& to, auto take) { to.identify(take); },
    [self, then = std::move(then)](result<switch_identity> x) {
      auto size = self->state.config.size;
      if (x && (x->size == 0 || (size != 0 && x->size != size)))
        x = failure{ec::site_unreachable, x->model + " has " + std::to_string(x->size)
                                            + " ingress ports, not " + std::to_string(size)};
      if (!x) {
        went_down(self, x.error());
        return then(failure{ec::site_unreachable, x.error().text});
      }
      came_up(self, *x);
      then(done{});
    });
}

void read_joined(self_ptr self, std::function<void(result<joined_ports>)> then) {
  ask<joined_ports>(
    self, [](switch_client& to, auto take) { to.read(take); },
    [self, then = std::move(then)](result<joined_ports> x) {
      if (!x) {
        if (breaks_connection(x.error().code))
          went_down(self, x.error());
        // Nothing was to be changed.
        auto code = x.error().code == ec::maybe_executed ? ec::site_unreachable : x.error().code;
        return then(failure{code, x.error().text});
      }
      std::sort(x->begin(), x->end());
      self->state.status.joined = *x;
      self->state.joined_is_known = true;
      then(std::move(x));
    });
}

// -- commands -----------------------------------------------------------------------------------

void finish(self_ptr self, accepted_promise& promise, const status& outcome) {
  if (outcome)
    promise.deliver(accepted{});
  else
    promise.deliver(fail(outcome.error()));
  next(self);
}

/// The switch said yes: is it so?
void confirm(self_ptr self, cross_connection x, bool join, accepted_promise promise) {
  read_joined(self, [=](result<joined_ports> now) mutable {
    if (!now)
      return finish(self, promise, failure{ec::maybe_executed, now.error().text});
    auto good = join ? after_join(*now, x) : after_part(*now, x);
    self->state.status.mismatches += good ? 0 : 1;
    finish(self, promise, good);
  });
}

void command(self_ptr self, cross_connection x, bool join, accepted_promise promise) {
  ask<done>(
    self, [=](switch_client& to, auto take) { join ? to.join(x, take) : to.part(x, take); },
    [=](status said) mutable {
      ++self->state.status.commands;
      if (said)
        return confirm(self, x, join, promise);
      if (breaks_connection(said.error().code))
        went_down(self, said.error());
      finish(self, promise, said);
    });
}

void change(self_ptr self, cross_connection x, bool join, accepted_promise promise) {
  reach(self, [=](status up) mutable {
    if (up)
      up = check_ports(x, self->state.status.size);
    if (!up)
      return finish(self, promise, up);
    read_joined(self, [=](result<joined_ports> now) mutable {
      if (!now)
        return finish(self, promise, now.error());
      auto already = join ? before_join(*now, x) : result<bool>{!is_joined(*now, x)};
      if (!already || *already)
        return finish(self, promise, already ? status{done{}} : status{already.error()});
      command(self, x, join, promise);
    });
  });
}

/// May it be asked now, and by this one?
status may_ask(self_ptr self) {
  auto& s = self->state;
  auto& name = s.config.name.value;
  if (!commands(self->sender_site(), self->env().site))
    return {ec::not_allowed, self->sender_site().value + " does not command switch " + name};
  if (!s.client)
    return {ec::site_unreachable, s.status.trouble};
  if (s.waiting.size() >= s.config.commands_max)
    return {ec::busy, name + ": too many commands wait"};
  return done{};
}

caf::result<accepted> start_change(self_ptr self, cross_connection x, bool join) {
  if (auto ok = may_ask(self); !ok)
    return fail(ok.error());
  auto promise = self->make_response_promise<accepted>();
  enqueue(self, [=] { change(self, x, join, promise); });
  return promise;
}

// -- looking at the ports -----------------------------------------------------------------------

void take_ports(self_ptr self, const std::vector<port_state>& now) {
  auto& s = self->state;
  for (auto& x : port_changes(s.ports, now))
    tell_owner(self, x);
  s.ports = now;
  s.status.dark.clear();
  s.status.failed.clear();
  for (size_t i = 0; i < now.size(); ++i) {
    auto port = static_cast<port_number>(i + 1);
    if (now[i] == port_state::disabled)
      s.status.dark.push_back(port);
    if (now[i] == port_state::failed)
      s.status.failed.push_back(port);
  }
}

void look_at_ports(self_ptr self) {
  auto size = self->state.status.size;
  ask<std::vector<port_state>>(
    self, [size](switch_client& to, auto take) { to.read_ports(size, take); },
    [self](result<std::vector<port_state>> x) {
      if (x)
        take_ports(self, *x);
      else if (breaks_connection(x.error().code))
        went_down(self, x.error());
      if (self->state.status.reachable)
        wake_after(self, self->state.config.poll_ms);
      next(self);
    });
}

void poll(self_ptr self) {
  auto up = self->state.status.reachable;
  reach(self, [self, up](status now) {
    if (!now || !up) // Its own tick follows.
      return next(self);
    auto& s = self->state;
    auto before = s.joined_is_known ? s.status.joined : std::optional<joined_ports>{};
    read_joined(self, [self, before](const result<joined_ports>& now) {
      if (now && before && *now != *before)
        tell_owner(self, {switch_event::kind::connected, 0, "it is joined otherwise than it was"});
      if (self->state.status.reachable)
        return look_at_ports(self);
      next(self);
    });
  });
}

} // namespace

switch_driver_actor::behavior_type
switch_polled(stateful<switch_driver_actor, switch_polled_state>* self,
              switch_polled_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.status.name = s.config.name;
  s.status.trouble = "not connected yet";
  auto client = s.config.connect();
  if (client) {
    s.client = std::move(*client);
    wake_after(self, 0);
  } else {
    s.status.trouble = client.error().text;
  }
  return {
    [self](const cross_connect& x) { return start_change(self, x.ports, true); },
    [self](const disconnect& x) { return start_change(self, x.ports, false); },
    [self](const read_cross_connections&) -> caf::result<cross_connections> {
      if (auto ok = may_ask(self); !ok)
        return fail(ok.error());
      auto promise = self->make_response_promise<cross_connections>();
      enqueue(self, [self, promise]() mutable {
        reach(self, [self, promise](status up) mutable {
          auto answer = [self, promise](result<joined_ports> x) mutable {
            if (x)
              promise.deliver(cross_connections{std::move(*x)});
            else
              promise.deliver(fail(x.error()));
            next(self);
          };
          if (!up)
            return answer(up.error());
          read_joined(self, answer);
        });
      });
      return promise;
    },
    [self](const switch_status_query&) {
      auto out = self->state.status;
      out.ignored = self->state.client ? self->state.client->ignored() : 0;
      return out;
    },
    [](const switch_fault&) -> caf::result<accepted> {
      return fail(ec::invalid_argument, "this is no emulated switch");
    },
    [self](const tick& x) {
      if (x.generation == self->state.generation)
        enqueue(self, [self] { poll(self); });
    },
    [](const continuation& x) { x.run(); },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

} // namespace qnfv
