#include "drivers/prometheus/prometheus.hpp"

namespace qnfv {

namespace {

using self_ptr = stateful<prometheus_actor, prometheus_state>*;

http_response text(uint16_t status, const std::string& body) {
  http_response out;
  out.status = status;
  out.content_type = "text/plain; version=0.0.4; charset=utf-8";
  out.body = secret{byte_view{std::string_view{body}}};
  return out;
}

/// Asked all at once; the last answer, or time-out, completes it.
struct gathering {
  metrics_snapshot snapshot;
  size_t open = 0;
  http_reply reply;

  void one_less() {
    if (--open == 0)
      reply(text(200, exposition(snapshot)));
  }
};

template <class Answer, class Handle, class Question>
void ask(self_ptr self, const std::shared_ptr<gathering>& all, const Handle& to, Question question,
         std::function<void(metrics_snapshot&, Answer&)> keep) {
  ++all->open;
  self->request(to, std::chrono::milliseconds{self->state.config.request_timeout_ms}, question)
    .then(
      [all, keep](Answer& x) {
        keep(all->snapshot, x);
        all->one_less();
      },
      [all](const caf::error&) { all->one_less(); });
}

void gather(self_ptr self, http_reply reply) {
  auto& c = self->state.config;
  auto all = std::make_shared<gathering>();
  all->reply = std::move(reply);
  all->snapshot.site = self->env().site;
  all->snapshot.actors = self->env().meters.get();
  ask<site_status>(self, all, c.node, site_status_query{}, [](auto& s, auto& x) { s.node = std::move(x); });
  ask<keys_status>(self, all, c.key_pool, keys_status_query{}, [](auto& s, auto& x) { s.pools = std::move(x); });
  for (auto& link : c.links)
    ask<link_status>(self, all, link, link_status_query{},
                     [](auto& s, auto& x) { s.links.push_back(std::move(x)); });
  if (c.orchestrator)
    ask<order_list>(self, all, c.orchestrator, list_orders{},
                    [](auto& s, auto& x) { s.orders = std::move(x); });
}

void serve(self_ptr self, const http_request& x, const http_reply& reply) {
  if (x.target != "/metrics")
    return reply(text(404, "metrics are at /metrics\n"));
  if (x.method != "GET" && x.method != "HEAD") {
    auto out = text(405, "metrics can only be read\n");
    out.headers = {{"Allow", "GET, HEAD"}};
    return reply(std::move(out));
  }
  gather(self, reply);
}

} // namespace

http_server_settings prometheus_http(const std::string& listen, const tls_files& tls) {
  http_server_settings out;
  out.listen = listen;
  auto loopback = listen.rfind("127.", 0) == 0 || listen.rfind("[::1]", 0) == 0;
  out.security = loopback ? http_security::plain : http_security::mutual_tls;
  out.tls = tls;
  out.connections_max = 16;
  out.body_limit_bytes = 4096;
  out.answer_timeout = std::chrono::seconds{10};
  return out;
}

prometheus_actor::behavior_type prometheus_exporter(stateful<prometheus_actor, prometheus_state>* self,
                                                    prometheus_config config) {
  self->state.config = std::move(config);
  // The door must not keep the actor alive that leaves it.
  auto weak = caf::weak_actor_ptr{self->ctrl()};
  self->state.service = self->state.config.door->serve([self, weak](http_request x, http_reply reply) {
    if (auto alive = caf::actor_cast<caf::strong_actor_ptr>(weak))
      continue_at(caf::actor_cast<prometheus_actor>(alive), [=, x = std::move(x)] { serve(self, x, reply); });
  });
  return {[](const continuation& x) { x.run(); }};
}

} // namespace qnfv
