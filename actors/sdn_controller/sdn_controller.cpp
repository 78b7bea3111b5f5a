#include "actors/sdn_controller/work.hpp"

namespace qnfv {

namespace {

using namespace std::chrono;

constexpr size_t path_name_max = 128;

void next_work(controller_ptr self) {
  auto& s = self->state;
  if (s.at_work || s.queue.empty())
    return;
  auto work = std::move(s.queue.front());
  s.queue.pop_front();
  s.at_work = true;
  work();
}

/// Why this asker is not heard; none if it is.
caf::error refused(controller_ptr self, bool operator_only) {
  auto& s = self->state;
  if (!s.bad_config.empty())
    return fail(ec::bad_config, s.bad_config);
  auto asker = self->sender_site();
  if (commands(asker, s.config.site) || (!operator_only && s.config.allowed.count(asker) > 0))
    return {};
  return fail(ec::not_allowed,
              asker.value + " may not " + (operator_only ? "set flows" : "ask for paths"));
}

caf::result<path_ready> ask_for_path(controller_ptr self, const connect_path& x) {
  auto& s = self->state;
  if (auto why = refused(self, false))
    return why;
  if (x.path.empty() || x.path.size() > path_name_max || is_flow(x.path))
    return fail(ec::invalid_argument,
                "'" + x.path.substr(0, path_name_max) + "' is no name of a path");
  for (auto* end : {&x.from, &x.to})
    if (!s.graph.has_end(*end))
      return fail(ec::invalid_argument, "no fibre ends at '" + end->substr(0, path_name_max) + "'");
  if (x.from == x.to)
    return fail(ec::invalid_argument, "a path from " + x.from + " to itself");
  if (auto ok = s.fence.admit(x.epoch); !ok)
    return fail(ok.error());
  if (auto why = too_much(self))
    return why;
  auto request = std::make_shared<path_request>();
  request->ask = x;
  request->asked_by = self->sender_site(); // A promise takes the sender away.
  auto promise = self->make_response_promise<path_ready>();
  request->answer = [promise](const result<path_ready>& y) mutable {
    if (y)
      promise.deliver(*y);
    else
      promise.deliver(fail(y.error()));
  };
  enqueue(self, [self, request] { connect(self, request); });
  return promise;
}

caf::result<accepted> ask_for_release(controller_ptr self, const release_path& x) {
  auto& s = self->state;
  if (auto why = refused(self, false))
    return why;
  if (is_flow(x.path))
    return fail(ec::invalid_argument, x.path + " is removed, not released");
  if (auto ok = s.fence.admit(x.epoch); !ok)
    return fail(ok.error());
  if (auto why = too_much(self))
    return why;
  auto asker = self->sender_site();
  auto promise = self->make_response_promise<accepted>();
  enqueue(self, [self, x, asker, promise]() mutable {
    auto& state = self->state;
    auto end = [self, promise](const status& y) mutable {
      if (y)
        promise.deliver(accepted{});
      else
        promise.deliver(fail(y.error()));
      finish(self);
    };
    // A newer scheduler may have spoken since it was queued.
    if (auto ok = state.fence.admit(x.epoch); !ok)
      return end(ok);
    auto* held = state.table.find(x.path);
    if (held && held->asked_by != asker && !commands(asker, state.config.site))
      return end({ec::not_allowed, x.path + " is of " + held->asked_by.value});
    if (held && held->asked_by != asker)
      tell_owner(self, x.path, asker.value + " has released it");
    release(self, x.path, end);
  });
  return promise;
}

caf::result<path_list> list_paths(controller_ptr self) {
  struct round {
    path_list list;
    size_t waiting;
  };
  auto& s = self->state;
  auto x = std::make_shared<round>();
  x->list.epoch = s.fence.highest();
  for (auto& [name, held] : s.table.paths())
    x->list.paths.push_back({held.path, held.epoch, held.standing, held.trouble});
  x->list.switches.resize(s.config.switches.size());
  x->waiting = s.config.switches.size();
  auto promise = self->make_response_promise<path_list>();
  if (x->waiting == 0) {
    promise.deliver(x->list);
    return promise;
  }
  for (size_t i = 0; i < s.config.switches.size(); ++i) {
    auto& each = s.config.switches[i];
    auto took = [x, i, promise](const switch_status& y) mutable {
      x->list.switches[i] = y;
      if (--x->waiting == 0)
        promise.deliver(x->list);
    };
    self->request(each.handle, milliseconds{s.config.request_timeout_ms}, switch_status_query{})
      .then(took, [took, name = each.name, size = each.size](const caf::error& why) mutable {
        switch_status none;
        none.name = name;
        none.size = size;
        none.trouble = describe(why);
        took(none);
      });
  }
  return promise;
}

void start(controller_ptr self) {
  auto& s = self->state;
  std::map<switch_id, uint16_t> sizes;
  for (auto& x : s.config.switches)
    sizes[x.name] = x.size;
  auto graph = fibre_graph::make(std::move(sizes), s.config.fibres);
  if (!graph) {
    s.bad_config = graph.error().text;
    self->note("alarm", "sdn_controller: " + s.bad_config);
    return;
  }
  s.graph = std::move(*graph);
  s.fence = epoch_fence{self->env().storage, "paths"};
  recall_flows(self);
  look_soon(self);
  self->after(milliseconds{s.config.grace_ms}, tick{0, "settled"});
  self->after(milliseconds{s.config.audit_ms}, tick{0, "audit"});
}

} // namespace

caf::error too_much(controller_ptr self) {
  auto& s = self->state;
  if (s.queue.size() < s.config.queue_max)
    return {};
  return fail(ec::busy, std::to_string(s.queue.size()) + " requests for paths are waiting");
}

void enqueue(controller_ptr self, std::function<void()> work) {
  self->state.queue.push_back(std::move(work));
  next_work(self);
}

void finish(controller_ptr self) {
  self->state.at_work = false;
  next_work(self);
}

sdn_controller_actor::behavior_type
sdn_controller(stateful<sdn_controller_actor, sdn_controller_state>* self,
               sdn_controller_config config) {
  self->state.config = std::move(config);
  start(self);
  return {
    [self](const connect_path& x) { return ask_for_path(self, x); },
    [self](const release_path& x) { return ask_for_release(self, x); },
    [self](const put_flow& x) -> caf::result<flow_stored> {
      if (auto why = refused(self, true))
        return why;
      return put(self, x);
    },
    [self](const remove_flow& x) -> caf::result<accepted> {
      if (auto why = refused(self, true))
        return why;
      return remove(self, x);
    },
    [self](const paths_query&) { return list_paths(self); },
    [self](const switch_event& x) {
      if (self->state.bad_config.empty())
        on_event(self, x);
    },
    [self](const tick& x) {
      auto& s = self->state;
      if (x.what == "settled")
        s.settled = true;
      else
        self->after(milliseconds{s.config.audit_ms}, tick{0, "audit"});
      look_soon(self);
    },
    [](const continuation& x) { x.run(); },
    [self](const peer_up& x) {
      for (auto& each : self->state.config.switches)
        if (each.site == x.site && self->state.bad_config.empty())
          on_switch_back(self, each.name);
    },
    [self](const peer_down& x) {
      for (auto& each : self->state.config.switches)
        if (each.site == x.site)
          on_switch_gone(self, each.name, x.reason);
    },
  };
}

} // namespace qnfv
