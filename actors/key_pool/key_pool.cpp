#include "actors/key_pool/key_pool.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono;
using self_ptr = stateful<key_pool_actor, key_pool_state>*;
using grant_promise = caf::typed_response_promise<key_grant>;

pool_entry* find(self_ptr self, const link_id& link) {
  auto i = self->state.links.find(link);
  return i == self->state.links.end() ? nullptr : &i->second;
}

caf::error no_link(self_ptr self, const link_id& link) {
  return fail(ec::unknown_link, self->state.config.site.value + " has no end of link " + link.value);
}

/// Key material stays within its site.
bool from_here(self_ptr self) {
  return self->sender_site() == self->env().site;
}

milliseconds request_timeout(self_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

void commit(self_ptr self, pool_entry& x, std::function<void()> then) {
  auto link = x.setting.link.value;
  x.pool->store().commit([self, link, then = std::move(then)](const status& ok) {
    if (!ok) {
      // The store is dead: what was to be promised is not.
      self->note("alarm", link + ": " + describe(ok.error()));
      return self->quit(fail(ok.error()));
    }
    then();
  });
}

// -- confirm ---------------------------------------------------------------------------------------

void ask_to_confirm(self_ptr self, const link_id& link);

void retry_confirm(self_ptr self, pool_entry& x, const block_id& block) {
  auto& wait = x.confirm_ms[block.first];
  wait = wait == 0 ? self->state.config.confirm_retry_ms
                   : std::min(2 * wait, self->state.config.request_timeout_ms);
  self->after(milliseconds{wait}, tick{0, "confirm " + x.setting.link.value});
}

void confirmed(self_ptr self, const block_id& block, const one_time_tag& tag) {
  auto* x = find(self, block.link);
  auto verdict = x->pool->confirm(block, tag);
  auto name = block.link.value + " session " + std::to_string(block.session) + " keys "
              + std::to_string(block.first) + "+" + std::to_string(block.count);
  if (verdict == link_pool::verdict::differs)
    self->note("alarm", name + ": the two ends hold different bits; destroyed");
  commit(self, *x, [self, name, verdict] {
    if (verdict == link_pool::verdict::equal)
      self->note("keys", name + " READY");
  });
}

/// Bob's end asks about every block that waits.
void ask_to_confirm(self_ptr self, const link_id& link) {
  auto* x = find(self, link);
  if (!x || x->setting.end != link_end::bob || !x->peer_is_up)
    return;
  for (auto& block : x->pool->unconfirmed()) {
    if (!x->confirming.insert({block.session, block.first}).second)
      continue;
    auto settle = [self, block] {
      auto* y = find(self, block.link);
      y->confirming.erase({block.session, block.first});
      return y;
    };
    self
      ->request(x->setting.peer_pool, request_timeout(self),
                confirm_block{block, *x->pool->own_tag(block)})
      .then(
        [self, block, settle](const block_confirmed& answer) {
          settle();
          confirmed(self, block, answer.tag);
        },
        [self, block, settle](const caf::error& why) {
          auto* y = settle();
          if (to_failure(why).code != ec::digest_mismatch)
            return retry_confirm(self, *y, block);
          self->note("alarm", block.link.value + ": the peer holds different bits; destroyed");
          y->pool->destroy_block(block, "the two copies differ");
          commit(self, *y, [] {});
        });
  }
}

void ingest(self_ptr self, key_block& x) {
  auto* entry = find(self, x.block.link);
  if (!entry || !from_here(self))
    return self->note("alarm", "a key block of " + x.block.link.value + " from "
                                 + self->sender_site().value + " is refused");
  auto ok = entry->pool->ingest(x.block, x.material, self->now());
  if (!ok)
    return self->note("keys", x.block.link.value + ": block refused: " + describe(ok.error()));
  auto link = x.block.link;
  commit(self, *entry, [self, link] { ask_to_confirm(self, link); });
}

caf::result<block_confirmed> answer_confirm(self_ptr self, const confirm_block& ask) {
  auto* x = find(self, ask.block.link);
  if (!x)
    return no_link(self, ask.block.link);
  if (self->sender_site() != x->setting.peer)
    return fail(ec::not_allowed, self->sender_site().value + " is not the other end");
  auto before = x->pool->remembered_tag(ask.block);
  auto own = before ? before : x->pool->own_tag(ask.block);
  if (!own)
    return fail(ec::unknown_key, "no such block here");
  auto verdict = x->pool->confirm(ask.block, ask.tag);
  auto promise = self->make_response_promise<block_confirmed>();
  commit(self, *x, [self, promise, verdict, ask, tag = *own]() mutable {
    if (verdict == link_pool::verdict::equal) {
      promise.deliver(block_confirmed{ask.block, tag});
      return;
    }
    if (verdict == link_pool::verdict::differs)
      self->note("alarm", ask.block.link.value + ": the two ends hold different bits; destroyed");
    promise.deliver(fail(verdict == link_pool::verdict::differs ? ec::digest_mismatch
                                                                 : ec::unknown_key,
                         "block not confirmed"));
  });
  return promise;
}

// -- hand out --------------------------------------------------------------------------------------

struct reservation {
  link_id link;
  request_id request;
  grant_promise promise;
  uint32_t keys_tried = 0;
  uint32_t tries = 0;
};

void take_next(self_ptr self, std::shared_ptr<reservation> r);

void end(self_ptr self, const reservation& r) {
  find(self, r.link)->under_way.erase(r.request);
}

void refuse(self_ptr self, const std::shared_ptr<reservation>& r, const failure& why) {
  end(self, *r);
  r->promise.deliver(fail(why));
}

void deliver(self_ptr self, const std::shared_ptr<reservation>& r, const key_id& id) {
  auto* x = find(self, r->link);
  auto bits = x->pool->consume(id);
  if (!bits) // Destroyed meanwhile: the peer had it no more.
    return refuse(self, r, bits.error());
  commit(self, *x, [self, r, id, bits = *bits] {
    self->note("key", to_string(id) + " CONSUMED");
    end(self, *r);
    r->promise.deliver(key_grant{id, bits});
  });
}

void assign(self_ptr self, std::shared_ptr<reservation> r, const key_id& id) {
  auto* x = find(self, r->link);
  self->request(x->setting.peer_pool, request_timeout(self), assign_key{r->link, id, r->request})
    .then([self, r, id](const key_assigned&) { deliver(self, r, id); },
          [self, r, id](const caf::error& error) {
            auto why = to_failure(error);
            auto* y = find(self, r->link);
            bool no_answer = why.code == ec::maybe_executed || why.code == ec::site_unreachable;
            if (no_answer && ++r->tries < self->state.config.assign_tries)
              return assign(self, r, id);
            // The peer lacks it, or may hold it: either way it is never handed out.
            y->pool->destroy(id, describe(why));
            commit(self, *y, [self, r, why, no_answer] {
              if (no_answer)
                return refuse(self, r, why);
              r->tries = 0;
              if (++r->keys_tried >= self->state.config.keys_tried_max)
                return refuse(self, r, {ec::key_exhausted, "the peer lacks the keys of this end: "
                                                             + describe(why)});
              take_next(self, r);
            });
          });
}

void take_next(self_ptr self, std::shared_ptr<reservation> r) {
  auto* x = find(self, r->link);
  auto id = x->pool->reserve(r->request, key_bits, self->now());
  if (!id)
    return refuse(self, r, id.error());
  commit(self, *x, [self, r, id = *id] {
    self->note("key", to_string(id) + " RESERVED");
    assign(self, r, id);
  });
}

caf::result<key_grant> reserve(self_ptr self, const reserve_key& ask) {
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (!from_here(self))
    return fail(ec::not_allowed, "keys do not leave their site");
  if (ask.size_bits != key_bits)
    return fail(ec::invalid_argument, "keys have " + std::to_string(key_bits) + " bits");
  x->pool->count_demand(ask.size_bits, self->now());
  if (!x->peer_is_up)
    return fail(ec::key_exhausted, x->setting.peer.value + " is not joined");
  if (!x->under_way.insert(ask.request).second)
    return fail(ec::busy, "this request is being answered");
  auto r = std::make_shared<reservation>();
  r->link = ask.link;
  r->request = ask.request;
  r->promise = self->make_response_promise<key_grant>();
  auto promise = r->promise;
  take_next(self, std::move(r));
  return promise;
}

caf::result<key_assigned> answer_assign(self_ptr self, const assign_key& ask) {
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (self->sender_site() != x->setting.peer)
    return fail(ec::not_allowed, self->sender_site().value + " is not the other end");
  auto ok = x->pool->assign(ask.id, ask.request, self->now());
  if (!ok)
    return fail(ok.error());
  auto promise = self->make_response_promise<key_assigned>();
  // Also for a repeated request: the first one's commit may still be under way.
  commit(self, *x, [self, promise, id = ask.id]() mutable {
    self->note("key", to_string(id) + " ASSIGNED");
    promise.deliver(key_assigned{id});
  });
  return promise;
}

caf::result<key_grant> claim(self_ptr self, const claim_key& ask) {
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (!from_here(self))
    return fail(ec::not_allowed, "keys do not leave their site");
  if (x->pool->state_of(ask.id) != key_state::assigned)
    return fail(ec::unknown_key, "no key " + to_string(ask.id) + " is held for anybody here");
  auto bits = x->pool->consume(ask.id);
  if (!bits)
    return fail(bits.error());
  auto promise = self->make_response_promise<key_grant>();
  commit(self, *x, [self, promise, id = ask.id, bits = *bits]() mutable {
    self->note("key", to_string(id) + " CONSUMED");
    promise.deliver(key_grant{id, bits});
  });
  return promise;
}

// -- agree -----------------------------------------------------------------------------------------

/// Asks the peer about everything that this end holds, in bounded pieces.
void reconcile(self_ptr self, const link_id& link) {
  auto* x = find(self, link);
  if (!x || !x->peer_is_up)
    return;
  auto ready = x->pool->ready();
  auto assigned = x->pool->assigned();
  auto limit = self->state.config.reconcile_ids_max;
  assigned.resize(std::min<size_t>(assigned.size(), limit)); // The rest in the next round.
  for (size_t at = 0; at < ready.size() || at == 0; at += limit) {
    reconcile_keys ask;
    ask.link = link;
    auto begin = ready.begin() + static_cast<long>(std::min(at, ready.size()));
    ask.ready.assign(begin, begin + std::min<long>(limit, ready.end() - begin));
    if (at == 0)
      ask.assigned = assigned;
    if (ask.ready.empty() && ask.assigned.empty())
      return;
    self->request(x->setting.peer_pool, request_timeout(self), std::move(ask))
      .then(
        [self, link](const keys_gone& answer) {
          auto* y = find(self, link);
          auto n = y->pool->bury(answer.gone);
          if (n == 0)
            return;
          self->note("reconcile", link.value + ": " + std::to_string(n)
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
    return fail(ec::not_allowed, self->sender_site().value + " is not the other end");
  if (ask.ready.size() + ask.assigned.size() > 2 * size_t{self->state.config.reconcile_ids_max})
    return fail(ec::invalid_argument, "too many keys in one question");
  return keys_gone{ask.link, x->pool->dead(ask.ready, ask.assigned)};
}

void expire(self_ptr self) {
  for (auto& [link, x] : self->state.links) {
    auto n = x.pool->expire(self->now());
    if (n == 0)
      continue;
    self->note("expire", link.value + ": " + std::to_string(n) + " keys destroyed, too old");
    commit(self, x, [] {});
  }
}

} // namespace

key_pool_actor::behavior_type key_pool(stateful<key_pool_actor, key_pool_state>* self,
                                       key_pool_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  auto me = caf::actor_cast<caf::actor_addr>(self);
  auto on_actor = [me](std::function<void()> f) {
    if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
      continue_at(caf::actor_cast<key_pool_actor>(handle), std::move(f));
  };
  for (auto& setting : s.config.links) {
    link_pool::settings settings;
    settings.link = setting.link;
    settings.end = setting.end;
    settings.peer = setting.peer;
    settings.keys_max = s.config.pool_keys_max;
    settings.confirm_deadline = seconds{s.config.confirm_deadline_s};
    settings.assigned_ttl = seconds{s.config.assigned_ttl_s};
    auto store = s.config.open_store ? s.config.open_store(setting.link, on_actor)
                                     : std::make_unique<volatile_key_store>();
    auto& entry = s.links[setting.link];
    entry.setting = setting;
    entry.pool = std::make_unique<link_pool>(settings, std::move(store), self->now());
  }
  self->after(seconds{s.config.reconcile_s}, tick{0, "reconcile"});
  return {
    [self](key_block& x) { ingest(self, x); },
    [self](const reserve_key& x) { return reserve(self, x); },
    [self](const claim_key& x) { return claim(self, x); },
    [self](const confirm_block& x) { return answer_confirm(self, x); },
    [self](const assign_key& x) { return answer_assign(self, x); },
    [self](const reconcile_keys& x) { return answer_reconcile(self, x); },
    [self](const pool_status_query& x) -> caf::result<pool_status> {
      auto* entry = find(self, x.link);
      if (!entry)
        return no_link(self, x.link);
      return entry->pool->status_now(self->now());
    },
    [self](const keys_status_query&) {
      keys_status out;
      out.site = self->state.config.site;
      for (auto& x : self->state.links)
        out.pools.push_back(x.second.pool->status_now(self->now()));
      return out;
    },
    [self](const peer_up& x) {
      for (auto& [link, entry] : self->state.links)
        if (entry.setting.peer == x.site) {
          entry.peer_is_up = true;
          reconcile(self, link);
          ask_to_confirm(self, link);
        }
    },
    [self](const peer_down& x) {
      for (auto& entry : self->state.links)
        if (entry.second.setting.peer == x.site)
          entry.second.peer_is_up = false;
    },
    [self](const tick& x) {
      if (x.what == "reconcile") {
        expire(self);
        for (auto& entry : self->state.links)
          reconcile(self, entry.first);
        self->after(seconds{self->state.config.reconcile_s}, tick{0, "reconcile"});
      } else if (x.what.rfind("confirm ", 0) == 0) {
        ask_to_confirm(self, link_id{x.what.substr(8)});
      }
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
