#include "actors/sdn_controller/work.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono;

bool uses(const held_path& x, const switch_id& at, port_number port) {
  return std::any_of(x.path.hops.begin(), x.path.hops.end(), [&](auto& hop) {
    return hop.name == at && (port == 0 || hop.ports.in == port || hop.ports.out == port);
  });
}

/// Port 0: every port.
void disturb_all(controller_ptr self, const switch_id& at, port_number port,
                 const std::string& why) {
  std::vector<std::string> hit;
  for (auto& [name, held] : self->state.table.paths())
    if (uses(held, at, port))
      hit.push_back(name);
  for (auto& name : hit)
    disturb(self, name, why);
}

/// Light that no path explains may be somebody's who asked before this controller started.
void tell_forgotten_owners(controller_ptr self, const crossbars& bars) {
  auto& s = self->state;
  for (auto& [name, owner] : s.config.owners) {
    auto slash = name.find('/');
    if (s.table.find(name) || !s.table.left_of(name).empty() || slash == std::string::npos)
      continue;
    for (auto& port : s.graph.entries_of(name.substr(0, slash)))
      if (s.graph.follow(port, bars).end == name.substr(slash + 1) && s.told.insert(name).second)
        self->send(owner,
                   path_lost{name, "the SDN controller does not know of this path (any more)"});
  }
}

/// Paths that nobody is told about: they are joined again.
void mend(controller_ptr self) {
  for (auto& [name, held] : self->state.table.paths()) {
    if (held.standing || self->state.config.owners.count(name) > 0)
      continue;
    auto x = std::make_shared<path_request>();
    x->ask = {name, held.path.from, held.path.to, 0};
    x->asked_by = held.asked_by;
    x->keep = true;
    x->given = is_flow(name) ? held.path.hops : std::vector<path_hop>{};
    x->answer = [](const result<path_ready>&) {};
    enqueue(self, [self, x] {
      if (self->state.table.find(x->ask.path))
        connect(self, x);
      else
        finish(self);
    });
  }
}

void put_in_order(controller_ptr self, const crossbars& bars, bool first) {
  auto& s = self->state;
  auto joined = [&](const path_hop& hop) {
    auto& bar = bars.at(hop.name);
    return std::find(bar.begin(), bar.end(), hop.ports) != bar.end();
  };
  std::map<std::string, std::string> changed;
  for (auto& [name, held] : s.table.paths())
    for (auto& hop : held.path.hops)
      if (held.standing && bars.count(hop.name) > 0 && !joined(hop))
        changed[name] = "not joined any more: " + text_of(hop);
  for (auto& [name, why] : changed)
    disturb(self, name, why);
  if (first || s.settled)
    tell_forgotten_owners(self, bars);
  auto left = s.table.leftovers();
  for (auto& x : left)
    if (bars.count(x.hop.name) > 0 && !joined(x.hop))
      s.table.parted(x.hop);
  std::vector<path_hop> unexplained;
  for (auto& [at, bar] : bars)
    for (auto& ports : bar) {
      path_hop hop{at, ports};
      auto is_left = std::any_of(left.begin(), left.end(), [&](auto& x) { return x.hop == hop; });
      if (!s.table.explains(hop) && (s.settled || is_left))
        unexplained.push_back(hop);
    }
  for (auto& hop : unexplained)
    self->note("path", "no path explains " + text_of(hop) + ": parted");
  part(self, std::move(unexplained), [self](const status&) {
    mend(self);
    finish(self);
  });
}

void refresh_failed_ports(controller_ptr self, const switch_id& at) {
  self
    ->request(switch_of(self, at), milliseconds{self->state.config.request_timeout_ms},
              switch_status_query{})
    .then(
      [self, at](const switch_status& x) {
        auto& failed = self->state.failed;
        if (!x.reachable)
          return;
        for (auto i = failed.begin(); i != failed.end();)
          i = i->at == at ? failed.erase(i) : std::next(i);
        for (auto port : x.failed)
          failed.insert({at, port});
      },
      [](const caf::error&) {});
}

} // namespace

void tell_owner(controller_ptr self, const std::string& path, const std::string& why) {
  auto& owners = self->state.config.owners;
  if (auto i = owners.find(path); i != owners.end())
    self->send(i->second, path_lost{path, why});
}

void disturb(controller_ptr self, const std::string& path, const std::string& why) {
  auto& s = self->state;
  auto* held = s.table.find(path);
  if (!held)
    return;
  if (path == s.under_way) {
    held->trouble = why; // Whoever asked for it is told.
    return;
  }
  self->note("path", path + " is lost: " + why);
  if (s.config.owners.count(path) == 0) {
    held->standing = false;
    held->trouble = why;
    return;
  }
  tell_owner(self, path, why);
  s.table.give_up(path);
  look_soon(self);
}

void look_soon(controller_ptr self) {
  auto& s = self->state;
  if (s.look_is_due)
    return;
  s.look_is_due = true;
  enqueue(self, [self] {
    self->state.look_is_due = false;
    auto first = !std::exchange(self->state.has_looked, true);
    std::set<switch_id> all;
    for (auto& x : self->state.config.switches)
      all.insert(x.name);
    read(self, all, [self, first](const crossbars& bars) { put_in_order(self, bars, first); });
  });
}

void on_switch_gone(controller_ptr self, const switch_id& at, const std::string& why) {
  self->state.gone.insert(at);
  disturb_all(self, at, 0, at.value + " is gone: " + why);
}

void on_switch_back(controller_ptr self, const switch_id& at) {
  self->state.gone.erase(at);
  refresh_failed_ports(self, at);
  look_soon(self);
}

void on_event(controller_ptr self, const switch_event& x) {
  auto& s = self->state;
  auto& switches = s.config.switches;
  auto known =
    std::find_if(switches.begin(), switches.end(), [&](auto& each) { return each.name == x.at; });
  if (known == switches.end() || known->site != self->sender_site()) {
    self->note("path", "an event of '" + x.at.value + "' from " + self->sender_site().value
                         + " is ignored");
    return;
  }
  switch_port port{x.at, x.port};
  switch (x.what) {
  case switch_event::kind::connected:
    return on_switch_back(self, x.at);
  case switch_event::kind::gone:
    return on_switch_gone(self, x.at, x.text);
  case switch_event::kind::light_lost:
    return disturb_all(self, x.at, x.port, to_string(port) + " has lost its light");
  case switch_event::kind::light_back:
    s.failed.erase(port);
    return look_soon(self);
  case switch_event::kind::port_failed:
    s.failed.insert(port);
    return disturb_all(self, x.at, x.port, to_string(port) + " has failed");
  }
}

} // namespace qnfv
