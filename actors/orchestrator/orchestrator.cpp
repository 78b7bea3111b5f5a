#include "actors/orchestrator/orchestrator.hpp"

#include "actors/orchestrator/delivery.hpp"

namespace qnfv {

namespace {

using namespace std::chrono;

caf::error only_operators(orchestrator_ptr self) {
  auto from = self->sender_site();
  if (from == operator_name || from == self->env().site)
    return caf::none;
  return fail(ec::not_allowed, from.value + " may not order: only operators do");
}

caf::result<order> take_order(orchestrator_ptr self, const deliver_image& x) {
  auto& s = self->state;
  if (auto no = only_operators(self))
    return no;
  if (s.data_centres.count(x.site) == 0) {
    std::string known;
    for (auto& dc : s.data_centres)
      known += (known.empty() ? "" : ", ") + dc.first.value;
    return fail(ec::unknown_site, "no data centre " + x.site.value + "; there is " + known);
  }
  if (s.up.count(x.site) == 0)
    return fail(ec::site_unreachable, x.site.value + " is not joined");
  auto promise = self->make_response_promise<order>();
  auto site = x.site;
  auto trace = current_trace();
  self
    ->request(s.config.images, milliseconds{s.config.request_timeout_ms}, find_image{x.image})
    .then(
      [self, promise, site, trace](const image_record& image) mutable {
        auto& state = self->state;
        auto opened = state.orders.open(image, site,
                                        transfer_id{self->env().random->bytes_of<
                                          std::array<uint8_t, 16>>()},
                                        to_string(trace.trace), self->now());
        if (!opened) {
          promise.deliver(fail(opened.error()));
          return;
        }
        auto id = opened->id;
        state.traces[id] = trace;
        // Durable before it is answered: an answered order is never forgotten.
        self
          ->request(state.config.store, milliseconds{state.config.request_timeout_ms},
                    save_order{*opened})
          .then(
            [self, promise, id](const accepted&) mutable {
              promise.deliver(*self->state.orders.find(id));
              open_delivery(self, id);
            },
            [self, promise, id](const caf::error& why) mutable {
              fail_order(self, id, to_failure(why));
              promise.deliver(why);
            });
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<order> show_order(orchestrator_ptr self, const order_id& id) {
  auto& s = self->state;
  auto* x = s.orders.find(id);
  if (!x)
    return fail(ec::not_found, "no order " + id.value);
  auto out = s.orders.as_of(*x, self->now());
  if (x->state != order_state::streaming)
    return out;
  auto promise = self->make_response_promise<order>();
  self
    ->request(s.config.stream, milliseconds{s.config.request_timeout_ms},
              stream_progress_query{x->transfer})
    .then(
      [promise, out](const stream_progress& progress) mutable {
        out.sent_bytes = progress.done_bytes;
        promise.deliver(out);
      },
      [promise, out](const caf::error&) mutable { promise.deliver(out); });
  return promise;
}

/// Asks all gateways.
void ask_vnfs(orchestrator_ptr self, std::function<void(vnf_list)> then) {
  auto& s = self->state;
  struct gathering {
    size_t open = 1;
    vnf_list all;
  };
  auto sum = std::make_shared<gathering>();
  auto one_less = [sum, then] {
    if (--sum->open == 0)
      then(std::move(sum->all));
  };
  for (auto& [site, dc] : s.data_centres) {
    if (s.up.count(site) == 0) {
      sum->all.silent.push_back(site);
      continue;
    }
    ++sum->open;
    self->request(dc.gateway, milliseconds{s.config.request_timeout_ms}, list_vnfs{})
      .then(
        [sum, one_less](const vnf_list& x) {
          sum->all.vnfs.insert(sum->all.vnfs.end(), x.vnfs.begin(), x.vnfs.end());
          one_less();
        },
        [sum, one_less, site = site](const caf::error&) {
          sum->all.silent.push_back(site);
          one_less();
        });
  }
  one_less();
}

caf::result<vnf_info> stop(orchestrator_ptr self, const vnf_id& vnf) {
  if (auto no = only_operators(self))
    return no;
  auto promise = self->make_response_promise<vnf_info>();
  ask_vnfs(self, [self, promise, vnf](const vnf_list& all) mutable {
    for (auto& x : all.vnfs)
      if (x.vnf == vnf) {
        auto& s = self->state;
        self
          ->request(s.data_centres.at(x.site).gateway, milliseconds{s.config.offer_timeout_ms},
                    stop_vnf{vnf})
          .then([promise](const vnf_info& y) mutable { promise.deliver(y); },
                [promise](const caf::error& why) mutable { promise.deliver(why); });
        return;
      }
    promise.deliver(fail(ec::not_found, "no VNF " + vnf.value + " at any joined data centre"));
  });
  return promise;
}

caf::result<link_list> links(orchestrator_ptr self) {
  auto& s = self->state;
  struct gathering {
    size_t open;
    link_list all;
  };
  auto promise = self->make_response_promise<link_list>();
  auto sum = std::make_shared<gathering>(gathering{s.config.links.size() + 1, {}});
  auto one_less = [sum, promise]() mutable {
    if (--sum->open == 0)
      promise.deliver(std::move(sum->all));
  };
  for (auto& link : s.config.links)
    self->request(link, milliseconds{s.config.request_timeout_ms}, link_status_query{})
      .then(
        [sum, one_less](const link_status& x) mutable {
          sum->all.links.push_back(x);
          one_less();
        },
        [one_less](const caf::error&) mutable { one_less(); });
  one_less();
  return promise;
}

/// A data centre joined. What runs there although its order did not end well is stopped: the
/// verdict was lost, or the site was cut off while we gave up (invariant I41).
void agree_with(orchestrator_ptr self, const site_id& site) {
  auto& s = self->state;
  auto dc = s.data_centres.find(site);
  if (dc == s.data_centres.end())
    return;
  auto gateway = dc->second.gateway;
  auto wait = milliseconds{s.config.request_timeout_ms};
  self->request(gateway, wait, list_vnfs{})
    .then(
      [self, gateway, wait](const vnf_list& there) {
        for (auto& x : self->state.orders.list(self->now()))
          for (auto& vnf : there.vnfs)
            if (vnf.vnf == x.vnf && is_final(x.state) && x.state != order_state::running) {
              self->note("agree", "stopping " + vnf.vnf.value + ": " + x.id.value + " "
                                    + to_string(x.state));
              self->request(gateway, wait, stop_vnf{vnf.vnf})
                .then([](const vnf_info&) {}, [](const caf::error&) {});
            }
      },
      [](const caf::error&) {});
}

} // namespace

orchestrator_actor::behavior_type
orchestrator(stateful<orchestrator_actor, orchestrator_state>* self, orchestrator_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.orders = order_book{s.config.orders_max};
  for (auto& dc : s.config.data_centres)
    s.data_centres[dc.site] = dc;
  // Nothing is answered before the books are open.
  self->request(s.config.store, milliseconds{s.config.request_timeout_ms}, load_orders{})
    .await(
      [self](order_list& saved) {
        for (auto& x : self->state.orders.restore(std::move(saved.orders)))
          save(self, x);
      },
      [self](const caf::error& why) {
        self->note("alarm", "cannot read the orders: " + describe(why));
        self->quit(why);
      });
  return {
    [self](const deliver_image& x) { return take_order(self, x); },
    [self](const order_query& x) { return show_order(self, x.id); },
    [self](const list_orders&) { return order_list{self->state.orders.list(self->now())}; },
    [self](const cancel_order& x) -> caf::result<order> {
      if (auto no = only_operators(self))
        return no;
      auto* found = self->state.orders.find(x.id);
      if (!found)
        return fail(ec::not_found, "no order " + x.id.value);
      fail_order(self, x.id, {ec::cancelled, "cancelled by an operator"}, order_event::cancelled);
      return self->state.orders.as_of(*found, self->now());
    },
    [self](const list_vnfs&) -> caf::result<vnf_list> {
      auto promise = self->make_response_promise<vnf_list>();
      ask_vnfs(self, [promise](vnf_list all) mutable { promise.deliver(std::move(all)); });
      return promise;
    },
    [self](const stop_vnf& x) { return stop(self, x.vnf); },
    [self](const links_query&) { return links(self); },
    [self](const peer_up& x) {
      self->state.up.insert(x.site);
      agree_with(self, x.site);
    },
    [self](const peer_down& x) {
      auto& state = self->state;
      state.up.erase(x.site);
      for (auto& y : state.orders.list(self->now()))
        if (y.site == x.site && !is_final(y.state)) {
          trace_scope scope{state.traces[y.id]};
          fail_order(self, y.id, {ec::site_unreachable, x.site.value + " is gone: " + x.reason});
        }
    },
    [self](const tick& x) {
      if (x.what.rfind("key ", 0) == 0)
        open_delivery(self, order_id{x.what.substr(4)});
    },
  };
}

} // namespace qnfv
