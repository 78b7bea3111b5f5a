#include "drivers/northbound/northbound.hpp"

#include "drivers/http/basic_auth.hpp"
#include "drivers/openflow/codec.hpp"
#include "runtime/system/outside_request.hpp"

#include <optional>

namespace qnfv {

namespace {

using self_ptr = stateful<northbound_actor, northbound_state>*;
using depth = flow_target::depth;
using key = northbound_state::key;
using flow_map = std::map<key, flow_config>;

constexpr std::string_view path_prefix = "flow ";

http_response text(uint16_t status, const std::string& words) {
  http_response out;
  out.status = status;
  out.content_type = "text/plain";
  out.body = secret{byte_view{words}};
  return out;
}

http_response json(const std::string& body) {
  http_response out;
  out.body = secret{byte_view{body}};
  return out;
}

void refuse(const http_reply& reply, const failure& why) {
  reply(text(northbound_status(why.code), why.text));
}

/// One request on its way through the controller.
struct visit {
  http_reply reply;
  std::string method;
  switch_id node;
  std::string id; ///< The node's, as this side writes it.
  std::string name;
  key flow() const { return {node, name}; }
};

template <class Answer, class Question>
void ask(self_ptr self, Question question, std::function<void(Answer&)> then,
         std::function<void(const failure&)> otherwise) {
  auto& c = self->state.config;
  self->request(c.controller, std::chrono::milliseconds{c.request_timeout_ms}, std::move(question))
    .then([then](Answer& x) { then(x); },
          [otherwise](const caf::error& why) { otherwise(to_failure(why)); });
}

// -- what there is --------------------------------------------------------------------------------

std::string id_of(self_ptr self, const switch_id& node) {
  for (auto& [datapath, name] : self->state.config.nodes)
    if (name == node)
      return datapath_text(datapath);
  return {};
}

/// The controller's flows, and those that are not installed.
flow_map all_flows(self_ptr self, const path_list& paths) {
  flow_map out;
  for (auto& [at, x] : self->state.known)
    if (!x.install)
      out[at] = x;
  for (auto& x : paths.paths) {
    auto& path = x.path;
    if (path.path.compare(0, path_prefix.size(), path_prefix) != 0 || path.hops.size() != 1)
      continue;
    auto& hop = path.hops.front();
    flow_config flow;
    flow.name = path.path.substr(path_prefix.size());
    flow.type = "OF";
    flow.id = id_of(self, hop.name);
    flow.ingress = hop.ports.in;
    flow.egress = hop.ports.out;
    key at{hop.name, flow.name};
    auto known = self->state.known.find(at);
    if (known != self->state.known.end())
      flow.priority = known->second.priority;
    if (!flow.id.empty())
      out[at] = std::move(flow);
  }
  return out;
}

void with_flows(self_ptr self, const http_reply& reply, std::function<void(flow_map)> then) {
  ask<path_list>(
    self, paths_query{}, [self, then](path_list& x) { then(all_flows(self, x)); },
    [reply](const failure& why) { refuse(reply, why); });
}

// -- the verbs ------------------------------------------------------------------------------------

void show(self_ptr self, const flow_target& target, const visit& v) {
  with_flows(self, v.reply, [=](const flow_map& flows) {
    if (target.level == depth::flow) {
      auto x = flows.find(v.flow());
      return x == flows.end() ? v.reply(text(404, "no such flow"))
                              : v.reply(json(print_flow(x->second)));
    }
    std::vector<flow_config> out;
    for (auto& [at, x] : flows)
      if (target.level == depth::container || at.first == v.node)
        out.push_back(x);
    v.reply(json(print_flows(out)));
  });
}

void install(self_ptr self, const visit& v, const flow_config& x,
             std::function<void(bool replaced)> then) {
  ask<flow_stored>(
    self, put_flow{v.name, v.node, {x.ingress, x.egress}},
    [=](flow_stored& stored) {
      self->state.known[v.flow()] = x;
      then(stored.replaced);
    },
    [=](const failure& why) { refuse(v.reply, why); });
}

/// Takes it out of the switch; that it is not there is fine.
void uninstall(self_ptr self, const visit& v, std::function<void()> then) {
  ask<accepted>(
    self, remove_flow{v.name, v.node}, [then](accepted&) { then(); },
    [=](const failure& why) {
      if (why.code == ec::not_found)
        return then();
      refuse(v.reply, why);
    });
}

/// Flows that somebody took out of the switch on another way.
void forget_removed(self_ptr self, const flow_map& flows) {
  auto& known = self->state.known;
  for (auto x = known.begin(); x != known.end();)
    x = x->second.install && flows.count(x->first) == 0 ? known.erase(x) : std::next(x);
}

void store(self_ptr self, const visit& v, const flow_config& x, const flow_map& flows) {
  auto old = flows.find(v.flow());
  auto is_new = old == flows.end();
  for (auto& [at, other] : flows)
    if (at.second == v.name && at.first != v.node)
      return v.reply(text(409, "node " + other.id + " has a flow of this name"));
  forget_removed(self, flows);
  if (is_new && self->state.known.size() >= self->state.config.flows_max)
    return v.reply(text(503, "too many flows"));
  auto done = [=](bool replaced) { v.reply(text(is_new && !replaced ? 201 : 200, "Success")); };
  if (x.install)
    return install(self, v, x, done);
  uninstall(self, v, [=] {
    self->state.known[v.flow()] = x;
    done(false);
  });
}

std::optional<result<flow_config>> parse_body(const http_request& x) {
  auto media = x.content_type.substr(0, x.content_type.find(';'));
  if (media == "application/xml" || media == "text/xml")
    return parse_flow_xml(x.body);
  if (media.empty() || media == "application/json")
    return parse_flow_json(x.body);
  return std::nullopt;
}

void put(self_ptr self, const http_request& request, const flow_target& target, const visit& v) {
  if (!valid_name(target.name))
    return v.reply(text(400, "a flow's name is 1 to 64 of a-z A-Z 0-9 . _ -"));
  auto body = parse_body(request);
  if (!body)
    return v.reply(text(415, "only JSON and XML are understood"));
  if (!*body)
    return v.reply(text(400, body->error().text));
  auto x = **body;
  auto id = parse_datapath(x.id);
  if (!id)
    return v.reply(text(400, id.error().text));
  if (x.name != target.name || x.type != target.type || datapath_text(*id) != v.id)
    return v.reply(text(405, "the body names another flow or node than the path"));
  x.id = v.id;
  with_flows(self, v.reply, [=](const flow_map& flows) { store(self, v, x, flows); });
}

void remove(self_ptr self, const visit& v) {
  with_flows(self, v.reply, [=](const flow_map& flows) {
    if (flows.count(v.flow()) == 0)
      return v.reply(text(404, "no such flow"));
    uninstall(self, v, [=] {
      self->state.known.erase(v.flow());
      v.reply(text(204, {}));
    });
  });
}

void toggle(self_ptr self, const visit& v) {
  with_flows(self, v.reply, [=](const flow_map& flows) {
    auto x = flows.find(v.flow());
    if (x == flows.end())
      return v.reply(text(404, "no such flow"));
    auto next = x->second;
    next.install = !next.install;
    auto done = [=] { v.reply(text(200, "Success")); };
    if (next.install)
      return install(self, v, next, [done](bool) { done(); });
    uninstall(self, v, [=] {
      self->state.known[v.flow()] = next;
      done();
    });
  });
}

// -- the door -------------------------------------------------------------------------------------

http_response not_allowed(const char* methods) {
  auto out = text(405, "not on this resource");
  out.headers = {{"Allow", methods}};
  return out;
}

void serve(self_ptr self, const http_request& x, const http_reply& reply) {
  auto& c = self->state.config;
  if (!same_authorization(x.authorization, c.authorization)) {
    auto out = text(401, "name and password, please");
    out.headers = {{"WWW-Authenticate", "Basic realm=\"opendaylight\""}};
    return reply(std::move(out));
  }
  auto target = parse_flow_target(x.target);
  if (target.level == depth::none)
    return reply(text(404, "no such resource"));
  if (target.container != "default")
    return reply(text(404, "no such container"));
  visit v{reply, x.method, {}, {}, target.name};
  if (target.level != depth::container) {
    auto id = parse_datapath(target.id);
    auto node = id ? c.nodes.find(*id) : c.nodes.end();
    if (node == c.nodes.end() || target.type != "OF")
      return reply(text(404, "no such node"));
    v.node = node->second;
    v.id = datapath_text(node->first);
  }
  if (x.method == "GET" || x.method == "HEAD")
    return show(self, target, v);
  if (target.level != depth::flow)
    return reply(not_allowed("GET, HEAD"));
  if (x.method == "PUT")
    return put(self, x, target, v);
  if (x.method == "DELETE")
    return remove(self, v);
  if (x.method == "POST")
    return toggle(self, v);
  reply(not_allowed("GET, HEAD, PUT, POST, DELETE"));
}

} // namespace

http_server_settings northbound_http(const std::string& listen) {
  http_server_settings out;
  out.listen = listen;
  out.security = http_security::plain;
  out.connections_max = 64;
  out.answer_timeout = std::chrono::seconds{75};
  return out;
}

northbound_actor::behavior_type northbound(stateful<northbound_actor, northbound_state>* self,
                                           northbound_config config) {
  self->state.config = std::move(config);
  // The door must not keep the actor alive that leaves it.
  auto weak = caf::weak_actor_ptr{self->ctrl()};
  self->state.service =
    self->state.config.door->serve([self, weak](http_request x, http_reply reply) {
      auto alive = caf::actor_cast<caf::strong_actor_ptr>(weak);
      if (!alive)
        return;
      continue_at(caf::actor_cast<northbound_actor>(alive),
                  [=, x = std::move(x)] {
                    trace_scope scope{trace_of_request(*self, current_trace(), x.method + " " + x.target)};
                    serve(self, x, reply);
                  });
    });
  return {[](const continuation& x) { x.run(); }};
}

} // namespace qnfv
