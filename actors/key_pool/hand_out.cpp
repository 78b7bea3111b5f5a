#include "actors/key_pool/steps.hpp"
#include "runtime/base/mutant.hpp"

#include <algorithm>

namespace qnfv {

/// Several keys may be asked for at once: the request ends when each has ended.
struct key_reservation {
  link_id link;
  request_id request;
  uint32_t size_bits = key_bits;
  key_users users;
  caf::typed_response_promise<key_grants> promise;
  std::map<key_id, key_assignment> waiting; ///< Reserved, not yet consumed, by name.
  std::vector<key_grant> grants;
  uint32_t keys_missing = 0; ///< Still to be reserved.
  uint32_t keys_tried = 0;
  uint32_t numbered = 0;     ///< Keys reserved so far: each has a request id of its own.
  bool ahead = false;        ///< Nobody waits: the keys go to the stock.
  bool ended = false;
};

namespace pool_steps {

namespace {

using namespace std::chrono;

using reservation = std::shared_ptr<key_reservation>;

void reserve_more(self_ptr self, const reservation& r);

void end(self_ptr self, const reservation& r) {
  r->ended = true;
  find(self, r->link)->under_way.erase(r->request);
}

/// What it still holds is given up: nobody will ever have it.
void refuse(self_ptr self, const reservation& r, const failure& why) {
  if (r->ended)
    return;
  end(self, r);
  auto* x = find(self, r->link);
  for (auto& waiting : r->waiting)
    x->pool->destroy(waiting.first, "the request failed: " + describe(why));
  auto lacking = r->keys_missing + r->waiting.size();
  r->waiting.clear();
  if (r->ahead) {
    for (; lacking > 0; --lacking)
      x->ahead.failed(r->users, r->size_bits);
    return commit(self, *x, [] {});
  }
  commit(self, *x, [r, why] { r->promise.deliver(fail(why)); });
}

void deliver_if_complete(self_ptr self, const reservation& r) {
  if (r->ended || r->keys_missing > 0 || !r->waiting.empty())
    return;
  end(self, r);
  if (r->ahead)
    return;
  auto grants = std::make_shared<key_grants>(key_grants{std::move(r->grants)});
  auto deliver = [self, r, grants] {
    if (self->env().recorder)
      for (auto& x : grants->keys)
        self->note("key", to_string(x.id) + " CONSUMED");
    r->promise.deliver(std::move(*grants));
  };
  if (QNFV_MUTANT("delivery before consume")) {
    deliver();
    return commit(self, *find(self, r->link), [] {});
  }
  commit(self, *find(self, r->link), deliver);
}

/// The peer holds it, durably.
void assigned(self_ptr self, const reservation& r, const key_assignment& key) {
  auto name = key.parts.front();
  if (r->ended || r->waiting.erase(name) == 0)
    return;
  if (r->ahead)
    return find(self, r->link)->ahead.put(key, self->now());
  auto& pool = *find(self, r->link)->pool;
  auto bits = pool.consume(name);
  if (!bits) // Destroyed meanwhile.
    return refuse(self, r, bits.error());
  r->grants.push_back({name, *bits, pool.exposure_of(name)});
}

/// The peer lacks it: it is given up, and another one taken.
void not_assigned(self_ptr self, const reservation& r, const key_id& name) {
  find(self, r->link)->pool->destroy(name, "the peer lacks it");
  if (r->ended || r->waiting.erase(name) == 0)
    return;
  ++r->keys_missing;
  if (++r->keys_tried >= self->state.config.keys_tried_max)
    return refuse(self, r, {ec::key_exhausted, "the peer lacks the keys of this end"});
}

using batch = std::vector<std::pair<key_assignment, reservation>>;

void send_batch(self_ptr self, const link_id& link, std::shared_ptr<batch> keys, uint32_t tries) {
  auto* x = find(self, link);
  assign_keys ask{link, x->durable_progress, {}};
  for (auto& key : *keys)
    ask.keys.push_back(key.first);
  self->request(x->setting.peer_pool, request_timeout(self), std::move(ask))
    .then(
      [self, link, keys](const keys_assigned& answer) {
        auto* y = find(self, link);
        y->pool->peer_progressed(answer.progress);
        std::set<key_id> held{answer.held.begin(), answer.held.end()};
        std::set<reservation> touched;
        for (auto& [key, r] : *keys) {
          auto name = key.parts.front();
          held.count(name) > 0 ? assigned(self, r, key) : not_assigned(self, r, name);
          touched.insert(r);
        }
        for (auto& r : touched) {
          if (r->keys_missing > 0 && !r->ended)
            reserve_more(self, r);
          deliver_if_complete(self, r);
        }
      },
      [self, link, keys, tries](const caf::error& error) {
        auto why = to_failure(error);
        auto no_answer = why.code == ec::maybe_executed || why.code == ec::site_unreachable;
        if (no_answer && tries < self->state.config.assign_tries)
          return send_batch(self, link, keys, tries + 1);
        // The peer may hold them or not: either way they are never handed out.
        for (auto& [key, r] : *keys) {
          if (QNFV_MUTANT("reserved key free again"))
            continue;
          find(self, link)->pool->destroy(key.parts.front(), describe(why));
          refuse(self, r, why);
        }
        commit(self, *find(self, link), [] {});
      });
}

} // namespace

void flush(self_ptr self) {
  self->state.flush_due = false;
  auto limit = self->state.config.assign_batch_max;
  for (auto& [link, x] : self->state.links) {
    auto keys = std::exchange(x.to_assign, {});
    for (size_t at = 0; at < keys.size(); at += limit) {
      auto last = std::min<size_t>(keys.size(), at + limit);
      send_batch(self, link,
                 std::make_shared<batch>(keys.begin() + static_cast<long>(at),
                                         keys.begin() + static_cast<long>(last)),
                 1);
    }
    if (std::exchange(x.progress_due, false) && x.peer_is_up)
      self->send(x.setting.peer_pool, store_progress{link, x.durable_progress});
  }
}

namespace {

/// Every key of a request has a request id of its own: the first one's is the caller's.
request_id numbered(const request_id& request, uint32_t n) {
  auto out = request;
  uint8_t number[4];
  store_be32(number, n);
  for (size_t i = 0; i < sizeof number; ++i)
    out.value[i] ^= number[i];
  return out;
}

void reserve_more(self_ptr self, const reservation& r) {
  auto* x = find(self, r->link);
  std::vector<key_assignment> fresh;
  for (; r->keys_missing > 0; --r->keys_missing) {
    auto key =
      x->pool->reserve(numbered(r->request, r->numbered++), r->users, r->size_bits, self->now());
    if (!key)
      return refuse(self, r, key.error());
    r->waiting[key->parts.front()] = *key;
    fresh.push_back(std::move(*key));
  }
  commit(self, *x, [self, r, fresh] {
    auto& queue = find(self, r->link)->to_assign;
    for (auto& key : fresh)
      if (!r->ended)
        queue.emplace_back(key, r);
    flush_soon(self);
  });
}

reservation begin(const reserve_keys& ask) {
  auto r = std::make_shared<key_reservation>();
  r->link = ask.link;
  r->request = ask.request;
  r->size_bits = ask.size_bits;
  r->users = ask.users;
  r->keys_missing = ask.count;
  return r;
}

/// Has the peer hold keys for users who will ask again in a moment.
void prepare(self_ptr self, const reserve_keys& ask, uint32_t count) {
  auto r = begin(ask);
  r->request = request_id{self->env().random->bytes_of<std::array<uint8_t, 16>>()};
  r->keys_missing = count;
  r->ahead = true;
  reserve_more(self, r);
}

/// As many as the peer holds already.
void take_prepared(pool_entry& x, const reservation& r) {
  while (r->keys_missing > 0) {
    auto key = x.ahead.take(r->users, r->size_bits);
    if (!key)
      return;
    auto name = key->parts.front();
    auto bits = x.pool->consume(name);
    if (!bits)
      continue; // Destroyed meanwhile.
    r->grants.push_back({name, *bits, x.pool->exposure_of(name)});
    --r->keys_missing;
  }
}

} // namespace

caf::result<key_grants> reserve(self_ptr self, const reserve_keys& ask) {
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (!from_here(self))
    return fail(ec::not_allowed, "keys do not leave their site");
  if (ask.count == 0 || ask.count > self->state.config.keys_per_request_max
      || ask.users.slaves.empty())
    return fail(ec::invalid_argument, "1 to "
                                        + std::to_string(self->state.config.keys_per_request_max)
                                        + " keys at a time, for at least one slave");
  if (!ask.again)
    x->pool->count_demand(uint64_t{ask.count} * ask.size_bits, self->now());
  if (auto why = x->pool->blocked(); !why.empty())
    return fail(ec::busy, ask.link.value + ": " + why);
  if (!x->peer_is_up)
    return fail(ec::site_unreachable, x->setting.peer.value + " is not joined");
  if (!x->under_way.insert(ask.request).second)
    return fail(ec::busy, "this request is being answered");
  if (auto ok = x->pool->may_ask(ask.request, ask.size_bits); !ok) {
    x->under_way.erase(ask.request);
    return fail(ok.error());
  }
  // All or none: a request that cannot be served whole costs no key.
  auto prepared = x->ahead.count(ask.users, ask.size_bits);
  if (prepared < ask.count)
    if (auto ok = x->pool->has(ask.count - prepared, ask.size_bits); !ok) {
      x->under_way.erase(ask.request);
      return fail(ok.error());
    }
  auto r = begin(ask);
  r->promise = self->make_response_promise<key_grants>();
  auto promise = r->promise;
  take_prepared(*x, r);
  if (!r->grants.empty()) {
    x->pool->remember_answered(ask.request);
    r->numbered = 1; // The caller's own id is spent.
  }
  if (r->keys_missing > 0)
    reserve_more(self, r);
  deliver_if_complete(self, r);
  if (auto n = x->ahead.ask(ask.users, ask.size_bits, ask.count, self->now()); n > 0)
    prepare(self, ask, n);
  return promise;
}

caf::result<keys_assigned> answer_assign(self_ptr self, const assign_keys& ask) {
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (self->sender_site() != x->setting.peer && !QNFV_MUTANT("any site may assign"))
    return not_the_peer(self);
  if (ask.keys.size() > self->state.config.assign_batch_max)
    return fail(ec::invalid_argument, "too many keys in one message");
  if (auto why = x->pool->blocked(); !why.empty())
    return fail(ec::busy, ask.link.value + ": " + why);
  x->pool->peer_progressed(ask.progress);
  auto held = std::make_shared<keys_assigned>(keys_assigned{ask.link, 0, {}});
  bool repeated = false;
  for (auto& key : ask.keys) {
    repeated = repeated
               || (!key.parts.empty() && x->pool->state_of(key.parts.front()) == key_state::assigned);
    if (x->pool->assign(key, self->now()))
      held->held.push_back(key.parts.front());
  }
  auto promise = self->make_response_promise<keys_assigned>();
  auto answer = [self, promise, held]() mutable {
    held->progress = find(self, held->link)->durable_progress;
    if (self->env().recorder)
      for (auto& id : held->held)
        self->note("key", to_string(id) + " ASSIGNED");
    promise.deliver(std::move(*held));
  };
  if (QNFV_MUTANT("acknowledged before durable")
      || (QNFV_MUTANT("repeated assignment unrecorded") && repeated)) {
    answer();
    commit(self, *x, [] {});
    return promise;
  }
  // Also for a repeated request: the first one's commit may still be under way.
  commit(self, *x, answer);
  return promise;
}

caf::result<key_grants> claim(self_ptr self, const claim_keys& ask) {
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (!from_here(self))
    return fail(ec::not_allowed, "keys do not leave their site");
  if (auto why = x->pool->blocked(); !why.empty())
    return fail(ec::busy, ask.link.value + ": " + why);
  if (ask.keys.empty() || ask.keys.size() > self->state.config.keys_per_request_max)
    return fail(ec::invalid_argument, "1 to "
                                        + std::to_string(self->state.config.keys_per_request_max)
                                        + " keys at a time");
  for (auto& id : ask.keys)
    if (auto ok = x->pool->may_claim(id, ask.master, ask.slave); !ok)
      return fail(ok.error());
  auto grants = std::make_shared<key_grants>();
  for (auto& id : ask.keys) {
    auto bits = x->pool->claim(id, ask.master, ask.slave, self->now());
    if (!bits) {
      auto why = bits.error();
      commit(self, *x, [] {});
      return fail(why);
    }
    grants->keys.push_back({id, *bits, x->pool->exposure_of(id)});
  }
  auto promise = self->make_response_promise<key_grants>();
  auto deliver = [self, promise, grants, link = ask.link]() mutable {
    if (self->env().recorder)
      for (auto& key : grants->keys)
        self->note("key", to_string(key.id) + " CONSUMED");
    find(self, link)->progress_due = true;
    flush_soon(self);
    promise.deliver(std::move(*grants));
  };
  if (QNFV_MUTANT("delivery before record")) {
    deliver();
    commit(self, *x, [] {});
    return promise;
  }
  commit(self, *x, deliver);
  return promise;
}

} // namespace pool_steps

} // namespace qnfv
