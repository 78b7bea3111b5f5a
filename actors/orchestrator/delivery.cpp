#include "actors/orchestrator/delivery.hpp"

namespace qnfv {

namespace {

using namespace std::chrono;

/// The order, if it is still in `state`.
order* order_in(orchestrator_ptr self, const order_id& id, order_state state) {
  auto* x = self->state.orders.find(id);
  return x && x->state == state ? x : nullptr;
}

void move_on(orchestrator_ptr self, order& x, order_event event, std::string reason) {
  if (!self->state.orders.apply(x, event, self->now()))
    return;
  x.reason = std::move(reason);
  self->note("order", x.id.value + " " + to_string(x.state)
                        + (x.reason.empty() ? "" : ": " + x.reason));
  if (is_final(x.state))
    self->state.traces.erase(x.id);
  save(self, x);
}

milliseconds request_timeout(orchestrator_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

/// Both sites forget the transfer. Whoever does not answer cleans up by itself when it learns that
/// the other is gone.
/// Until the data centre has heard: a function must not run on for an order that failed.
void cancel_there(orchestrator_ptr self, const site_id& site, const transfer_cancel& x,
                  uint32_t attempts) {
  auto& s = self->state;
  auto dc = s.data_centres.find(site);
  if (dc == s.data_centres.end() || s.up.count(site) == 0 || attempts == 0)
    return;
  self->request(dc->second.gateway, request_timeout(self), x)
    .then([](const accepted&) {},
          [self, site, x, attempts](const caf::error& why) {
            if (to_failure(why).code == ec::maybe_executed)
              cancel_there(self, site, x, attempts - 1);
          });
}

void clean_up(orchestrator_ptr self, const order& x, const std::string& reason) {
  constexpr uint32_t cancel_attempts = 20;
  self->request(self->state.config.stream, request_timeout(self), close_stream{x.transfer, reason})
    .then([](const accepted&) {}, [](const caf::error&) {});
  cancel_there(self, x.site, {x.transfer, reason}, cancel_attempts);
}

/// Step 4: the data centre verifies, loads and starts.
void install(orchestrator_ptr self, const order_id& id) {
  auto* x = self->state.orders.find(id);
  auto& dc = self->state.data_centres.at(x->site);
  self
    ->request(dc.gateway, seconds{self->state.config.install_timeout_s}, transfer_done{x->transfer})
    .then(
      [self, id](const transfer_verdict& verdict) {
        auto* y = order_in(self, id, order_state::installing);
        if (!y)
          return;
        y->site_digest = verdict.digest;
        if (verdict.digest != y->digest)
          return fail_order(self, id, {ec::digest_mismatch, "the site holds other bytes"});
        move_on(self, *y, order_event::started, verdict.vnf.vim);
      },
      [self, id](const caf::error& why) {
        if (order_in(self, id, order_state::installing))
          fail_order(self, id, to_failure(why));
      });
}

/// The stream broke at our end; the data centre may know better why.
void ask_why(orchestrator_ptr self, const order_id& id, const failure& ours) {
  auto* x = self->state.orders.find(id);
  auto& dc = self->state.data_centres.at(x->site);
  self->request(dc.gateway, request_timeout(self), transfer_done{x->transfer})
    .then(
      [self, id, ours](const transfer_verdict&) {
        if (order_in(self, id, order_state::streaming))
          fail_order(self, id, ours);
      },
      [self, id, ours](const caf::error& theirs) {
        if (!order_in(self, id, order_state::streaming))
          return;
        auto why = to_failure(theirs);
        auto known = why.code == ec::stream_corrupt || why.code == ec::digest_mismatch
                     || why.code == ec::vim_failed || why.code == ec::storage_failed;
        fail_order(self, id, known ? why : ours);
      });
}

/// Step 3: the bytes flow.
void stream(orchestrator_ptr self, const order_id& id) {
  auto* x = self->state.orders.find(id);
  self
    ->request(self->state.config.stream, seconds{self->state.config.transfer_timeout_s},
              run_stream{x->transfer})
    .then(
      [self, id](const stream_sent& sent) {
        auto* y = order_in(self, id, order_state::streaming);
        if (!y)
          return;
        y->sent_bytes = sent.size_bytes;
        y->stream_s = sent.seconds;
        move_on(self, *y, order_event::sent, "");
        install(self, id);
      },
      [self, id](const caf::error& why) {
        if (order_in(self, id, order_state::streaming))
          ask_why(self, id, to_failure(why));
      });
}

/// Step 2: the notice to the data centre.
void offer(orchestrator_ptr self, const order_id& id, const image_record& image,
           const channel_token& token) {
  auto* x = self->state.orders.find(id);
  auto& dc = self->state.data_centres.at(x->site);
  transfer_offer notice;
  notice.transfer = x->transfer;
  notice.order = x->id;
  notice.image = x->image;
  notice.kind = image.kind;
  notice.digest = x->digest;
  notice.size_bytes = x->size_bytes;
  notice.link = dc.link;
  notice.key = x->key;
  notice.vnf = x->vnf;
  notice.token = token;
  self
    ->request(dc.gateway, milliseconds{self->state.config.offer_timeout_ms}, std::move(notice))
    .then(
      [self, id](const transfer_accepted&) {
        auto* y = order_in(self, id, order_state::offering);
        if (!y)
          return;
        move_on(self, *y, order_event::offered, "");
        stream(self, id);
      },
      [self, id](const caf::error& why) {
        if (order_in(self, id, order_state::offering))
          fail_order(self, id, to_failure(why));
      });
}

void wait_for_key(orchestrator_ptr self, const order_id& id, const failure& why) {
  auto* x = self->state.orders.find(id);
  auto& config = self->state.config;
  auto waited = self->env().clock->lab(self->state.orders.age(*x, self->now()));
  if (waited >= seconds{config.key_wait_s})
    return fail_order(self, id, {ec::key_exhausted, "no key within "
                                                      + format_duration(seconds{config.key_wait_s})
                                                      + " of lab time: " + describe(why)});
  if (x->state != order_state::waiting_for_key)
    move_on(self, *x, order_event::no_key, describe(why));
  else
    x->reason = describe(why);
  self->after(milliseconds{config.key_retry_ms}, tick{0, "key " + id.value});
}

void reserve(orchestrator_ptr self, const order_id& id, const image_record& image) {
  auto* x = self->state.orders.find(id);
  auto& dc = self->state.data_centres.at(x->site);
  open_stream ask;
  ask.transfer = x->transfer;
  ask.link = dc.link;
  ask.site = x->site;
  ask.address = dc.data_address;
  ask.token = self->env().random->bytes_of<channel_token>();
  ask.file = image.file;
  ask.size_bytes = image.size_bytes;
  ask.again = x->state == order_state::waiting_for_key;
  auto token = ask.token;
  self
    ->request(self->state.config.stream, milliseconds{self->state.config.offer_timeout_ms},
              std::move(ask))
    .then(
      [self, id, image, token](const stream_opened& opened) {
        auto* y = self->state.orders.find(id);
        if (!y || is_final(y->state)) {
          // Cancelled meanwhile.
          self->request(self->state.config.stream, request_timeout(self),
                        close_stream{opened.transfer, "the order ended"})
            .then([](const accepted&) {}, [](const caf::error&) {});
          return;
        }
        y->key = opened.key;
        move_on(self, *y, order_event::opened, "");
        offer(self, id, image, token);
      },
      [self, id](const caf::error& error) {
        auto* y = self->state.orders.find(id);
        if (!y || is_final(y->state))
          return;
        auto why = to_failure(error);
        // Each of these may pass, and none has sent a byte of the image: ask again.
        if (why.code == ec::key_exhausted || why.code == ec::busy)
          return wait_for_key(self, id, why);
        fail_order(self, id, why);
      });
}

} // namespace

void save(orchestrator_ptr self, const order& x) {
  self->request(self->state.config.store, request_timeout(self), save_order{x})
    .then([](const accepted&) {},
          [self](const caf::error& why) { self->note("alarm", "order not saved: " + describe(why)); });
}

void fail_order(orchestrator_ptr self, const order_id& id, const failure& why, order_event event) {
  auto* x = self->state.orders.find(id);
  if (!x || is_final(x->state))
    return;
  x->code = why.code;
  clean_up(self, *x, describe(why));
  move_on(self, *x, event, why.text.empty() ? to_string(why.code) : why.text);
}

void open_delivery(orchestrator_ptr self, const order_id& id) {
  auto* x = self->state.orders.find(id);
  if (!x || is_final(x->state))
    return;
  trace_scope scope{self->state.traces[id]};
  self->request(self->state.config.images, request_timeout(self), find_image{x->image})
    .then(
      [self, id](const image_record& image) {
        auto* y = self->state.orders.find(id);
        if (!y || is_final(y->state))
          return;
        // Removed and added again under the same name since the order was taken.
        if (image.digest != y->digest)
          return fail_order(self, id, {ec::unknown_image, "the image was replaced meanwhile"});
        reserve(self, id, image);
      },
      [self, id](const caf::error& why) { fail_order(self, id, to_failure(why)); });
}

} // namespace qnfv
