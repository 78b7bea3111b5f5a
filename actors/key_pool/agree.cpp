#include "actors/key_pool/steps.hpp"

#include "runtime/base/mutant.hpp"

#include <algorithm>

namespace qnfv::pool_steps {

namespace {

using namespace std::chrono;

bool same(const store_mark& a, const store_mark& b) {
  return a.generation == b.generation && a.instance == b.instance && a.progress == b.progress;
}

compare_stores durable_mark(pool_entry& x) {
  auto out = x.pool->mark();
  out.mine.progress = x.durable_progress;
  return out;
}

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
          auto buried = QNFV_MUTANT("the dead are not buried") ? 0 : y->pool->bury(answer.gone);
          if (buried == 0)
            return;
          self->note("reconcile", link.value + ": " + std::to_string(buried)
                                    + " keys destroyed that the peer has no more");
          commit(self, *y, [] {});
        },
        [](const caf::error&) {}); // Asked again in the next round.
  }
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

} // namespace

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
  if (!commands(self->sender_site(), self->env().site))
    return fail(ec::not_allowed, self->sender_site().value + " does not command these keys");
  auto* x = find(self, ask.link);
  if (!x)
    return no_link(self, ask.link);
  if (!x->peer_is_up)
    return fail(ec::site_unreachable, x->setting.peer.value + " is not joined");
  if (ask.discard && !x->pool->rolled_back())
    return fail(ec::invalid_argument, "the store of " + ask.link.value + " at "
                                        + self->env().site.value
                                        + " is sound; only one that was rolled back is discarded");
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

namespace {

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

} // namespace

void look_around(self_ptr self) {
  expire(self);
  for (auto& [link, x] : self->state.links) {
    if (!x.pool || !x.peer_is_up)
      continue;
    compare(self, link, [](const caf::error&) {});
  }
  self->after(seconds{self->state.config.reconcile_s}, tick{0, "reconcile"});
}

} // namespace qnfv::pool_steps
