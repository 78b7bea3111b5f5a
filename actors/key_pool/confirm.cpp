#include "actors/key_pool/steps.hpp"

#include <algorithm>

namespace qnfv::pool_steps {

namespace {

using namespace std::chrono;

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

void ask_in_earnest(self_ptr self, const block_id& block) {
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

/// Tag keys are spent by asking, so first without any: the peer says `busy` while the block is not there,
/// which it may never be if its pool was full, and `unknown_key` when it is.
void ask_about(self_ptr self, const block_id& block) {
  auto* x = find(self, block.link);
  if (x->pool->asked(block))
    return ask_in_earnest(self, block);
  confirm_block probe{block, {}, {}, 0, {}};
  self->request(x->setting.peer_pool, request_timeout(self), probe)
    .then([self, block](const block_confirmed&) { ask_in_earnest(self, block); },
          [self, block](const caf::error& why) {
            if (to_failure(why).code == ec::unknown_key)
              return ask_in_earnest(self, block);
            auto* y = find(self, block.link);
            y->confirming.erase({block.session, block.first});
            retry_confirm(self, *y, block);
          });
}

} // namespace

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
  if (auto ok = entry->pool->may_ingest(x.block, x.material); !ok)
    return self->note("keys", x.block.link.value + ": block refused: " + describe(ok.error()));
  auto judged = entry->gate->judge(x.material);
  if (!judged) {
    ++entry->weak_blocks;
    return self->note("alarm", name_of(x.block) + ": block refused: " + judged.error().text);
  }
  // The pool has room, so its store must have.
  if (auto ok = entry->pool->ingest(x.block, x.material, self->now(), x.exposed_to); !ok)
    return self->note("alarm", name_of(x.block) + ": block refused: " + describe(ok.error()));
  entry->gate->remember(*judged);
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

} // namespace qnfv::pool_steps
