#include "actors/key_pool/key_pool.hpp"

#include "actors/key_pool/mutant.hpp"

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

namespace {

using namespace std::chrono;
using self_ptr = stateful<key_pool_actor, key_pool_state>*;
using reservation = std::shared_ptr<key_reservation>;

pool_entry* find(self_ptr self, const link_id& link) {
  auto i = self->state.links.find(link);
  return i == self->state.links.end() || !i->second.pool ? nullptr : &i->second;
}

caf::error no_link(self_ptr self, const link_id& link) {
  auto i = self->state.links.find(link);
  if (i != self->state.links.end())
    return fail(ec::storage_failed, "the keys of " + link.value + " are sealed: " + i->second.sealed);
  return fail(ec::unknown_link, self->state.config.site.value + " has no end of link " + link.value);
}

/// Key material stays within its site.
bool from_here(self_ptr self) {
  return self->sender_site() == self->env().site;
}

caf::error not_the_peer(self_ptr self) {
  return fail(ec::not_allowed, self->sender_site().value + " is not the other end");
}

milliseconds request_timeout(self_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

/// An alarm when something starts to be wrong, a note when it is well again; once each.
void tell_trouble(self_ptr self, pool_entry& x) {
  auto trouble = x.pool->trouble();
  if (trouble == x.trouble_told)
    return;
  x.trouble_told = trouble;
  self->note(trouble.empty() ? "keys" : "alarm",
             x.setting.link.value + ": " + (trouble.empty() ? "keys are handed out" : trouble));
}

pool_status status_of(self_ptr self, pool_entry& x) {
  auto out = x.pool->status_now(self->now());
  out.weak_blocks = x.weak_blocks;
  return out;
}

void commit(self_ptr self, pool_entry& x, std::function<void()> then) {
  auto link = x.setting.link;
  auto progress = x.pool->progress();
  x.pool->store().commit([self, link, progress, then = std::move(then)](const status& ok) {
    if (!ok) {
      // The store is dead: what was to be promised is not.
      self->note("alarm", link.value + ": " + describe(ok.error()));
      return self->quit(fail(ok.error()));
    }
    auto& durable = self->state.links.at(link).durable_progress;
    durable = std::max(durable, progress);
    then();
  });
}

/// Once per turn of the actor, after everything that one commit released: messages to the peer go out
/// together.
void flush_soon(self_ptr self) {
  if (std::exchange(self->state.flush_due, true))
    return;
  self->send(self, tick{0, "flush"});
}

// -- compare ---------------------------------------------------------------------------------------

bool same(const store_mark& a, const store_mark& b) {
  return a.generation == b.generation && a.instance == b.instance && a.progress == b.progress;
}

void reconcile(self_ptr self, const link_id& link);
void ask_to_confirm(self_ptr self, const link_id& link);

compare_stores durable_mark(pool_entry& x) {
  auto out = x.pool->mark();
  out.mine.progress = x.durable_progress;
  return out;
}

/// Makes the outcome of a comparison durable; when the ends agree, so shall their keys.
void compared(self_ptr self, pool_entry& x, link_pool::comparison outcome,
              std::function<void()> then) {
  tell_trouble(self, x);
  auto link = x.setting.link;
  commit(self, x, [self, link, outcome, then = std::move(then)] {
    then();
    if (outcome != link_pool::comparison::agree)
      return;
    reconcile(self, link);
    ask_to_confirm(self, link);
  });
}

/// Asks the peer where its store stands, then agrees on everything else.
void compare(self_ptr self, const link_id& link, std::function<void(const caf::error&)> then) {
  auto* x = find(self, link);
  if (!x)
    return;
  commit(self, *x, [self, link, then = std::move(then)] {
    auto* y = find(self, link);
    auto question = durable_mark(*y);
    self->request(y->setting.peer_pool, request_timeout(self), question)
      .then(
        [self, link, then, asked = question.yours](const compare_stores& answer) {
          auto* z = find(self, link);
          compared(self, *z, z->pool->compare_answer(answer, asked), [then] { then({}); });
        },
        then);
  });
}

caf::result<compare_stores> answer_compare(self_ptr self, const compare_stores& ask) {
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (self->sender_site() != x->setting.peer)
    return not_the_peer(self);
  auto promise = self->make_response_promise<compare_stores>();
  // What we remembered of them goes into the answer, not what they say now.
  auto before = x->pool->mark().yours;
  auto outcome = x->pool->compare(ask);
  compared(self, *x, outcome, [self, promise, link = ask.link, before]() mutable {
    auto answer = durable_mark(*find(self, link));
    if (!answer.started_over)
      answer.yours = before;
    promise.deliver(answer);
  });
  return promise;
}

// -- confirm ---------------------------------------------------------------------------------------

void retry_confirm(self_ptr self, pool_entry& x, const block_id& block) {
  auto& wait = x.confirm_ms[block.first];
  wait = wait == 0 ? self->state.config.confirm_retry_ms
                   : std::min(2 * wait, self->state.config.request_timeout_ms);
  self->after(milliseconds{wait}, tick{0, "confirm " + x.setting.link.value});
}

std::string name_of(const block_id& block) {
  return block.link.value + " session " + std::to_string(block.session) + " keys "
         + std::to_string(block.first) + "+" + std::to_string(block.count);
}

void confirmed(self_ptr self, const block_id& block, const one_time_tag& tag) {
  auto* x = find(self, block.link);
  auto verdict = x->pool->confirm(block, tag);
  x->confirm_ms.erase(block.first);
  if (verdict == link_pool::verdict::differs)
    self->note("alarm", name_of(block) + ": the two ends hold different bits; destroyed");
  tell_trouble(self, *x);
  commit(self, *x, [self, block, verdict] {
    if (verdict == link_pool::verdict::equal)
      self->note("keys", name_of(block) + " READY");
  });
}

void ask_about(self_ptr self, const block_id& block) {
  auto* x = find(self, block.link);
  auto question = x->pool->ask_confirm(block);
  if (!question) {
    x->confirming.erase({block.session, block.first});
    return tell_trouble(self, *x);
  }
  auto settle = [self, block] {
    auto* y = find(self, block.link);
    y->confirming.erase({block.session, block.first});
    return y;
  };
  commit(self, *x, [self, question = *question, block, settle] {
    self->request(find(self, block.link)->setting.peer_pool, request_timeout(self), question)
      .then(
        [self, block, settle](const block_confirmed& answer) {
          settle();
          confirmed(self, block, answer.tag);
        },
        [self, block, settle](const caf::error& why) {
          auto* y = settle();
          auto code = to_failure(why).code;
          if (code == ec::unknown_key)
            y->pool->forget_tags(block);
          if (code != ec::digest_mismatch)
            return retry_confirm(self, *y, block);
          self->note("alarm", name_of(block) + ": the peer holds different bits; destroyed");
          y->pool->destroy_block(block, "the two copies differ");
          commit(self, *y, [] {});
        });
  });
}

/// Bob's end asks about every block that waits.
void ask_to_confirm(self_ptr self, const link_id& link) {
  auto* x = find(self, link);
  if (!x || x->setting.end != link_end::bob || !x->peer_is_up || !x->pool->blocked().empty())
    return;
  for (auto& block : x->pool->unconfirmed())
    if (x->confirming.insert({block.session, block.first}).second)
      ask_about(self, block);
}

void ingest(self_ptr self, key_block& x) {
  auto* entry = find(self, x.block.link);
  if (!entry || !from_here(self))
    return self->note("alarm", "a key block of " + x.block.link.value + " from "
                                 + self->sender_site().value + " is refused");
  auto ok = entry->pool->may_ingest(x.block, x.material);
  if (ok) {
    ok = entry->gate->judge(x.material);
    if (!ok) {
      ++entry->weak_blocks;
      return self->note("alarm", name_of(x.block) + ": block refused: " + ok.error().text);
    }
    ok = entry->pool->ingest(x.block, x.material, self->now(), x.exposed_to);
  }
  if (!ok)
    return self->note("keys", x.block.link.value + ": block refused: " + describe(ok.error()));
  entry->gate->remember(x.material);
  auto link = x.block.link;
  commit(self, *entry, [self, link] { ask_to_confirm(self, link); });
}

caf::result<block_confirmed> answer_confirm(self_ptr self, const confirm_block& ask) {
  auto* x = find(self, ask.block.link);
  if (!x)
    return no_link(self, ask.block.link);
  if (self->sender_site() != x->setting.peer)
    return not_the_peer(self);
  if (auto why = x->pool->blocked(); !why.empty())
    return fail(ec::busy, ask.block.link.value + ": " + why);
  one_time_tag own{};
  auto verdict = x->pool->answer_confirm(ask, own);
  if (verdict == link_pool::verdict::not_here)
    return fail(ec::busy, "no such block here yet");
  if (verdict == link_pool::verdict::no_tag_keys)
    return fail(ec::unknown_key, "these tag keys are not in the reserve here");
  if (verdict == link_pool::verdict::differs)
    self->note("alarm", name_of(ask.block) + ": the two ends hold different bits; destroyed");
  tell_trouble(self, *x);
  auto promise = self->make_response_promise<block_confirmed>();
  commit(self, *x, [promise, verdict, ask, own]() mutable {
    if (verdict == link_pool::verdict::equal)
      promise.deliver(block_confirmed{ask.block, own});
    else
      promise.deliver(fail(ec::digest_mismatch, "block not confirmed"));
  });
  return promise;
}

// -- hand out --------------------------------------------------------------------------------------

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
  if (QNFV_MUTANT(1)) {
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
          if (QNFV_MUTANT(2))
            continue;
          find(self, link)->pool->destroy(key.parts.front(), describe(why));
          refuse(self, r, why);
        }
        commit(self, *find(self, link), [] {});
      });
}

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
  if (!r->grants.empty())
    x->pool->remember_answered(ask.request);
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
  if (self->sender_site() != x->setting.peer)
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
  if (QNFV_MUTANT(9) || (QNFV_MUTANT(0) && repeated)) {
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
  if (QNFV_MUTANT(5)) {
    deliver();
    commit(self, *x, [] {});
    return promise;
  }
  commit(self, *x, deliver);
  return promise;
}

// -- agree -----------------------------------------------------------------------------------------

/// Asks the peer about everything that this end holds, in bounded pieces.
void reconcile(self_ptr self, const link_id& link) {
  auto* x = find(self, link);
  if (!x || !x->peer_is_up)
    return;
  auto stand = std::make_pair(x->pool->changes(), x->pool->mark().yours);
  if (x->agreed && x->agreed->first == stand.first && same(x->agreed->second, stand.second))
    return;
  x->agreed.reset();
  auto unused = x->pool->unused();
  auto assigned = x->pool->assigned();
  auto limit = self->state.config.reconcile_ids_max;
  auto all = assigned.size() <= limit;
  assigned.resize(std::min<size_t>(assigned.size(), limit)); // The rest in the next round.
  auto pieces = std::max<size_t>(1, (unused.size() + limit - 1) / limit);
  auto in_order = std::make_shared<size_t>(0);
  for (size_t n = 0; n < pieces; ++n) {
    reconcile_keys ask;
    ask.link = link;
    auto begin = unused.begin() + static_cast<long>(n * limit);
    ask.unused.assign(begin, begin + std::min<long>(limit, unused.end() - begin));
    if (n == 0)
      ask.assigned = assigned;
    self->request(x->setting.peer_pool, request_timeout(self), std::move(ask))
      .then(
        [self, link, stand, pieces, in_order, all](const keys_gone& answer) {
          auto* y = find(self, link);
          if (answer.gone.empty() && ++*in_order == pieces && all)
            y->agreed = stand;
          auto buried = y->pool->bury(answer.gone);
          if (buried == 0)
            return;
          self->note("reconcile", link.value + ": " + std::to_string(buried)
                                    + " keys destroyed that the peer has no more");
          commit(self, *y, [] {});
        },
        [](const caf::error&) {}); // Asked again in the next round.
  }
}

caf::result<keys_gone> answer_reconcile(self_ptr self, const reconcile_keys& ask) {
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (self->sender_site() != x->setting.peer)
    return not_the_peer(self);
  uint64_t keys = ask.assigned.size();
  for (auto& range : ask.unused)
    keys += range.count;
  if (ask.unused.size() + ask.assigned.size() > 2 * size_t{self->state.config.reconcile_ids_max}
      || keys > 1u << 20)
    return fail(ec::invalid_argument, "too many keys in one question");
  return keys_gone{ask.link, x->pool->dead(ask.unused, ask.assigned)};
}

caf::result<pool_status> operator_reconcile(self_ptr self, const reconcile_now& ask) {
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (!x->peer_is_up)
    return fail(ec::site_unreachable, x->setting.peer.value + " is not joined");
  if (ask.discard) {
    self->note("alarm", ask.link.value + ": the operator had all keys destroyed");
    x->pool->start_over("the operator discarded a store that was rolled back");
  }
  auto promise = self->make_response_promise<pool_status>();
  compare(self, ask.link, [self, promise, link = ask.link](const caf::error& why) mutable {
    if (why)
      promise.deliver(why);
    else
      promise.deliver(status_of(self, *find(self, link)));
  });
  return promise;
}

void expire(self_ptr self) {
  for (auto& [link, x] : self->state.links) {
    if (!x.pool)
      continue;
    auto n = x.pool->expire(self->now());
    for (auto& name : x.ahead.expire(self->now())) {
      x.pool->destroy(name, "held for users who did not ask again");
      ++n;
    }
    if (n == 0)
      continue;
    self->note("expire", link.value + ": " + std::to_string(n) + " keys destroyed, too old");
    commit(self, x, [] {});
  }
}

/// Every so often: what waited too long, stores not compared yet, pools that may differ.
void look_around(self_ptr self) {
  expire(self);
  for (auto& [link, x] : self->state.links) {
    if (!x.pool || !x.peer_is_up)
      continue;
    compare(self, link, [](const caf::error&) {});
  }
  self->after(seconds{self->state.config.reconcile_s}, tick{0, "reconcile"});
}

void open_pools(self_ptr self) {
  auto& s = self->state;
  auto me = caf::actor_cast<caf::actor_addr>(self);
  auto on_actor = [me](std::function<void()> f) {
    if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
      continue_at(caf::actor_cast<key_pool_actor>(handle), std::move(f));
  };
  for (auto& setting : s.config.links) {
    auto& entry = s.links[setting.link];
    entry.setting = setting;
    auto store = s.config.open_store
                   ? s.config.open_store(setting, on_actor)
                   : result<std::unique_ptr<key_store>>{std::make_unique<volatile_key_store>()};
    if (!store) {
      entry.sealed = describe(store.error());
      self->note("alarm", "the keys of " + setting.link.value + " stay sealed: " + entry.sealed);
      continue;
    }
    link_pool::settings settings;
    settings.link = setting.link;
    settings.end = setting.end;
    settings.peer = setting.peer;
    settings.keys_max = s.config.pool_keys_max;
    settings.confirm_deadline = seconds{s.config.confirm_deadline_s};
    settings.assigned_ttl = seconds{s.config.assigned_ttl_s};
    entry.pool = std::make_unique<link_pool>(settings, std::move(*store), self->now());
    entry.ahead = ahead_stock{s.config.ahead};
    secret digest_key{32};
    self->env().random->fill(digest_key.data(), digest_key.size());
    entry.gate = std::make_unique<quality_gate>(digest_key);
    entry.durable_progress = entry.pool->mark().mine.progress;
    if (entry.pool->damaged() > 0)
      self->note("alarm", setting.link.value + ": " + std::to_string(entry.pool->damaged())
                            + " damaged slots in the journal; their keys are lost");
    if (setting.secret_issue > 0)
      if (auto ok = entry.pool->bootstrap(setting.secret_issue, setting.initial_secret, self->now());
          !ok)
        self->note("alarm", setting.link.value + ": link secret refused: " + describe(ok.error()));
    commit(self, entry, [] {});
  }
}

} // namespace

key_pool_actor::behavior_type key_pool(stateful<key_pool_actor, key_pool_state>* self,
                                       key_pool_config config) {
  self->state.config = std::move(config);
  open_pools(self);
  self->after(seconds{self->state.config.reconcile_s}, tick{0, "reconcile"});
  return {
    [self](key_block& x) { ingest(self, x); },
    [self](const reserve_keys& x) { return reserve(self, x); },
    [self](const claim_keys& x) { return claim(self, x); },
    [self](const compare_stores& x) { return answer_compare(self, x); },
    [self](const confirm_block& x) { return answer_confirm(self, x); },
    [self](const assign_keys& x) { return answer_assign(self, x); },
    [self](const reconcile_keys& x) { return answer_reconcile(self, x); },
    [self](const store_progress& x) {
      auto* entry = find(self, x.link);
      if (entry && self->sender_site() == entry->setting.peer)
        entry->pool->peer_progressed(x.progress);
    },
    [self](const pool_status_query& x) -> caf::result<pool_status> {
      auto* entry = find(self, x.link);
      if (!entry)
        return no_link(self, x.link);
      return status_of(self, *entry);
    },
    [self](const keys_status_query&) {
      keys_status out;
      out.site = self->state.config.site;
      for (auto& [link, x] : self->state.links) {
        if (x.pool) {
          out.pools.push_back(status_of(self, x));
          continue;
        }
        pool_status sealed;
        sealed.link = link;
        sealed.peer = x.setting.peer;
        sealed.end = x.setting.end;
        sealed.trouble = "sealed: " + x.sealed;
        out.pools.push_back(sealed);
      }
      return out;
    },
    [self](const reconcile_now& x) { return operator_reconcile(self, x); },
    [self](const peer_up& x) {
      for (auto& [link, entry] : self->state.links)
        if (entry.setting.peer == x.site && entry.pool) {
          entry.peer_is_up = true;
          compare(self, link, [](const caf::error&) {});
        }
    },
    [self](const peer_down& x) {
      for (auto& entry : self->state.links)
        if (entry.second.setting.peer == x.site)
          entry.second.peer_is_up = false;
    },
    [self](const tick& x) {
      if (x.what == "flush")
        flush(self);
      else if (x.what == "reconcile")
        look_around(self);
      else if (x.what.rfind("confirm ", 0) == 0)
        ask_to_confirm(self, link_id{x.what.substr(8)});
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
