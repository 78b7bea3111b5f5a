#include "actors/optical_switch/optical_switch.hpp"

#include "runtime/base/mutant.hpp"

namespace qnfv {

namespace {

using namespace std::chrono;
using self_ptr = stateful<optical_switch_actor, optical_switch_state>*;
using kind = switch_command::kind;
using act = switch_command::step::act;

void carry_out(self_ptr self, const switch_command::step& step);

milliseconds timeout_of(self_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

void look_for_late_ones(self_ptr self);

void next_job(self_ptr self) {
  auto& s = self->state;
  if (s.at_work || s.queue.empty())
    return;
  auto& job = s.queue.front();
  std::set<cross_connection> unwanted;
  for (auto& [ports, left] : s.doubtful)
    unwanted.insert(ports);
  s.at_work = true;
  s.command = switch_command{job.what, job.ports, std::move(unwanted)};
  // A newer scheduler may have spoken since it was queued.
  if (auto ok = s.fence.admit(job.epoch); !ok && !QNFV_MUTANT("switch obeys an old scheduler"))
    s.command.refuse(ok.error());
  carry_out(self, s.command.start());
}

void finish(self_ptr self) {
  auto& s = self->state;
  auto job = std::move(s.queue.front());
  s.queue.pop_front();
  s.at_work = false;
  auto& command = s.command;
  if (job.what == kind::join && command.verdict())
    s.doubtful.erase(job.ports);
  for (auto& ports : command.doubtful())
    s.doubtful[ports] = s.config.late_checks;
  if (command.mismatch()) {
    ++s.mismatches;
    self->note("switch", s.config.name.value + ": " + describe(command.verdict().error()));
  }
  job.answer(command);
  // Whoever counts on what is gone must hear of it.
  if (!command.vanished().empty() && s.config.controller) {
    auto& x = command.vanished().front();
    self->send(s.config.controller,
               switch_event{switch_event::kind::connected, 0,
                            std::to_string(x.in) + " to " + std::to_string(x.out) + " has gone",
                            s.config.name});
  }
  look_for_late_ones(self);
  next_job(self);
}

void carry_out(self_ptr self, const switch_command::step& step) {
  auto& s = self->state;
  auto written = [self](const accepted&) {
    carry_out(self, self->state.command.write_came(done{}));
  };
  auto not_written = [self](const caf::error& why) {
    carry_out(self, self->state.command.write_came(to_failure(why)));
  };
  switch (step.what) {
  case act::answer:
    return finish(self);
  case act::read:
    self->request(s.config.driver, timeout_of(self), read_cross_connections{})
      .then(
        [self](cross_connections& x) {
          carry_out(self, self->state.command.read_came(std::move(x.joined)));
        },
        [self](const caf::error& why) {
          carry_out(self, self->state.command.read_came(to_failure(why)));
        });
    return;
  case act::join:
    ++s.commands;
    self->request(s.config.driver, timeout_of(self), cross_connect{step.ports, s.fence.highest()})
      .then(written, not_written);
    return;
  case act::part:
    ++s.commands;
    self->request(s.config.driver, timeout_of(self), disconnect{step.ports, s.fence.highest()})
      .then(written, not_written);
    return;
  }
}

/// Nothing if it was queued.
caf::error enqueue(self_ptr self, optical_switch_state::job job) {
  auto& s = self->state;
  if (s.queue.size() >= s.config.queue_max)
    return fail(ec::busy, s.config.name.value + " has " + std::to_string(s.queue.size())
                            + " commands waiting");
  auto first = QNFV_MUTANT("switch takes the newest first") && s.at_work;
  s.queue.insert(first ? std::next(s.queue.begin()) : s.queue.end(), std::move(job));
  next_job(self);
  return {};
}

void look_for_late_ones(self_ptr self) {
  auto& s = self->state;
  if (s.doubtful.empty() || s.late_check_is_due)
    return;
  s.late_check_is_due = true;
  self->after(milliseconds{s.config.late_check_ms}, continuation{[self] {
                auto& state = self->state;
                state.late_check_is_due = false;
                for (auto i = state.doubtful.begin(); i != state.doubtful.end();)
                  i = i->second-- == 0 ? state.doubtful.erase(i) : std::next(i);
                if (state.doubtful.empty())
                  return;
                // A full queue looks for itself: every command does.
                if (enqueue(self, {kind::sweep, {}, 0, [](const switch_command&) {}}))
                  look_for_late_ones(self);
              }});
}

caf::error may_command(self_ptr self) {
  auto asker = self->sender_site();
  if (commands(asker, self->state.config.controller_site))
    return {};
  return fail(ec::not_allowed, asker.value + " does not command " + self->state.config.name.value);
}

caf::result<accepted> command(self_ptr self, kind what, cross_connection ports, uint64_t epoch) {
  auto& s = self->state;
  if (auto why = may_command(self))
    return why;
  if (auto problem = problem_of(ports, s.config.size); !problem.empty())
    return fail(ec::invalid_argument, s.config.name.value + ": " + problem);
  if (auto ok = s.fence.admit(epoch); !ok && !QNFV_MUTANT("switch obeys an old scheduler"))
    return fail(ok.error());
  auto promise = self->make_response_promise<accepted>();
  auto answer = [promise, name = s.config.name](const switch_command& x) mutable {
    if (x.verdict())
      promise.deliver(accepted{});
    else
      promise.deliver(fail(x.verdict().error().code, name.value + ": " + x.verdict().error().text));
  };
  if (auto why = enqueue(self, {what, ports, epoch, answer}))
    promise.deliver(why);
  return promise;
}

caf::result<cross_connections> read(self_ptr self) {
  auto promise = self->make_response_promise<cross_connections>();
  auto answer = [promise, name = self->state.config.name](const switch_command& x) mutable {
    if (x.verdict())
      promise.deliver(cross_connections{x.joined()});
    else
      promise.deliver(fail(x.verdict().error().code, name.value + ": " + x.verdict().error().text));
  };
  if (auto why = enqueue(self, {kind::read, {}, 0, answer}))
    promise.deliver(why);
  return promise;
}

caf::result<switch_status> status_of(self_ptr self) {
  auto promise = self->make_response_promise<switch_status>();
  auto ours = [self](switch_status x) {
    x.name = self->state.config.name;
    x.size = x.size == 0 ? self->state.config.size : x.size;
    x.commands = self->state.commands;
    x.mismatches += self->state.mismatches;
    return x;
  };
  self->request(self->state.config.driver, timeout_of(self), switch_status_query{})
    .then([promise, ours](const switch_status& x) mutable { promise.deliver(ours(x)); },
          [promise, ours](const caf::error& why) mutable {
            switch_status out;
            out.trouble = describe(why);
            promise.deliver(ours(out));
          });
  return promise;
}

} // namespace

optical_switch_actor::behavior_type
optical_switch(stateful<optical_switch_actor, optical_switch_state>* self,
               optical_switch_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.fence = epoch_fence{self->env().storage, "switch-" + s.config.name.value};
  return {
    [self](const cross_connect& x) { return command(self, kind::join, x.ports, x.epoch); },
    [self](const disconnect& x) { return command(self, kind::part, x.ports, x.epoch); },
    [self](const read_cross_connections&) { return read(self); },
    [self](const switch_status_query&) { return status_of(self); },
    [self](const switch_fault& x) -> caf::result<accepted> {
      if (auto why = may_command(self))
        return why;
      return self->delegate(self->state.config.driver, x);
    },
    [self](switch_event& x) {
      auto& state = self->state;
      if (self->sender_site() != self->env().site) {
        ++state.refused_events;
        return;
      }
      self->note("switch", state.config.name.value + " " + to_string(x.what)
                             + (x.port ? " " + std::to_string(x.port) : "")
                             + (x.text.empty() ? "" : ": " + x.text));
      x.at = state.config.name;
      if (state.config.controller)
        self->send(state.config.controller, x);
    },
    [](const continuation& x) { x.run(); },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

} // namespace qnfv
