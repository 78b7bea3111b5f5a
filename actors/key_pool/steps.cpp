#include "actors/key_pool/steps.hpp"

#include "runtime/base/mutant.hpp"

namespace qnfv::pool_steps {

using namespace std::chrono;

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

bool from_here(self_ptr self) {
  return self->sender_site() == self->env().site || QNFV_MUTANT("keys leave their site");
}

caf::error not_the_peer(self_ptr self) {
  return fail(ec::not_allowed, self->sender_site().value + " is not the other end");
}

milliseconds request_timeout(self_ptr self) {
  return milliseconds{self->state.config.request_timeout_ms};
}

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
    if (!ok && !QNFV_MUTANT("failed sync believed")) {
      // The store is dead: what was to be promised is not.
      self->note("alarm", link.value + ": " + describe(ok.error()));
      return self->quit(fail(ok.error()));
    }
    auto& durable = self->state.links.at(link).durable_progress;
    durable = std::max(durable, progress);
    then();
  });
}

void flush_soon(self_ptr self) {
  if (std::exchange(self->state.flush_due, true))
    return;
  self->send(self, tick{0, "flush"});
}

} // namespace qnfv::pool_steps
