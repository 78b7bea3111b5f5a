#include "drivers/switch_emulator/restconf_server.hpp"

#include "drivers/http/basic_auth.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using self_ptr = stateful<switch_face_actor, restconf_server_state>*;
using joined_ports = std::vector<cross_connection>;
using resource = restconf_target::resource;

constexpr size_t connections_max = 64;

http_response text(uint16_t status, const std::string& body) {
  http_response out;
  out.status = status;
  out.content_type = restconf_media;
  out.body = secret{byte_view{body}};
  return out;
}

http_response error(uint16_t status, const char* tag, const std::string& message) {
  return text(status, print_restconf(restconf_error{tag, message}));
}

http_response nothing() {
  http_response out;
  out.status = 204;
  return out;
}

/// RFC 8040, 7. Silence is not answered.
void refuse(self_ptr self, const http_reply& reply, const failure& why) {
  if (is_silence(why)) {
    auto& held = self->state.unanswered;
    held.push_back(reply);
    if (held.size() > connections_max)
      held.pop_front();
    return;
  }
  if (why.code == ec::busy)
    return reply(error(409, "in-use", why.text));
  if (why.code == ec::invalid_argument)
    return reply(error(400, "invalid-value", why.text));
  reply(error(500, "operation-failed", why.text));
}

/// Of a GET: unchanged, if that is what the client has.
void show(const http_request& x, const http_reply& reply, const std::string& body) {
  auto tag = restconf_etag(body);
  auto out = names_etag(x.if_none_match, tag) ? http_response{} : text(200, body);
  if (out.body.empty())
    out.status = 304;
  out.headers = {{"ETag", tag}, {"Cache-Control", "no-cache"}};
  reply(std::move(out));
}

void show_pairs(self_ptr self, const http_request& x, const restconf_target& target,
                const http_reply& reply) {
  ask_joined(self, self->state.config.glass, [=](const result<joined_ports>& now) {
    if (!now)
      return refuse(self, reply, now.error());
    restconf_pairs out;
    for (auto& y : *now)
      if (target.key == 0 || target.key == y.in)
        out.push_back({y.in, y.out});
    if (target.key != 0 && out.empty())
      return reply(error(404, "invalid-value", "this ingress port is not joined"));
    auto body = print_restconf(out, "optical-switch:" + target.list);
    if (target.container)
      body = R"({"optical-switch:cross-connects":)" + print_restconf(out, target.list) + "}";
    show(x, reply, body);
  });
}

void show_ports(self_ptr self, const http_request& x, const restconf_target& target,
                const http_reply& reply) {
  ask_status(self, self->state.config.glass, [=](const result<switch_status>& now) {
    if (!now)
      return refuse(self, reply, now.error());
    auto holds = [](const std::vector<port_number>& list, uint32_t port) {
      return std::find(list.begin(), list.end(), port) != list.end();
    };
    std::vector<restconf_port> out;
    for (uint32_t i = 1; i <= 2u * now->size; ++i)
      if (target.key == 0 || target.key == i)
        out.push_back({static_cast<uint16_t>(i), holds(now->failed, i) ? restconf_state::failed
                                                 : holds(now->dark, i) ? restconf_state::disabled
                                                                       : restconf_state::enabled});
    if (out.empty())
      return reply(error(404, "invalid-value", "no such port"));
    show(x, reply, print_restconf(out));
  });
}

void show_product(self_ptr self, const http_request& x, const http_reply& reply) {
  ask_status(self, self->state.config.glass, [=](const result<switch_status>& now) {
    if (!now)
      return refuse(self, reply, now.error());
    auto n = std::to_string(now->size);
    auto& c = self->state.config;
    show(x, reply,
         print_restconf(restconf_product{"Polatis", c.serial, "I-OST-" + n + "x" + n + "-LU1-DMHNS",
                                         c.version}));
  });
}

void change(self_ptr self, const http_reply& reply, std::deque<switch_change> changes) {
  carry_out(self, self->state.config.glass, std::move(changes), [self, reply](const status& outcome) {
    if (outcome)
      return reply(nothing());
    refuse(self, reply, outcome.error());
  });
}

/// The first of the pairs that cannot be joined with the others and with what is joined now.
status all_fit(const restconf_pairs& wanted, const joined_ports& now, uint16_t size) {
  auto all = now;
  for (auto& x : wanted) {
    if (x.ingress > size || x.egress <= size || x.egress > 2 * size)
      return {ec::invalid_argument,
              "the ingress ports are 1 to " + std::to_string(size) + ", the egress ports follow"};
    for (auto& y : all)
      if ((y.in == x.ingress) != (y.out == x.egress))
        return {ec::busy, std::to_string(y.in) + " is joined to " + std::to_string(y.out)};
    all.push_back({x.ingress, x.egress});
  }
  return done{};
}

void patch(self_ptr self, const std::string& body, const http_reply& reply) {
  auto wanted = parse_restconf_pairs(body);
  if (!wanted)
    return reply(error(400, "malformed-message", wanted.error().text));
  ask_status(self, self->state.config.glass, [=](const result<switch_status>& now) {
    if (!now)
      return refuse(self, reply, now.error());
    ask_joined(self, self->state.config.glass,
               [self, reply, wanted = *wanted, size = now->size](const result<joined_ports>& all) {
                 if (!all)
                   return refuse(self, reply, all.error());
                 if (auto fits = all_fit(wanted, *all, size); !fits)
                   return refuse(self, reply, fits.error());
                 std::deque<switch_change> changes;
                 for (auto& x : wanted)
                   changes.push_back(cross_connect{{x.ingress, x.egress}});
                 change(self, reply, std::move(changes));
               });
  });
}

void remove(self_ptr self, uint16_t ingress, const http_reply& reply) {
  ask_joined(self, self->state.config.glass, [=](const result<joined_ports>& now) {
    if (!now)
      return refuse(self, reply, now.error());
    std::deque<switch_change> changes;
    for (auto& x : *now)
      if (ingress == 0 || x.in == ingress)
        changes.push_back(disconnect{x});
    if (ingress != 0 && changes.empty())
      return reply(error(404, "data-missing", "this ingress port is not joined"));
    change(self, reply, std::move(changes));
  });
}

void set_ports(self_ptr self, const std::string& body, const http_reply& reply) {
  auto wanted = parse_restconf_port_change(body);
  if (!wanted)
    return reply(error(400, "malformed-message", wanted.error().text));
  ask_status(self, self->state.config.glass, [=](const result<switch_status>& now) {
    if (!now)
      return refuse(self, reply, now.error());
    auto changes = enable_ports(*now, wanted->enable);
    for (auto& x : disable_ports(wanted->disable))
      changes.push_back(x);
    change(self, reply, std::move(changes));
  });
}

bool is_json(const std::string& media) {
  auto name = media.substr(0, media.find(';'));
  return name.empty() || name == restconf_media || name == "application/json";
}

http_response not_allowed(const char* methods) {
  auto out = error(405, "operation-not-supported", "not on this resource");
  out.headers = {{"Allow", methods}};
  return out;
}

void serve(self_ptr self, const http_request& x, const http_reply& reply) {
  auto& c = self->state.config;
  if (!c.authorization.empty() && !same_authorization(x.authorization, c.authorization)) {
    auto out = error(401, "access-denied", "name and password, please");
    out.headers = {{"WWW-Authenticate", "Basic realm=\"polatis\""}};
    return reply(std::move(out));
  }
  auto target = parse_restconf_target(x.target);
  auto reads = x.method == "GET" || x.method == "HEAD";
  if (!reads && !is_json(x.content_type))
    return reply(error(415, "invalid-value", "only JSON is understood"));
  switch (target.what) {
  case resource::pairs:
    if (!target.container && target.list != (c.old_lists ? "pairs" : "pair"))
      break;
    target.list = c.old_lists ? "pairs" : "pair";
    if (reads)
      return show_pairs(self, x, target, reply);
    if (x.method == "PATCH" && target.key == 0)
      return patch(self, x.body, reply);
    if (x.method == "DELETE")
      return remove(self, target.key, reply);
    return reply(not_allowed(target.key == 0 ? "GET, HEAD, PATCH, DELETE" : "GET, HEAD, DELETE"));
  case resource::ports:
    return reads ? show_ports(self, x, target, reply) : reply(not_allowed("GET, HEAD"));
  case resource::product:
    return reads ? show_product(self, x, reply) : reply(not_allowed("GET, HEAD"));
  case resource::port_set_state:
    return x.method == "POST" ? set_ports(self, x.body, reply) : reply(not_allowed("POST"));
  case resource::none:
    break;
  }
  reply(error(404, "invalid-value", "no such resource"));
}

} // namespace

http_server_settings restconf_http(const std::string& listen) {
  http_server_settings out;
  out.listen = listen;
  out.security = http_security::plain;
  out.connections_max = connections_max;
  out.answer_timeout = switch_face_timeout;
  return out;
}

switch_face_actor::behavior_type
restconf_server(stateful<switch_face_actor, restconf_server_state>* self,
                restconf_server_config config) {
  self->state.config = std::move(config);
  // The door must not keep the actor alive that leaves it.
  auto weak = caf::weak_actor_ptr{self->ctrl()};
  self->state.service =
    self->state.config.door->serve([self, weak](http_request x, http_reply reply) {
      auto alive = caf::actor_cast<caf::strong_actor_ptr>(weak);
      if (!alive)
        return;
      continue_at(caf::actor_cast<switch_face_actor>(alive),
                  [=, x = std::move(x)] { serve(self, x, reply); });
    });
  return {[](const switch_event&) {}, [](const continuation& x) { x.run(); }};
}

} // namespace qnfv
