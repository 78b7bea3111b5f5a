#include "drivers/switch_openflow/switch_openflow.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using self_ptr = stateful<switch_driver_actor, switch_openflow_state>*;
using deed = switch_openflow_state::deed;
using command = switch_openflow_state::command;
using std::chrono::milliseconds;

void proceed(self_ptr self);

void tell(self_ptr self, const switch_event& x) {
  if (self->state.config.owner)
    self->send(self->state.config.owner, x);
}

/// To the switch; returns the message's xid.
template <class... Ts>
uint32_t send(self_ptr self, const Ts&... xs) {
  auto& s = self->state;
  auto found = s.peers.find(s.current);
  if (found != s.peers.end())
    found->second.connection->send(encode(++s.xid, xs...));
  return s.xid;
}

uint32_t send_empty(self_ptr self, openflow_type type) {
  auto& s = self->state;
  auto found = s.peers.find(s.current);
  if (found != s.peers.end())
    found->second.connection->send(encode(type, ++s.xid));
  return s.xid;
}

std::vector<cross_connection> joined(self_ptr self) {
  auto& s = self->state;
  if (s.config.names_peers)
    return s.view.joined();
  return {s.acknowledged.begin(), s.acknowledged.end()};
}

// -- commands
// -------------------------------------------------------------------------------------

/// Ends the command that is being carried out.
template <class T>
void end(self_ptr self, T answer) {
  auto& s = self->state;
  auto promise = std::move(s.active->answer);
  s.active.reset();
  promise.deliver(std::move(answer));
}

/// The switch did as it was told.
void succeed(self_ptr self) {
  auto& s = self->state;
  if (s.active->what == deed::connect)
    s.acknowledged.insert(s.active->ports);
  else
    s.acknowledged.erase(s.active->ports);
  end(self, accepted{});
}

void read_back(self_ptr self) {
  self->state.active->end_xid = send_empty(self, openflow_type::features_request);
}

void begin(self_ptr self, command x) {
  auto& s = self->state;
  s.active = std::move(x);
  if (s.active->what == deed::read)
    return read_back(self);
  if (!s.view.has(s.active->ports)) {
    auto n = std::to_string(s.view.size());
    return end(self,
               fail(ec::invalid_argument,
                    s.config.name.value + " has no ports " + std::to_string(s.active->ports.in)
                      + "->" + std::to_string(s.active->ports.out) + ": it is " + n + "x" + n));
  }
  ++s.commands;
  auto circuit = circuit_of(s.active->ports, s.active->what == deed::connect);
  s.active->xid = send(self, circuit, s.config.padding);
  s.active->end_xid = send_empty(self, openflow_type::barrier_request);
}

void proceed(self_ptr self) {
  auto& s = self->state;
  while (s.current != 0 && !s.active && !s.waiting.empty()) {
    auto x = std::move(s.waiting.front());
    s.waiting.pop_front();
    begin(self, std::move(x));
  }
}

/// What to answer when the switch will not.
failure no_answer(self_ptr self, const command& x, const std::string& why) {
  auto& s = self->state;
  if (x.refused)
    return failure_of(*x.refused, s.config.name.value, x.ports);
  if (x.what == deed::read)
    return {ec::site_unreachable, s.config.name.value + ": " + why};
  return {ec::maybe_executed,
          s.config.name.value + ": " + why + "; the command may have reached it"};
}

/// Nothing that waits or is under way will be answered by this connection.
void fail_commands(self_ptr self, const std::string& why) {
  auto& s = self->state;
  if (s.active)
    end(self, fail(no_answer(self, *s.active, why)));
  for (auto& x : std::exchange(s.waiting, {}))
    x.answer.deliver(fail(ec::site_unreachable, s.config.name.value + ": " + why));
}

void lose_patience(self_ptr self, uint64_t number) {
  auto& s = self->state;
  if (s.active && s.active->number == number) {
    end(self, fail(no_answer(self, *s.active, "the switch did not answer in time")));
    return proceed(self);
  }
  auto found =
    std::find_if(s.waiting.begin(), s.waiting.end(), [&](auto& x) { return x.number == number; });
  if (found == s.waiting.end())
    return;
  // It was never sent.
  found->answer.deliver(fail(ec::site_unreachable, s.config.name.value + " is too slow"));
  s.waiting.erase(found);
}

template <class T>
caf::result<T> take(self_ptr self, deed what, const cross_connection& ports) {
  auto& s = self->state;
  if (!commands(self->sender_site(), self->env().site))
    return fail(ec::not_allowed,
                self->sender_site().value + " does not command switch " + s.config.name.value);
  if (s.current == 0)
    return fail(ec::site_unreachable, s.config.name.value + ": " + s.trouble);
  if (s.waiting.size() >= s.config.commands_max)
    return fail(ec::busy, s.config.name.value + ": too many commands wait");
  auto promise = self->template make_response_promise<T>();
  command x;
  x.number = ++s.last_command;
  x.what = what;
  x.ports = ports;
  x.answer = promise;
  s.waiting.push_back(std::move(x));
  self->after(milliseconds{s.config.request_timeout_ms}, tick{s.last_command, "patience"});
  proceed(self);
  return promise;
}

// -- the connection
// -------------------------------------------------------------------------------

void lose(self_ptr self, const std::string& why) {
  auto& s = self->state;
  s.peers.erase(s.current);
  s.current = 0;
  s.trouble = why;
  self->note("openflow", s.config.name.value + " is gone: " + why);
  fail_commands(self, why);
  tell(self, {switch_event::kind::gone, 0, why});
}

void turn_away(self_ptr self, uint64_t number, const std::string& why) {
  auto& s = self->state;
  ++s.ignored;
  self->note("openflow", s.peers[number].connection->peer() + " is turned away: " + why);
  if (s.current == 0)
    s.trouble = why;
  s.peers.erase(number);
}

/// A stranger says who it is.
void introduced(self_ptr self, uint64_t number, const openflow_features& features) {
  auto& s = self->state;
  if (features.datapath != s.config.datapath)
    return turn_away(self, number,
                     datapath_text(features.datapath) + " is not "
                       + datapath_text(s.config.datapath));
  auto view = circuit_view::of(features);
  if (!view)
    return turn_away(self, number, view.error().text);
  if (s.config.size != 0 && view->size() != s.config.size)
    return turn_away(self, number,
                     "it is " + std::to_string(view->size()) + "x" + std::to_string(view->size())
                       + ", not " + std::to_string(s.config.size) + "x"
                       + std::to_string(s.config.size));
  if (s.current != 0)
    lose(self, "it connected again");
  s.current = number;
  s.view = std::move(*view);
  s.acknowledged.clear();
  s.trouble.clear();
  s.heard = self->now();
  auto model = "OpenFlow 1.0 " + datapath_text(s.config.datapath);
  self->note("openflow", s.config.name.value + " is " + model);
  s.peers[number].connection->send(
    encode(openflow_type::set_config, ++s.xid, openflow_config{0, 0xFFFF}));
  self->after(milliseconds{s.config.echo_ms}, tick{number, "echo"});
  tell(self, {switch_event::kind::connected, 0, model});
  proceed(self);
}

void ask_echo(self_ptr self, uint64_t number) {
  auto& s = self->state;
  if (number != s.current)
    return;
  if (self->now() - s.heard >= milliseconds{s.config.silent_ms_max})
    return lose(self, "it has been silent for too long");
  send_empty(self, openflow_type::echo_request);
  self->after(milliseconds{s.config.echo_ms}, tick{number, "echo"});
}

void features_came(self_ptr self, uint32_t xid, const openflow_features& features) {
  auto& s = self->state;
  auto view = circuit_view::of(features);
  if (!view || features.datapath != s.config.datapath || view->size() != s.view.size()) {
    ++s.ignored;
    return;
  }
  s.view = std::move(*view);
  if (!s.active || s.active->end_xid != xid)
    return;
  if (s.active->what == deed::read)
    return end(self, cross_connections{joined(self)});
  auto now = joined(self);
  auto is = std::count(now.begin(), now.end(), s.active->ports) > 0;
  if (is == (s.active->what == deed::connect))
    return succeed(self);
  end(self, fail(no_answer(self, *s.active, {})));
}

/// A message of the switch. False: it means nothing.
bool understood(self_ptr self, const openflow_header& header, const bytes& message) {
  auto& s = self->state;
  switch (header.type) {
  case openflow_type::hello:
  case openflow_type::echo_reply:
  case openflow_type::get_config_reply:
    return true;
  case openflow_type::error: {
    auto x = read_error(message);
    if (!x)
      return false;
    self->note("openflow", s.config.name.value + " says " + to_string(*x));
    if (s.active && (header.xid == s.active->xid || header.xid == s.active->end_xid))
      s.active->refused = std::move(*x);
    return true;
  }
  case openflow_type::features_reply: {
    auto x = read_features(message);
    if (x)
      features_came(self, header.xid, *x);
    return static_cast<bool>(x);
  }
  case openflow_type::barrier_reply:
    if (!s.active || s.active->what == deed::read || header.xid != s.active->end_xid)
      return true; // Of a command that was given up.
    if (s.active->refused)
      read_back(self);
    else
      succeed(self);
    return true;
  case openflow_type::cport_status: {
    auto x = read_cport_status(message);
    if (!x)
      return false;
    for (auto& event : s.view.update(*x))
      tell(self, event);
    return true;
  }
  default:
    return false;
  }
}

void arrived(self_ptr self, uint64_t number, const std::vector<bytes>& messages) {
  auto& s = self->state;
  for (auto& message : messages) {
    auto found = s.peers.find(number);
    if (found == s.peers.end())
      return;
    auto& peer = found->second;
    auto header = *read_header(message);
    if (number == s.current)
      s.heard = self->now();
    if (header.version != openflow_version && header.type != openflow_type::hello) {
      ++s.ignored;
    } else if (header.type == openflow_type::echo_request) {
      peer.connection->send(encode(openflow_type::echo_reply, header.xid,
                                   byte_view{message}.part(openflow_header_bytes)));
    } else if (number == s.current) {
      if (!understood(self, header, message))
        ++s.ignored;
    } else if (header.type == openflow_type::hello && !peer.asked) {
      peer.asked = true;
      peer.connection->send(encode(openflow_type::features_request, ++s.xid));
    } else if (header.type == openflow_type::features_reply) {
      if (auto x = read_features(message))
        introduced(self, number, *x);
      else
        ++s.ignored;
    } else {
      ++s.ignored;
    }
  }
  proceed(self);
  if (auto found = s.peers.find(number); found != s.peers.end())
    found->second.connection->read_on();
}

void ended(self_ptr self, uint64_t number, const std::string& why) {
  if (number == self->state.current)
    lose(self, why);
  else
    self->state.peers.erase(number);
}

void knocked(self_ptr self, std::shared_ptr<openflow_connection> connection) {
  auto& s = self->state;
  auto strangers = s.peers.size() - (s.current != 0 ? 1 : 0);
  if (strangers >= s.config.strangers_max) {
    ++s.ignored;
    return;
  }
  auto number = ++s.last_peer;
  auto me = caf::actor_cast<caf::actor_addr>(self);
  auto continue_here = [me](std::function<void()> run) {
    if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
      continue_at(caf::actor_cast<switch_driver_actor>(handle), std::move(run));
  };
  connection->send(encode(openflow_type::hello, ++s.xid));
  connection->start(
    [self, number, continue_here](std::vector<bytes> messages) {
      continue_here(
        [self, number, messages = std::move(messages)] { arrived(self, number, messages); });
    },
    [self, number, continue_here](const std::string& why) {
      continue_here([self, number, why] { ended(self, number, why); });
    });
  s.peers[number].connection = std::move(connection);
  self->after(milliseconds{s.config.handshake_timeout_ms}, tick{number, "handshake"});
}

switch_status status_of(self_ptr self) {
  auto& s = self->state;
  switch_status out;
  out.name = s.config.name;
  out.reachable = s.current != 0;
  out.commands = s.commands;
  out.ignored = s.ignored;
  out.trouble = s.trouble;
  if (!out.reachable)
    return out;
  out.model = "OpenFlow 1.0 " + datapath_text(s.config.datapath);
  out.size = s.view.size();
  out.joined = joined(self);
  out.dark.assign(s.view.dark().begin(), s.view.dark().end());
  out.failed.assign(s.view.failed().begin(), s.view.failed().end());
  return out;
}

} // namespace

switch_driver_actor::behavior_type
switch_openflow(stateful<switch_driver_actor, switch_openflow_state>* self,
                switch_openflow_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  // Weak: the listener outlives this actor, and serves the next one after a restart.
  auto me = caf::actor_cast<caf::actor_addr>(self);
  s.config.listener->serve([me, self](std::shared_ptr<openflow_connection> x) {
    if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
      continue_at(caf::actor_cast<switch_driver_actor>(handle),
                  [self, x = std::move(x)] { knocked(self, x); });
  });
  self->note("openflow",
             "switch " + s.config.name.value + " may connect to " + s.config.listener->address());
  return {
    [self](const cross_connect& x) { return take<accepted>(self, deed::connect, x.ports); },
    [self](const disconnect& x) { return take<accepted>(self, deed::disconnect, x.ports); },
    [self](const read_cross_connections&) { return take<cross_connections>(self, deed::read, {}); },
    [self](const switch_status_query&) { return status_of(self); },
    [self](const switch_fault&) -> caf::result<accepted> {
      return fail(ec::invalid_argument,
                  self->state.config.name.value + " is no emulator: its faults are its own");
    },
    [self](const tick& x) {
      if (x.what == "patience")
        return lose_patience(self, x.generation);
      if (x.what == "echo")
        return ask_echo(self, x.generation);
      // Handshake.
      if (x.generation != self->state.current && self->state.peers.count(x.generation) != 0)
        turn_away(self, x.generation, "it did not say who it is in time");
    },
    [](const continuation& x) { x.run(); },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

} // namespace qnfv
