#include "actors/sdn_controller/work.hpp"

#include <sstream>

namespace qnfv {

namespace {

const std::string flows_file = "flows";
const std::string flow_prefix = "flow ";

/// A line per flow: NAME SWITCH IN OUT.
status save_flows(controller_ptr self) {
  std::string out;
  for (auto& [name, held] : self->state.table.paths())
    if (is_flow(name)) {
      auto& hop = held.path.hops.front();
      out += name.substr(flow_prefix.size()) + " " + hop.name.value + " "
             + std::to_string(hop.ports.in) + " " + std::to_string(hop.ports.out) + "\n";
    }
  return self->env().storage->replace(flows_file, byte_view{std::string_view{out}});
}

/// Empty: it has such ports.
std::string problem_of(controller_ptr self, const path_hop& x) {
  auto size = self->state.graph.size_of(x.name);
  if (x.ports.in >= 1 && x.ports.in <= size && x.ports.out > size && x.ports.out <= 2u * size)
    return {};
  return text_of(x) + ": ingress ports are 1 to " + std::to_string(size) + ", egress ports "
         + std::to_string(size + 1u) + " to " + std::to_string(2u * size);
}

} // namespace

bool is_flow(const std::string& path) {
  return path.compare(0, flow_prefix.size(), flow_prefix) == 0;
}

caf::result<flow_stored> put(controller_ptr self, const put_flow& x) {
  auto& s = self->state;
  if (!valid_name(x.name))
    return fail(ec::invalid_argument, "'" + x.name + "' is no name of a flow");
  if (!s.graph.has_switch(x.at))
    return fail(ec::not_found, "no switch named '" + x.at.value + "'");
  path_hop hop{x.at, x.ports};
  if (auto problem = problem_of(self, hop); !problem.empty())
    return fail(ec::invalid_argument, problem);
  if (auto why = too_much(self))
    return why;
  auto request = std::make_shared<path_request>();
  request->ask.path = flow_prefix + x.name;
  request->asked_by = self->sender_site();
  request->given = {hop};
  auto promise = self->make_response_promise<flow_stored>();
  enqueue(self, [self, request, promise, hop]() mutable {
    auto& table = self->state.table;
    auto& path = request->ask.path;
    auto* old = table.find(path);
    auto refuse = [&](ec code, const std::string& text) {
      promise.deliver(fail(code, text));
      finish(self);
    };
    if (old && old->path.hops.front().name != hop.name)
      return refuse(ec::already_exists, path + " is at " + old->path.hops.front().name.value);
    // Before the old one is parted for nothing.
    for (auto& who : table.holders({hop}, path))
      return refuse(ec::busy, text_of(hop) + ": held by " + who);
    request->answer = [self, promise,
                       replaced = old != nullptr](const result<path_ready>& y) mutable {
      auto saved = save_flows(self);
      if (!y)
        promise.deliver(fail(y.error()));
      else if (!saved)
        promise.deliver(fail(saved.error()));
      else
        promise.deliver(flow_stored{replaced});
    };
    connect(self, request);
  });
  return promise;
}

caf::result<accepted> remove(controller_ptr self, const remove_flow& x) {
  if (auto why = too_much(self))
    return why;
  auto promise = self->make_response_promise<accepted>();
  enqueue(self, [self, x, promise]() mutable {
    auto* held = self->state.table.find(flow_prefix + x.name);
    if (!held || held->path.hops.front().name != x.at) {
      promise.deliver(fail(ec::not_found, "no flow named '" + x.name + "' at " + x.at.value));
      return finish(self);
    }
    release(self, flow_prefix + x.name, [self, promise](const status& parted) mutable {
      auto saved = save_flows(self);
      if (!parted)
        promise.deliver(fail(parted.error()));
      else if (!saved)
        promise.deliver(fail(saved.error()));
      else
        promise.deliver(accepted{});
      finish(self);
    });
  });
  return promise;
}

void recall_flows(controller_ptr self) {
  auto& s = self->state;
  auto content = self->env().storage->load(flows_file);
  if (!content)
    return;
  std::istringstream lines{std::string{content->begin(), content->end()}};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string name;
    path_hop hop;
    words >> name >> hop.name.value >> hop.ports.in >> hop.ports.out;
    held_path held;
    held.path.path = flow_prefix + name;
    held.path.hops = {hop};
    held.asked_by = s.config.site;
    held.trouble = "not joined since the controller's start";
    if (!words || !valid_name(name) || !s.graph.has_switch(hop.name)
        || !problem_of(self, hop).empty() || !s.table.hold(held))
      self->note("alarm", flows_file + ": the flow '" + line + "' is not restored");
  }
}

} // namespace qnfv
