#include "actors/image_stream/image_stream.hpp"

namespace qnfv {

namespace {

using namespace std::chrono;
using self_ptr = stateful<image_stream_actor, image_stream_state>*;

/// As key pools know the streams of a site.
std::string role_name(const site_id& site) {
  return site.value + "/image_stream";
}

stream_entry* find(self_ptr self, const transfer_id& id) {
  auto i = self->state.streams.find(id);
  return i == self->state.streams.end() ? nullptr : &i->second;
}

/// The entry, if its stream is still under way.
stream_entry* under_way(self_ptr self, const transfer_id& id) {
  auto* x = find(self, id);
  return x && !x->end ? x : nullptr;
}

caf::error no_room(self_ptr self) {
  size_t open = 0;
  for (auto& x : self->state.streams)
    open += x.second.end ? 0 : 1;
  if (open < self->state.config.transfers_max)
    return caf::none;
  return fail(ec::busy, std::to_string(open) + " transfers are under way already");
}

void answer(stream_entry& x) {
  auto& end = *x.end;
  if (end.code == ec::none) {
    for (auto& promise : x.sent_promises)
      promise.deliver(stream_sent{end.transfer, end.size_bytes, x.seconds});
    for (auto& promise : x.received_promises)
      promise.deliver(stream_received{end.transfer, end.digest, end.text});
  } else {
    for (auto& promise : x.sent_promises)
      promise.deliver(fail(end.code, end.text));
    for (auto& promise : x.received_promises)
      promise.deliver(fail(end.code, end.text));
  }
  x.sent_promises.clear();
  x.received_promises.clear();
}

void ended(self_ptr self, const pump_finished& end) {
  auto* x = under_way(self, end.transfer);
  if (!x)
    return;
  x->end = end;
  if (x->began != time_point{})
    x->seconds = to_seconds(self->now() - x->began);
  self->note("frames", end.code == ec::none
                         ? "last frame: " + format_bytes(end.size_bytes) + " in "
                             + format_duration(from_seconds(x->seconds))
                         : "ended: " + end.text);
  x->pump.reset();
  x->channel.reset();
  x->sink.reset();
  x->grant.material.wipe();
  answer(*x);
  auto& s = self->state;
  s.ended.push_back(end.transfer);
  if (s.ended.size() > s.config.ended_kept) {
    s.streams.erase(s.ended.front());
    s.ended.pop_front();
  }
}

/// Ends a stream that has no pump yet, or tells its pump to end.
void stop(self_ptr self, const transfer_id& id, const failure& why) {
  auto* x = under_way(self, id);
  if (!x)
    return;
  if (x->pump)
    return x->pump->cancel(why); // It answers with pump_finished.
  if (x->channel)
    x->channel->close();
  if (x->sink)
    x->sink->abort();
  ended(self, {id, why.code, why.text, {}, 0});
}

/// What a pump calls when it has ended, on its thread.
pump_done report_to(self_ptr self, const transfer_id& id, uint64_t size_bytes) {
  auto handle = caf::actor_cast<image_stream_actor>(self);
  return [handle, id, size_bytes, trace = current_trace()](pump_outcome out) {
    trace_scope scope{trace};
    caf::anon_send(handle, pump_finished{id, out.why.code,
                                         out.why.code == ec::none ? out.vim_image : out.why.text,
                                         out.digest, size_bytes});
  };
}

void run(self_ptr self, stream_entry& x, std::shared_ptr<pump> p) {
  x.pump = std::move(p);
  x.began = x.watched_since = self->now();
  x.pump->start();
  self->note("frames", "first frame");
}

// -- sending ---------------------------------------------------------------------------------------

void open_channel_for(self_ptr self, const transfer_id& id,
                      caf::typed_response_promise<stream_opened> promise) {
  auto& out = find(self, id)->outgoing;
  self
    ->request(self->state.config.channel, milliseconds{self->state.config.channel_timeout_ms},
              open_channel{out.site, out.address, id, out.token})
    .then(
      [self, id, promise](const channel_opened& opened) mutable {
        auto* x = under_way(self, id);
        if (!x) {
          opened.channel->close();
          promise.deliver(fail(ec::cancelled, "the transfer was closed"));
          return;
        }
        x->channel = opened.channel;
        promise.deliver(stream_opened{id, x->grant.id});
      },
      [self, id, promise](const caf::error& why) mutable {
        // The key was for this stream alone: it is spent.
        stop(self, id, to_failure(why));
        promise.deliver(why);
      });
}

caf::result<stream_opened> open(self_ptr self, const open_stream& ask) {
  if (find(self, ask.transfer))
    return fail(ec::already_exists, "this transfer is known");
  if (auto no = no_room(self))
    return no;
  auto& x = self->state.streams[ask.transfer];
  x.sends = true;
  x.site = ask.site;
  x.trace = current_trace();
  x.outgoing = ask;
  auto promise = self->make_response_promise<stream_opened>();
  auto id = ask.transfer;
  // A fresh request each time: what an earlier try was given is gone.
  request_id request{self->env().random->bytes_of<std::array<uint8_t, 16>>()};
  auto timeout = milliseconds{8 * self->state.config.request_timeout_ms};
  key_users users{role_name(self->env().site), {role_name(ask.site)}};
  self
    ->request(self->state.config.key_pool, timeout,
              reserve_keys{ask.link, 1, key_bits, request, users, ask.again})
    .then(
      [self, id, promise](key_grants& grants) mutable {
        auto* y = under_way(self, id);
        auto& grant = grants.keys.front();
        if (!y) {
          grant.material.wipe();
          promise.deliver(fail(ec::cancelled, "the transfer was closed"));
          return;
        }
        y->grant = grant;
        open_channel_for(self, id, promise);
      },
      [self, id, promise](const caf::error& why) mutable {
        self->state.streams.erase(id);
        promise.deliver(why);
      });
  return promise;
}

caf::result<stream_sent> send(self_ptr self, const transfer_id& id) {
  auto* x = find(self, id);
  if (!x || !x->sends || (!x->end && !x->channel))
    return fail(ec::not_found, "no such stream is open here");
  x->sent_promises.push_back(self->make_response_promise<stream_sent>());
  auto promise = x->sent_promises.back();
  if (x->end) {
    answer(*x);
    return promise;
  }
  if (x->pump)
    return promise;
  x->trace = current_trace();
  auto& config = self->state.config;
  qvs1::header head;
  head.segment_log2 = config.segment_log2;
  head.key = x->grant.id;
  head.salt = self->env().random->bytes_of<std::array<uint8_t, 16>>();
  head.plaintext_bytes = x->outgoing.size_bytes;
  head.stream = id;
  auto cipher = qvs1::cipher::seal(x->grant.material, head);
  auto file = self->env().storage->open(x->outgoing.file);
  x->grant.material.wipe();
  if (!cipher || !file) {
    stop(self, id, cipher ? file.error() : cipher.error());
    return promise;
  }
  sender_settings settings;
  settings.file = *file;
  settings.size_bytes = x->outgoing.size_bytes;
  settings.channel = x->channel;
  settings.segments_in_flight = config.segments_in_flight;
  run(self, *x, make_sender(self->env().io, std::move(*cipher), settings,
                            report_to(self, id, settings.size_bytes)));
  return promise;
}

// -- receiving -------------------------------------------------------------------------------------

void receive(self_ptr self, const accept_stream& ask) {
  self
    ->request(self->state.config.channel, milliseconds{self->state.config.channel_timeout_ms},
              expect_channel{ask.transfer, ask.token})
    .then(
      [self, ask](const channel_opened& opened) {
        auto* x = under_way(self, ask.transfer);
        if (!x)
          return opened.channel->close();
        receiver_settings settings;
        settings.key = std::move(x->grant.material);
        settings.id = ask.key;
        settings.stream = ask.transfer;
        settings.size_bytes = ask.size_bytes;
        settings.digest = ask.digest;
        settings.channel = opened.channel;
        settings.sink = ask.sink;
        settings.segments_in_flight = self->state.config.segments_in_flight;
        x->channel = opened.channel;
        // From here on it follows from what the sender does.
        trace_scope scope{opened.opener ? opened.opener : current_trace()};
        run(self, *x, make_receiver(self->env().io, std::move(settings),
                                    report_to(self, ask.transfer, ask.size_bytes)));
      },
      [self, id = ask.transfer](const caf::error& why) { stop(self, id, to_failure(why)); });
}

caf::result<accepted> accept(self_ptr self, const accept_stream& ask) {
  if (find(self, ask.transfer))
    return fail(ec::already_exists, "this transfer is known");
  if (auto no = no_room(self))
    return no;
  auto& x = self->state.streams[ask.transfer];
  x.site = self->state.config.orchestrator;
  x.trace = current_trace();
  x.sink = ask.sink;
  auto promise = self->make_response_promise<accepted>();
  claim_keys claim{ask.link, {ask.key}, role_name(self->state.config.orchestrator),
                   role_name(self->env().site)};
  self
    ->request(self->state.config.key_pool, milliseconds{self->state.config.request_timeout_ms}, claim)
    .then(
      [self, ask, promise](key_grants& grants) mutable {
        auto* y = under_way(self, ask.transfer);
        auto& grant = grants.keys.front();
        if (!y) {
          grant.material.wipe();
          promise.deliver(fail(ec::cancelled, "the transfer was closed"));
          return;
        }
        y->grant = grant;
        promise.deliver(accepted{});
        receive(self, ask);
      },
      [self, id = ask.transfer, promise](const caf::error& why) mutable {
        stop(self, id, to_failure(why));
        promise.deliver(why);
      });
  return promise;
}

/// A channel over which no byte has come for too long is broken, whatever TCP thinks.
void watch(self_ptr self) {
  auto idle = milliseconds{self->state.config.channel_idle_ms};
  for (auto& [id, x] : self->state.streams) {
    if (x.end || !x.pump || !x.pump->needs_channel())
      continue;
    if (x.pump->done_bytes() != x.watched_bytes) {
      x.watched_bytes = x.pump->done_bytes();
      x.watched_since = self->now();
    } else if (self->now() - x.watched_since >= idle) {
      x.pump->cancel({ec::channel_failed, "no byte for " + format_duration(idle)});
    }
  }
  self->after(idle / 4, tick{0, "watch"});
}

} // namespace

image_stream_actor::behavior_type
image_stream(stateful<image_stream_actor, image_stream_state>* self, image_stream_config config) {
  self->state.config = std::move(config);
  self->after(milliseconds{self->state.config.channel_idle_ms} / 4, tick{0, "watch"});
  return {
    [self](const open_stream& x) { return open(self, x); },
    [self](const run_stream& x) { return send(self, x.transfer); },
    [self](const stream_progress_query& x) {
      auto* found = find(self, x.transfer);
      uint64_t n = found && found->pump ? found->pump->done_bytes() : 0;
      return stream_progress{x.transfer, found && found->end ? found->end->size_bytes : n};
    },
    [self](const accept_stream& x) { return accept(self, x); },
    [self](const await_stream& x) -> caf::result<stream_received> {
      auto* found = find(self, x.transfer);
      if (!found || found->sends)
        return fail(ec::not_found, "no such stream arrives here");
      found->received_promises.push_back(self->make_response_promise<stream_received>());
      auto promise = found->received_promises.back();
      if (found->end)
        answer(*found);
      return promise;
    },
    [self](const close_stream& x) {
      stop(self, x.transfer, {ec::cancelled, x.reason});
      return accepted{};
    },
    [self](const pump_finished& x) { ended(self, x); },
    [](const peer_up&) {},
    [self](const peer_down& x) {
      std::vector<transfer_id> broken;
      for (auto& [id, y] : self->state.streams)
        if (!y.end && y.site == x.site)
          broken.push_back(id);
      for (auto& id : broken) {
        trace_scope scope{find(self, id)->trace};
        stop(self, id, {ec::site_unreachable, x.site.value + " is gone: " + x.reason});
      }
    },
    [self](const tick&) { watch(self); },
  };
}

} // namespace qnfv
