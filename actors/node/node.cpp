#include "actors/node/node.hpp"

#include "runtime/base/mutant.hpp"
#include "runtime/tracing/recorder.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace qnfv {

namespace {

using self_ptr = stateful<node_actor, node_state>*;

uint64_t load_number(const storage& files, const std::string& path) {
  auto content = files.load(path, 64);
  return content ? std::strtoull(std::string(content->begin(), content->end()).c_str(), nullptr, 10)
                 : 0;
}

status save_number(storage& files, const std::string& path, uint64_t x) {
  return files.replace(path, byte_view{std::string_view{std::to_string(x)}});
}

std::string epoch_file(const site_id& peer) {
  return "peer-" + peer.value + ".epoch";
}

duration heartbeat_interval(const node_config& config) {
  return std::chrono::milliseconds{config.heartbeat_ms};
}

caf::strong_actor_ptr local_gate(self_ptr self, const std::string& role) {
  return self->state.config.gates->handle(self->state.config.site, role);
}

std::vector<published_role> published(self_ptr self, const std::set<std::string>& names) {
  std::vector<published_role> out;
  for (auto& role : names)
    out.push_back({role, local_gate(self, role)});
  return out;
}

template <class T>
void tell_roles(self_ptr self, const T& event) {
  for (auto& x : self->state.roles)
    if (x.handle)
      caf::anon_send(caf::actor_cast<caf::actor>(x.handle), event);
}

void start_role(self_ptr self, role_entry& x) {
  x.handle = x.spec.start();
  self->monitor(x.handle);
  self->state.config.gates->retarget(self->state.config.site, x.spec.role, x.handle);
  for (auto& site : self->state.peers->all_up())
    caf::anon_send(caf::actor_cast<caf::actor>(x.handle),
                   peer_up{site, self->state.peers->epoch(site)});
}

void role_died(self_ptr self, role_entry& x, const caf::error& why) {
  x.handle = nullptr;
  self->state.config.gates->retarget(self->state.config.site, x.spec.role, nullptr);
  auto wait = x.policy.died(self->now());
  if (QNFV_MUTANT("restarts without end"))
    wait = std::chrono::milliseconds{100};
  if (!wait) {
    x.given_up = true;
    self->note("alarm", x.spec.role + " died too often and stays down: " + describe(why));
    return;
  }
  self->note("restart", x.spec.role + " in " + format_duration(*wait) + ": " + describe(why));
  self->after(*wait, tick{0, "start " + x.spec.role});
}

void take_roles(self_ptr self, const site_id& site, const std::vector<published_role>& roles) {
  for (auto& x : roles)
    self->state.config.gates->retarget(site, x.role, x.handle);
}

void came_up(self_ptr self, const site_id& site, uint64_t epoch) {
  // Remembered before anything else happens: a later start of ours must know it too.
  if (auto ok = save_number(*self->env().storage, epoch_file(site), epoch); !ok)
    self->note("alarm", describe(ok.error()));
  self->note("peer_up", site.value + ", epoch " + std::to_string(epoch));
  tell_roles(self, peer_up{site, epoch});
}

void went_down(self_ptr self, const site_id& site, const std::string& reason) {
  self->state.config.gates->cut(site);
  self->state.config.transport->drop(site);
  self->note("peer_down", site.value + ": " + reason);
  tell_roles(self, peer_down{site, reason});
}

void dial_the_missing(self_ptr self) {
  for (auto& site : self->state.peers->all_down())
    if (self->state.config.dials.count(site) > 0 && self->state.dialling.insert(site).second)
      self->state.config.transport->dial(site);
}

void beat(self_ptr self) {
  auto& s = self->state;
  ++s.heartbeats;
  for (auto& site : QNFV_MUTANT("silence is not noticed") ? std::vector<site_id>{} : s.peers->bury(self->now()))
    went_down(self, site, "silent for " + std::to_string(s.config.heartbeats_missed) + " heartbeats");
  for (auto& site : s.peers->all_up())
    self->send(s.config.gates->to<node_actor>(site, "node"),
               heartbeat{s.config.site, s.config.epoch, s.heartbeats});
  dial_the_missing(self);
  self->after(heartbeat_interval(s.config), tick{0, "heartbeat"});
}

caf::result<joined> joined_by(self_ptr self, const join& x) {
  auto& s = self->state;
  auto sender = self->sender_site();
  if (sender != x.site && !QNFV_MUTANT("anybody joins as anybody"))
    return fail(ec::not_allowed, sender.value + " may not join as " + x.site.value);
  if (x.site == operator_name)
    return joined{s.config.site, s.config.epoch, published(self, s.config.roles_for_operators)};
  // A handle inside a message could point anywhere: it must be an actor of the one who joins.
  auto peer = self->current_sender()->node();
  auto foreign = [&](const caf::strong_actor_ptr& handle) { return !handle || handle->node() != peer; };
  if (foreign(x.node)
      || std::any_of(x.roles.begin(), x.roles.end(), [&](auto& r) { return foreign(r.handle); }))
    return fail(ec::not_allowed, x.site.value + " offers an actor that is not its own");
  if (x.topology != s.config.topology)
    return fail(ec::bad_config, x.site.value + " runs another topology than " + s.config.site.value);
  auto was_up = s.peers->join(x.site, x.epoch, self->now());
  if (!was_up)
    return fail(was_up.error());
  if (*was_up)
    tell_roles(self, peer_down{x.site, "restarted"});
  s.config.transport->keep(x.site, x.node->node());
  s.config.gates->retarget(x.site, "node", x.node);
  take_roles(self, x.site, x.roles);
  came_up(self, x.site, x.epoch);
  return joined{s.config.site, s.config.epoch, published(self, s.config.roles_for_peers)};
}

void introduce(self_ptr self, const peer_reached& x) {
  auto& s = self->state;
  s.config.gates->retarget(x.site, "node", x.node);
  auto site = x.site;
  auto failed = [self, site](const failure& why) {
    auto& state = self->state;
    state.dialling.erase(site);
    state.config.gates->cut(site);
    state.config.transport->drop(site);
    state.peers->lost(site, describe(why));
    self->note("join", site.value + " refused us: " + describe(why));
  };
  self
    ->request(s.config.gates->to<node_actor>(site, "node"), 3 * heartbeat_interval(s.config),
              join{s.config.site, s.config.epoch, s.config.topology, local_gate(self, "node"),
                   published(self, s.config.roles_for_peers)})
    .then(
      [self, site, failed](const joined& answer) {
        auto& state = self->state;
        if (answer.site != site)
          return failed({ec::not_allowed, "answered as " + answer.site.value});
        auto was_up = state.peers->join(site, answer.epoch, self->now());
        if (!was_up)
          return failed(was_up.error());
        state.dialling.erase(site);
        if (*was_up)
          tell_roles(self, peer_down{site, "restarted"});
        take_roles(self, site, answer.roles);
        came_up(self, site, answer.epoch);
      },
      [failed](const caf::error& why) { failed(to_failure(why)); });
}

site_status own_status(self_ptr self) {
  auto& s = self->state;
  site_status out;
  out.site = s.config.site;
  out.epoch = s.config.epoch;
  out.pid = static_cast<uint32_t>(::getpid());
  out.uptime_s = to_seconds(self->now() - s.started);
  out.heartbeats = s.heartbeats;
  for (auto& x : s.roles) {
    auto* actor = x.handle ? dynamic_cast<located*>(x.handle->get()) : nullptr;
    out.roles.push_back({x.spec.role, x.handle != nullptr, x.policy.restarts(),
                         actor ? static_cast<uint32_t>(actor->waiting()) : 0});
  }
  out.peers = s.peers->status(self->now());
  return out;
}

/// Asks every joined peer the same and hands over what came back; who is silent is left out.
template <class Answer, class Question>
void ask_peers(self_ptr self, Question question, std::function<void(std::vector<Answer>)> then) {
  auto& s = self->state;
  struct gathering {
    size_t open;
    std::vector<Answer> answers;
  };
  auto sites = s.peers->all_up();
  auto all = std::make_shared<gathering>(gathering{sites.size(), {}});
  if (sites.empty())
    return then({});
  auto wait = s.config.heartbeats_missed * heartbeat_interval(s.config);
  for (auto& site : sites)
    self->request(s.config.gates->to<node_actor>(site, "node"), wait, question)
      .then(
        [all, then](Answer& x) {
          all->answers.push_back(std::move(x));
          if (--all->open == 0)
            then(std::move(all->answers));
        },
        [all, then](const caf::error&) {
          if (--all->open == 0)
            then(std::move(all->answers));
        });
}

trace_page own_trace(self_ptr self, const trace_query& query) {
  trace_page out;
  auto& site = self->state.config.site.value;
  if (!self->env().recorder)
    return out;
  auto after = query.after.find(site);
  // A page of all sites must fit a frame between sites (1 MiB); the asker comes back for more.
  constexpr uint32_t events_max = 300;
  constexpr size_t bytes_max = 128u << 10;
  auto page = self->env().recorder->since(after == query.after.end() ? event_id{} : after->second,
                                          query.trace, std::min(query.limit, events_max));
  size_t bytes = 0;
  for (auto& x : page.events) {
    auto line = to_json(x);
    bytes += line.size();
    if (bytes > bytes_max && !out.lines.empty()) {
      page.seen = event_id{x.site, x.epoch, x.sequence - 1};
      break;
    }
    out.lines.push_back(std::move(line));
  }
  out.seen[site] = page.seen;
  if (page.lost > 0)
    out.lost[site] = page.lost;
  return out;
}

} // namespace

result<uint64_t> begin_epoch(storage& files) {
  auto epoch = load_number(files, "epoch") + (QNFV_MUTANT("starts are not numbered") ? 0 : 1);
  if (auto ok = save_number(files, "epoch", epoch); !ok)
    return ok.error();
  return epoch;
}

node_state::~node_state() {
  for (auto& x : roles)
    if (x.handle)
      caf::anon_send_exit(x.handle, caf::exit_reason::kill);
}

node_actor::behavior_type node(stateful<node_actor, node_state>* self, node_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.started = self->now();
  auto& files = *self->env().storage;
  s.peers = std::make_unique<peer_table>(
    peer_table::settings{heartbeat_interval(s.config), s.config.heartbeats_missed}, s.config.peers);
  for (auto& site : s.config.peers)
    s.peers->remember(site, load_number(files, epoch_file(site)));
  self->set_down_handler([self](caf::down_msg& x) {
    for (auto& role : self->state.roles)
      if (role.handle && role.handle->address() == x.source)
        return role_died(self, role, x.reason);
  });
  self->note("start", s.config.site.value + ", epoch " + std::to_string(s.config.epoch));
  s.config.gates->retarget(s.config.site, "node", caf::actor_cast<caf::strong_actor_ptr>(self));
  for (auto& spec : s.config.roles)
    s.roles.push_back({spec, restart_policy{s.config.restarts}, nullptr, false});
  for (auto& x : s.roles)
    start_role(self, x);
  self->send(self, tick{0, "heartbeat"});
  return {
    [self](const join& x) { return joined_by(self, x); },
    [self](const heartbeat& x) {
      if (self->sender_site() == x.site)
        self->state.peers->heard(x.site, x.epoch, x.sequence, self->now());
    },
    [self](const peer_reached& x) { introduce(self, x); },
    [self](const peer_lost& x) {
      self->state.dialling.erase(x.site);
      if (self->state.peers->lost(x.site, x.reason))
        went_down(self, x.site, x.reason);
    },
    [self](const tick& x) {
      if (x.what == "heartbeat")
        return beat(self);
      for (auto& role : self->state.roles)
        if (x.what == "start " + role.spec.role && !role.handle && !QNFV_MUTANT("dead roles stay down"))
          start_role(self, role);
    },
    [self](const site_status_query&) { return own_status(self); },
    [self](const lab_status_query&) -> caf::result<lab_status> {
      auto promise = self->make_response_promise<lab_status>();
      ask_peers<site_status>(self, site_status_query{},
                             [self, promise](std::vector<site_status> others) mutable {
                               lab_status out{std::move(others)};
                               out.sites.insert(out.sites.begin(), own_status(self));
                               promise.deliver(std::move(out));
                             });
      return promise;
    },
    [self](trace_query& query) -> caf::result<trace_page> {
      if (query.trace == "last") {
        query.trace = self->env().recorder ? self->env().recorder->last_trace_of("deliver_image") : "";
        if (query.trace.empty())
          return fail(ec::not_found, "no delivery has been traced at " + self->state.config.site.value);
      }
      auto page = own_trace(self, query);
      if (!query.whole_lab)
        return page;
      query.whole_lab = false;
      auto promise = self->make_response_promise<trace_page>();
      ask_peers<trace_page>(self, query,
                            [promise, page](std::vector<trace_page> others) mutable {
                              for (auto& x : others) {
                                page.lines.insert(page.lines.end(), x.lines.begin(), x.lines.end());
                                page.seen.insert(x.seen.begin(), x.seen.end());
                                page.lost.insert(x.lost.begin(), x.lost.end());
                              }
                              promise.deliver(std::move(page));
                            });
      return promise;
    },
    [self](const shutdown_site&) -> caf::result<accepted> {
      if (self->sender_site() != operator_name && !QNFV_MUTANT("anybody ends a site"))
        return fail(ec::not_allowed, "only an operator ends a site");
      if (self->state.config.on_shutdown)
        self->state.config.on_shutdown();
      return accepted{};
    },
  };
}

} // namespace qnfv
