#include "actors/mano_gateway/mano_gateway.hpp"

#include "runtime/base/mutant.hpp"

namespace qnfv {

namespace {

using namespace std::chrono;
using self_ptr = stateful<mano_gateway_actor, mano_gateway_state>*;

milliseconds request_timeout(self_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

caf::error check_sender(self_ptr self) {
  auto from = self->sender_site();
  if (from == self->state.config.orchestrator || from == self->env().site
      || QNFV_MUTANT("gateway obeys anybody"))
    return caf::none;
  return fail(ec::not_allowed, from.value + " is not the orchestrator");
}

caf::error check(self_ptr self, const transfer_offer& x) {
  auto& config = self->state.config;
  if (!valid_name(x.image.value) || !valid_name(x.vnf.value))
    return fail(ec::invalid_argument, "bad name of image or VNF");
  if (x.digest.size() != 64 || !from_hex(x.digest))
    return fail(ec::invalid_argument, "the digest is not a SHA-256");
  if (x.size_bytes == 0 || x.size_bytes > config.image_bytes_max)
    return fail(ec::invalid_argument, "an image of " + std::to_string(x.size_bytes)
                                        + " bytes; at most "
                                        + std::to_string(config.image_bytes_max));
  if (config.links.count(x.link) == 0 || !belongs_to(x.key, x.link))
    return fail(ec::invalid_argument, "key " + to_string(x.key) + " is not of a link of this site");
  size_t open = 0;
  for (auto& y : self->state.transfers)
    open += y.second.ended() ? 0 : 1;
  if (open >= config.transfers_max)
    return fail(ec::busy, std::to_string(open) + " transfers are under way already");
  return caf::none;
}

void end(self_ptr self, incoming& x, std::optional<transfer_verdict> verdict, caf::error error) {
  if (x.ended())
    return;
  self->note("transfer", to_string(x.offer.transfer)
                           + (verdict ? " done" : " failed: " + describe(error)));
  x.verdict = std::move(verdict);
  x.error = std::move(error);
  for (auto& promise : x.waiting)
    if (x.verdict)
      promise.deliver(*x.verdict);
    else
      promise.deliver(x.error);
  x.waiting.clear();
  auto& s = self->state;
  s.ended.push_back(x.offer.transfer);
  if (s.ended.size() > s.config.verdicts_kept) {
    s.transfers.erase(s.ended.front());
    s.ended.pop_front();
  }
}

incoming* find(self_ptr self, const transfer_id& id) {
  auto i = self->state.transfers.find(id);
  return i == self->state.transfers.end() ? nullptr : &i->second;
}

void unload(self_ptr self, const incoming& x) {
  if (!x.vim_image.empty() && !QNFV_MUTANT("refused image stays loaded"))
    self
      ->request(self->state.config.vnf_manager, request_timeout(self),
                unload_image{x.offer.kind, x.vim_image})
      .then([](const accepted&) {},
            [self](const caf::error& why) { self->note("alarm", "unload: " + describe(why)); });
}

void stop_again(self_ptr self, const vnf_id& vnf) {
  self
    ->request(self->state.config.vnf_manager, milliseconds{self->state.config.offer_timeout_ms},
              stop_vnf{vnf})
    .then([](const vnf_info&) {},
          [self](const caf::error& why) { self->note("alarm", "stop: " + describe(why)); });
}

/// The image is in the VIM; start the function.
void create(self_ptr self, incoming& x, std::string digest) {
  x.creating = true;
  auto id = x.offer.transfer;
  self
    ->request(self->state.config.vnf_manager, seconds{self->state.config.install_timeout_s},
              create_vnf{x.offer.vnf, x.offer.image, x.offer.kind, x.vim_image})
    .then(
      [self, id, digest](const vnf_info& vnf) {
        auto* y = find(self, id);
        if (!y || y->cancelled)
          return stop_again(self, vnf.vnf); // The order ended while the VIM was at work.
        end(self, *y, transfer_verdict{id, digest, vnf}, {});
      },
      [self, id](const caf::error& why) {
        auto* y = find(self, id);
        if (!y)
          return;
        unload(self, *y);
        end(self, *y, std::nullopt, why);
      });
}

void receive(self_ptr self, const transfer_id& id) {
  self
    ->request(self->state.config.stream, seconds{self->state.config.transfer_timeout_s},
              await_stream{id})
    .then(
      [self, id](const stream_received& got) {
        auto* x = find(self, id);
        if (!x)
          return;
        x->vim_image = got.vim_image;
        if (x->ended() || x->cancelled)
          return unload(self, *x);
        create(self, *x, got.digest);
      },
      [self, id](const caf::error& why) {
        if (auto* x = find(self, id))
          end(self, *x, std::nullopt, why);
      });
}

caf::result<transfer_accepted> take(self_ptr self, const transfer_offer& x) {
  if (auto no = check_sender(self))
    return no;
  if (auto* known = find(self, x.transfer)) {
    if (known->ended() && known->error)
      return known->error;
    return transfer_accepted{x.transfer};
  }
  if (auto no = check(self, x))
    return no;
  auto& entry = self->state.transfers[x.transfer];
  entry.offer = x;
  entry.trace = current_trace();
  auto id = x.transfer;
  auto promise = self->make_response_promise<transfer_accepted>();
  auto refuse = [self, id, promise](const caf::error& why) mutable {
    promise.deliver(why);
    if (auto* y = find(self, id))
      end(self, *y, std::nullopt, why);
  };
  auto wait = milliseconds{self->state.config.offer_timeout_ms};
  self
    ->request(self->state.config.vnf_manager, wait, load_image{id, x.image, x.kind, x.size_bytes})
    .then(
      [self, id, promise, refuse, wait](const image_sink& place) mutable {
        auto* y = find(self, id);
        if (!y || y->ended()) {
          place.sink->abort();
          promise.deliver(fail(ec::cancelled, "the transfer was cancelled"));
          return;
        }
        accept_stream ask;
        ask.transfer = id;
        ask.link = y->offer.link;
        ask.key = y->offer.key;
        ask.token = y->offer.token;
        ask.digest = y->offer.digest;
        ask.size_bytes = y->offer.size_bytes;
        ask.sink = place.sink;
        self->request(self->state.config.stream, wait, std::move(ask))
          .then(
            [self, id, promise](const accepted&) mutable {
              promise.deliver(transfer_accepted{id});
              receive(self, id);
            },
            [refuse, sink = place.sink](const caf::error& why) mutable {
              sink->abort();
              refuse(why);
            });
      },
      refuse);
  return promise;
}

void cancel(self_ptr self, incoming& x, const std::string& reason) {
  if (x.cancelled)
    return;
  x.cancelled = true;
  auto id = x.offer.transfer;
  self->request(self->state.config.stream, request_timeout(self), close_stream{id, reason})
    .then([](const accepted&) {}, [](const caf::error&) {});
  if (x.verdict)
    stop_again(self, x.offer.vnf); // It runs, but nobody wants it any more.
  end(self, x, std::nullopt, fail(ec::cancelled, reason));
}

} // namespace

mano_gateway_actor::behavior_type
mano_gateway(stateful<mano_gateway_actor, mano_gateway_state>* self, mano_gateway_config config) {
  self->state.config = std::move(config);
  return {
    [self](const transfer_offer& x) { return take(self, x); },
    [self](const transfer_done& x) -> caf::result<transfer_verdict> {
      if (auto no = check_sender(self))
        return no;
      auto* found = find(self, x.transfer);
      if (!found)
        return fail(ec::not_found, "no such transfer here");
      if (found->verdict)
        return *found->verdict;
      if (found->error)
        return found->error;
      found->waiting.push_back(self->make_response_promise<transfer_verdict>());
      return found->waiting.back();
    },
    [self](const transfer_cancel& x) -> caf::result<accepted> {
      if (auto no = check_sender(self))
        return no;
      if (auto* found = find(self, x.transfer))
        cancel(self, *found, x.reason);
      return accepted{};
    },
    [self](const list_vnfs& x) {
      return self->delegate(self->state.config.vnf_manager, x);
    },
    [self](const stop_vnf& x) -> caf::result<vnf_info> {
      if (auto no = check_sender(self))
        return no;
      return self->delegate(self->state.config.vnf_manager, x);
    },
    [](const peer_up&) {},
    [self](const peer_down& x) {
      if (x.site != self->state.config.orchestrator)
        return;
      // What has ended stays as it is: the orchestrator asks again when it is back.
      for (auto& y : self->state.transfers)
        if (!y.second.ended()) {
          trace_scope scope{y.second.trace};
          cancel(self, y.second, x.site.value + " is gone: " + x.reason);
        }
    },
    [](const tick&) {},
  };
}

} // namespace qnfv
