#include "actors/fault_injector/fault_injector.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using self_ptr = stateful<fault_injector_actor, fault_injector_state>*;
using kind = fault_kind;
using answer = std::function<void(status)>;

/// The sites that have a part in it. Failure: invalid_argument.
result<std::vector<site_id>> sites_of(const fault_injector_config& c, const site_id& here, const fault& x) {
  auto sort = traits(x.what).place;
  auto at = parse_fault_place(sort, x.where);
  if (!at)
    return at.error();
  auto known = [&](const std::string& site) { return site == here.value || c.others.count(site_id{site}) > 0; };
  auto no_such = [&](const std::string& what) {
    return failure{ec::invalid_argument, "this lab has no " + to_string(sort) + " " + what};
  };
  switch (sort) {
    case fault_place::edge:
      if (!known(at->first) || !known(at->second))
        return no_such(x.where);
      return std::vector<site_id>{site_id{at->first}, site_id{at->second}};
    case fault_place::link: {
      auto i = c.links.find(link_id{at->first});
      return i == c.links.end() ? result<std::vector<site_id>>{no_such(x.where)}
                                : std::vector<site_id>{i->second};
    }
    case fault_place::port: {
      auto i = c.switches.find(switch_id{at->first});
      return i == c.switches.end() ? result<std::vector<site_id>>{no_such(x.where)}
                                   : std::vector<site_id>{i->second};
    }
    case fault_place::vim:
      if (std::count(c.data_centres.begin(), c.data_centres.end(), site_id{at->first}) == 0)
        return no_such(x.where);
      break;
    default:
      if (!known(at->first))
        return no_such(x.where);
  }
  return std::vector<site_id>{site_id{at->first}};
}

bool is_of_process(kind x) {
  return x == kind::crash || x == kind::power_cut || x == kind::freeze;
}

template <class Handle, class Question>
void command(self_ptr self, const Handle& to, Question question, answer then) {
  self->request(to, std::chrono::milliseconds{self->state.config.request_timeout_ms}, std::move(question))
    .then([then](const accepted&) { then(done{}); },
          [then](const caf::error& why) { then(to_failure(why)); });
}

/// Faults that are on one link, or on one port, now.
std::vector<fault> all_at(self_ptr self, fault_place sort, const std::string& first, port_number port = 0) {
  std::vector<fault> out;
  for (auto& [id, x] : self->state.entries) {
    auto at = parse_fault_place(sort, x.what.where);
    if (!x.waiting && traits(x.what.what).place == sort && at->first == first && at->port == port)
      out.push_back(x.what);
  }
  return out;
}

void set_link(self_ptr self, const link_id& link, answer then) {
  auto line = line_under(all_at(self, fault_place::link, link.value));
  command(self, self->state.config.bobs.at(link), set_line{link, line}, std::move(then));
}

void set_port(self_ptr self, const fault_target& at, answer then) {
  auto& glass = self->state.config.glass.at(switch_id{at.first});
  auto left = all_at(self, fault_place::port, at.first, at.port);
  // A port has one fault; the youngest counts.
  auto now = left.empty() ? switch_fault{switch_fault::kind::none, at.port} : glass_fault(left.back(), at.port);
  command(self, glass, now, std::move(then));
}

caf::strong_actor_ptr running(self_ptr self, const std::string& role) {
  auto& gates = *self->state.config.gates;
  auto roles = gates.roles(self->env().site);
  if (std::count(roles.begin(), roles.end(), role) == 0)
    return nullptr;
  auto* stand_in = dynamic_cast<gate*>(gates.handle(self->env().site, role)->get());
  return stand_in ? stand_in->target() : nullptr;
}

/// The same message again and again, each time when the role has been restarted from the last.
void poison_role(self_ptr self, const std::string& role, uint64_t id, uint32_t doses) {
  if (doses == 0)
    return;
  auto to = self->state.config.gates->handle(self->env().site, role);
  caf::anon_send(caf::actor_cast<caf::actor>(to), poison{id});
  auto next = [self, role, id, doses] { poison_role(self, role, id, doses - 1); };
  self->after(std::chrono::seconds{2}, continuation{next});
}

void at_role(self_ptr self, uint64_t id, const fault& x, const answer& then) {
  auto name = parse_fault_place(fault_place::role, x.where)->second;
  auto handle = running(self, name);
  if (!handle)
    return then(failure{ec::not_found, self->env().site.value + " runs no role " + name});
  auto to = caf::actor_cast<caf::actor>(handle);
  if (x.what == kind::restart)
    caf::anon_send_exit(to, caf::exit_reason::kill);
  else if (x.what == kind::poison)
    poison_role(self, name, id, static_cast<uint32_t>(x.amount));
  else
    for (double n = 0; n < x.amount; ++n)
      caf::anon_send(to, ballast{});
  then(done{});
}

void take_effect(self_ptr self, uint64_t id, const fault& x, answer then) {
  auto& c = self->state.config;
  auto at = *parse_fault_place(traits(x.what).place, x.where);
  if (is_of_process(x.what)) {
    // The answer leaves first.
    auto strike = [strike = c.strike, x] { strike(x.what, from_seconds(x.for_s)); };
    self->after(std::chrono::milliseconds{20}, continuation{strike});
    return then(done{});
  }
  switch (traits(x.what).place) {
    case fault_place::role:
      return at_role(self, id, x, then);
    case fault_place::link:
      return set_link(self, link_id{at.first}, std::move(then));
    case fault_place::port:
      return set_port(self, at, std::move(then));
    default:
      c.board->set(id, x);
      then(done{});
  }
}

void end(self_ptr self, uint64_t id) {
  auto& s = self->state;
  auto i = s.entries.find(id);
  if (i == s.entries.end())
    return;
  auto over = std::move(i->second);
  s.entries.erase(i);
  auto hits = s.config.board->hits(id);
  s.config.board->end(id);
  self->note("fault_over", describe(over.what) + ": hit " + std::to_string(hits) + " times");
  if (over.waiting)
    return;
  auto at = *parse_fault_place(traits(over.what.what).place, over.what.where);
  auto complain = [self](const status& ok) {
    if (!ok)
      self->note("alarm", "a fault could not be ended: " + describe(ok.error()));
  };
  if (traits(over.what.what).place == fault_place::link)
    set_link(self, link_id{at.first}, complain);
  else if (traits(over.what.what).place == fault_place::port)
    set_port(self, at, complain);
}

void begin(self_ptr self, uint64_t id, answer then) {
  auto& s = self->state;
  auto& x = s.entries.at(id);
  x.waiting = false;
  self->note("fault", describe(x.what));
  bool at_once = traits(x.what.what).place == fault_place::role || is_of_process(x.what.what);
  if (!at_once && x.what.for_s > 0) {
    x.ends = self->now() + from_seconds(x.what.for_s);
    self->after(from_seconds(x.what.for_s), tick{id, "end"});
  }
  auto finish = [self, id, at_once, then](const status& ok) {
    if (!ok || at_once)
      self->state.entries.erase(id);
    then(ok);
  };
  auto what = x.what; // The entry may go while it takes effect.
  take_effect(self, id, what, finish);
}

/// This site's part.
caf::result<fault_injected> inject_here(self_ptr self, const fault& x) {
  auto& s = self->state;
  auto id = ++s.last;
  s.entries[id] = {x, !x.message.empty()};
  if (!x.message.empty()) {
    s.config.board->arm(id, x.message, x.nth);
    return fault_injected{{id}};
  }
  auto promise = self->make_response_promise<fault_injected>();
  begin(self, id, [promise, id](const status& ok) mutable {
    if (ok)
      promise.deliver(fault_injected{{id}});
    else
      promise.deliver(fail(ok.error()));
  });
  return promise;
}

status check(const fault& x) {
  auto& about = traits(x.what);
  auto bad = [&](const std::string& why) {
    return status{ec::invalid_argument, std::string{about.name} + ": " + why};
  };
  if (!(x.probability >= 0 && x.probability <= 1))
    return bad("a probability lies in 0..1");
  if (!(x.for_s >= 0 && x.for_s <= 1e9))
    return bad("it lasts between 0 and 1e9 s");
  auto is_signed = x.what == kind::clock_jump;
  if (!(x.amount <= 1e9 && x.amount >= (is_signed ? -1e9 : 0)))
    return bad(std::string{about.amount ? about.amount : "amount"} + " is out of range");
  if (x.what == kind::eavesdropper && x.amount > 1)
    return bad("a share lies in 0..1");
  return done{};
}

/// An operator's word: every site that has a part in it is told.
caf::result<fault_injected> inject(self_ptr self, const fault& x) {
  auto here = self->env().site;
  if (auto ok = check(x); !ok)
    return fail(ok.error());
  auto sites = sites_of(self->state.config, here, x);
  if (!sites)
    return fail(sites.error());
  struct gathering {
    size_t open;
    fault_injected out;
    caf::error problem;
    std::string taken_at; ///< Sites.
  };
  auto all = std::make_shared<gathering>(gathering{sites->size(), {}, {}, {}});
  auto promise = self->make_response_promise<fault_injected>();
  auto one_less = [all, promise]() mutable {
    if (--all->open > 0)
      return;
    if (!all->problem) {
      promise.deliver(std::move(all->out));
      return;
    }
    auto problem = to_failure(all->problem);
    if (!all->taken_at.empty())
      problem.text += "; " + all->taken_at + " took it, qnfv fault clear ends it there";
    promise.deliver(fail(problem));
  };
  for (auto& site : *sites) {
    auto to = site == here ? fault_injector_actor{self} : self->state.config.others.at(site);
    self->request(to, 2 * std::chrono::milliseconds{self->state.config.request_timeout_ms}, inject_fault{x})
      .then(
        [all, one_less, site](const fault_injected& y) mutable {
          all->out.ids.insert(all->out.ids.end(), y.ids.begin(), y.ids.end());
          all->taken_at += (all->taken_at.empty() ? "" : ", ") + site.value;
          one_less();
        },
        [all, one_less, site](const caf::error& why) mutable {
          auto problem = to_failure(why);
          all->problem = fail(problem.code, site.value + ": " + problem.text
                                              + (problem.code == ec::site_unreachable
                                                   ? " (is it up, and with --allow-faults?)"
                                                   : ""));
          one_less();
        });
  }
  return promise;
}

bool may_command(self_ptr self) {
  auto sender = self->sender_site();
  return commands(sender, self->env().site) || sender == self->state.config.orchestrator;
}

fault_list own_list(self_ptr self) {
  fault_list out;
  for (auto& [id, x] : self->state.entries) {
    auto left = x.ends == time_point{} ? 0 : to_seconds(x.ends - self->now());
    out.faults.push_back({id, self->env().site, x.what, x.waiting, std::max(left, 0.0),
                          self->state.config.board->hits(id)});
  }
  return out;
}

fault_list clear(self_ptr self, const clear_faults& x) {
  auto out = own_list(self);
  auto stays = [&](const fault_status& y) {
    return (!x.kind.empty() && x.kind != to_string(y.what.what)) || (!x.where.empty() && x.where != y.what.where);
  };
  out.faults.erase(std::remove_if(out.faults.begin(), out.faults.end(), stays), out.faults.end());
  for (auto& each : out.faults)
    end(self, each.id);
  return out;
}

} // namespace

line_conditions line_under(const std::vector<fault>& all) {
  line_conditions out;
  for (auto& x : all)
    switch (x.what) {
      case kind::qber_rise:
        // Half of what does not interfere clicks in the wrong detector.
        out.visibility = std::min(out.visibility, std::max(0.0, 1 - 2 * x.amount / 100));
        break;
      case kind::eavesdropper:
        out.eavesdropper_share = std::max(out.eavesdropper_share, x.amount);
        break;
      case kind::loss_of_sync:
        out.light = false;
        break;
      case kind::init_failure:
        out.visibility = 0;
        break;
      case kind::key_mismatch:
        out.mismatch_share = std::max(out.mismatch_share, x.probability);
        break;
      case kind::device_flood:
        out.flood_factor = std::max(out.flood_factor, x.amount);
        break;
      default:
        break;
    }
  return out;
}

switch_fault glass_fault(const fault& x, port_number port) {
  using on_glass = switch_fault::kind;
  switch_fault out;
  out.port = port;
  switch (x.what) {
    case kind::stuck_port: out.what = on_glass::stuck; break;
    case kind::wrong_port: out.what = on_glass::wrong; break;
    case kind::silent_port: out.what = on_glass::silent; break;
    case kind::lying_port: out.what = on_glass::lying; break;
    case kind::dark_port: out.what = on_glass::dark; break;
    case kind::lost_flow_mod: out.what = on_glass::lost; break;
    default: out.settle_ms = static_cast<uint32_t>(x.amount); break;
  }
  return out;
}

fault_injector_actor::behavior_type
fault_injector(stateful<fault_injector_actor, fault_injector_state>* self, fault_injector_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  // On the thread of whoever's message it was; the board outlives this actor.
  auto here = caf::actor_cast<caf::actor_addr>(self);
  s.config.board->on_fired([here](uint64_t id) {
    if (auto to = caf::actor_cast<caf::actor>(here))
      caf::anon_send(to, tick{id, "fire"});
  });
  s.config.board->on_broken(s.config.disconnect);
  self->note("fault", "faults may be injected at " + self->env().site.value);
  return {
    [self](const inject_fault& x) -> caf::result<fault_injected> {
      if (!may_command(self))
        return fail(ec::not_allowed, self->sender_site().value + " does not inject faults");
      return self->sender_site() == operator_name ? inject(self, x.what) : inject_here(self, x.what);
    },
    [self](const clear_faults& x) -> caf::result<fault_list> {
      if (!may_command(self))
        return fail(ec::not_allowed, self->sender_site().value + " does not clear faults");
      return clear(self, x);
    },
    [self](const list_faults&) { return own_list(self); },
    [self](const tick& x) {
      if (x.what == "end")
        return end(self, x.generation);
      if (self->state.entries.count(x.generation) > 0)
        begin(self, x.generation, [self](const status& ok) {
          if (!ok)
            self->note("alarm", "a fault did not take effect: " + describe(ok.error()));
        });
    },
    [](const continuation& x) { x.run(); },
    [self](const peer_up& x) {
      for (auto id : self->state.config.board->half_open(x.site))
        end(self, id);
    },
    [](const peer_down&) {},
  };
}

} // namespace qnfv
