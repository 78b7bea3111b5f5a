#include "drivers/switch_emulator/switch_emulator.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using self_ptr = stateful<switch_driver_actor, switch_emulator_state>*;
using deed = switch_emulator_state::deed;
using verdict = crossbar::verdict;

/// Tells Bobs whether light passes: those for whom that changed, or all.
void tell_light(self_ptr self, bool all) {
  auto& s = self->state;
  for (size_t i = 0; i < s.config.links.size(); ++i) {
    auto& x = s.config.links[i];
    bool passes = std::all_of(x.ports.begin(), x.ports.end(),
                              [&](auto& ports) { return s.glass->light_passes(ports); });
    if (!all && passes == s.passes[i])
      continue;
    s.passes[i] = passes;
    if (x.bob)
      self->send(x.bob, fibre_light{x.link, s.config.name, passes});
  }
}

void tell_watchers(self_ptr self, switch_event::kind what, port_number port, std::string text) {
  for (auto& watcher : self->state.watchers)
    self->send(watcher, switch_event{what, port, text});
}

std::string text_of(const cross_connection& x) {
  return std::to_string(x.in) + "->" + std::to_string(x.out);
}

/// Answers a command that has not been answered.
template <class T>
void answer(self_ptr self, uint64_t number, T x) {
  auto& asked = self->state.asked;
  auto found = asked.find(number);
  if (found == asked.end())
    return;
  auto promise = std::move(found->second.answer);
  asked.erase(found);
  promise.deliver(std::move(x));
}

failure no_answer(deed what) {
  if (what == deed::read)
    return {ec::site_unreachable, "the switch did not answer in time"};
  return {ec::maybe_executed, "the switch did not answer in time; the command may have reached it"};
}

caf::error refusal(self_ptr self, verdict x, const cross_connection& ports) {
  auto& s = self->state;
  auto what = s.config.name.value + ": " + text_of(ports);
  switch (x) {
  case verdict::no_such_port: {
    auto n = std::to_string(s.config.size);
    return fail(ec::invalid_argument, what + ": its ingress ports are 1 to " + n
                                        + ", its egress ports " + std::to_string(s.config.size + 1)
                                        + " to " + std::to_string(2 * s.config.size));
  }
  case verdict::overlap:
    return fail(ec::busy, what + ": a port is joined elsewhere");
  default:
    return fail(ec::device_failed, what + ": the mirror does not move");
  }
}

/// Begins what waits, until mirrors move or nothing waits.
void proceed(self_ptr self) {
  auto& s = self->state;
  while (s.moving == 0 && !s.waiting.empty()) {
    auto number = s.waiting.front();
    s.waiting.pop_front();
    auto found = s.asked.find(number);
    if (found == s.asked.end())
      continue; // Nobody waits for it any more.
    auto x = found->second;
    if (x.what == deed::read) {
      answer(self, number, cross_connections{s.glass->joined()});
      continue;
    }
    ++s.commands;
    auto came = x.what == deed::connect ? s.glass->connect(x.ports) : s.glass->disconnect(x.ports);
    self->note("xconn", s.config.name.value + " " + text_of(x.ports)
                          + (x.what == deed::connect ? " on" : " off"));
    switch (came) {
    case verdict::as_it_is:
      answer(self, number, accepted{});
      break;
    case verdict::moves:
      s.moving = number;
      tell_light(self, false);
      self->after(std::chrono::milliseconds{s.glass->settle_ms()}, tick{number, "settled"});
      break;
    case verdict::lost:
      if (s.config.request_timeout_ms == 0)
        answer(self, number, fail(no_answer(x.what)));
      break;
    default:
      answer(self, number, refusal(self, came, x.ports));
    }
  }
}

void settle(self_ptr self, uint64_t number) {
  auto& s = self->state;
  if (s.moving != number)
    return;
  s.moving = 0;
  s.glass->settled();
  tell_light(self, false);
  answer(self, number, accepted{});
  proceed(self);
}

void give_up(self_ptr self, uint64_t number) {
  auto found = self->state.asked.find(number);
  if (found != self->state.asked.end())
    answer(self, number, fail(no_answer(found->second.what)));
}

template <class T>
caf::result<T> take(self_ptr self, deed what, const cross_connection& ports) {
  auto& s = self->state;
  if (!commands(self->sender_site(), self->env().site))
    return fail(ec::not_allowed,
                self->sender_site().value + " does not command switch " + s.config.name.value);
  if (s.waiting.size() >= s.config.commands_max)
    return fail(ec::busy, s.config.name.value + ": too many commands wait");
  auto promise = self->template make_response_promise<T>();
  auto number = ++s.last;
  s.asked[number] = {what, ports, promise};
  s.waiting.push_back(number);
  if (s.config.request_timeout_ms != 0)
    self->after(std::chrono::milliseconds{s.config.request_timeout_ms}, tick{number, "patience"});
  proceed(self);
  return promise;
}

caf::result<accepted> set_fault(self_ptr self, const switch_fault& x) {
  auto& s = self->state;
  if (!commands(self->sender_site(), self->env().site))
    return fail(ec::not_allowed,
                self->sender_site().value + " does not command switch " + s.config.name.value);
  auto dark = s.glass->dark();
  auto joined = s.glass->joined();
  if (!s.glass->set(x))
    return fail(ec::invalid_argument, s.config.name.value + " has no port " + std::to_string(x.port)
                                        + ", or settling takes over "
                                        + std::to_string(crossbar_settle_ms_max) + " ms");
  self->note("fault",
             s.config.name.value + " port " + std::to_string(x.port) + " " + to_string(x.what));
  tell_light(self, false);
  if (s.glass->joined() != joined)
    tell_watchers(self, switch_event::kind::connected, 0, "it is joined otherwise than it said");
  for (auto port : s.glass->dark())
    if (dark.count(port) == 0)
      tell_watchers(self, switch_event::kind::light_lost, port, "no light");
  for (auto port : dark)
    if (s.glass->dark().count(port) == 0)
      tell_watchers(self, switch_event::kind::light_back, port, "light is back");
  return accepted{};
}

switch_status status_of(self_ptr self) {
  auto& s = self->state;
  switch_status out;
  out.name = s.config.name;
  out.reachable = true;
  out.model = s.config.model;
  out.size = s.config.size;
  out.joined = s.glass->joined();
  out.dark.assign(s.glass->dark().begin(), s.glass->dark().end());
  out.commands = s.commands;
  return out;
}

} // namespace

switch_driver_actor::behavior_type
switch_emulator(stateful<switch_driver_actor, switch_emulator_state>* self,
                switch_emulator_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.glass = std::make_unique<crossbar>(s.config.size);
  s.glass->set({switch_fault::kind::none, 0, s.config.settle_ms});
  s.passes.resize(s.config.links.size());
  if (s.config.owner)
    s.watchers.push_back(s.config.owner);
  tell_watchers(self, switch_event::kind::connected, 0, s.config.model);
  // Those begin with it: a controller that they have met already would take it for a change.
  for (auto& start : s.config.servers) {
    auto server = start(switch_driver_actor{self});
    self->link_to(server);
    s.watchers.push_back(std::move(server));
  }
  tell_light(self, true);
  auto repeat = [self] {
    auto wait = self->state.config.repeat_light_ms;
    if (wait != 0 && !self->state.config.links.empty())
      self->after(std::chrono::milliseconds{wait}, tick{0, "light"});
  };
  repeat();
  return {
    [self](const cross_connect& x) { return take<accepted>(self, deed::connect, x.ports); },
    [self](const disconnect& x) { return take<accepted>(self, deed::disconnect, x.ports); },
    [self](const read_cross_connections&) {
      return take<cross_connections>(self, deed::read, {});
    },
    [self](const switch_status_query&) { return status_of(self); },
    [self](const switch_fault& x) { return set_fault(self, x); },
    [self, repeat](const tick& x) {
      if (x.what == "settled")
        return settle(self, x.generation);
      if (x.what == "patience")
        return give_up(self, x.generation);
      tell_light(self, true);
      repeat();
    },
    [](const continuation& x) { x.run(); },
    [self](const peer_up&) { tell_light(self, true); },
    [](const peer_down&) {},
  };
}

} // namespace qnfv
