#include "actors/key_pool/steps.hpp"

namespace qnfv {

namespace {

using namespace std::chrono;
using namespace pool_steps;

/// False if the store cannot be opened; the link's keys stay sealed then.
bool open_pool(self_ptr self, pool_entry& entry) {
  auto& s = self->state;
  auto& setting = entry.setting;
  auto me = caf::actor_cast<caf::actor_addr>(self);
  auto on_actor = [me](std::function<void()> f) {
    if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
      continue_at(caf::actor_cast<key_pool_actor>(handle), std::move(f));
  };
  auto store = s.config.open_store
                 ? s.config.open_store(setting, on_actor)
                 : result<std::unique_ptr<key_store>>{std::make_unique<volatile_key_store>()};
  if (!store) {
    auto why = describe(store.error());
    if (entry.sealed != why)
      self->note("alarm", "the keys of " + setting.link.value + " stay sealed: " + why);
    entry.sealed = why;
    return false;
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
  return true;
}

void open_pools(self_ptr self) {
  auto& s = self->state;
  for (auto& setting : s.config.links) {
    auto& entry = s.links[setting.link];
    entry.setting = setting;
    open_pool(self, entry);
  }
}

/// A disk that failed may have been mended.
void open_the_sealed(self_ptr self) {
  for (auto& [link, entry] : self->state.links) {
    if (entry.pool || !open_pool(self, entry))
      continue;
    self->note("keys", link.value + " is open again; it was sealed: " + entry.sealed);
    entry.sealed.clear();
    if (entry.peer_is_up)
      compare(self, link, [](const caf::error&) {});
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
        if (entry.setting.peer == x.site) {
          entry.peer_is_up = true;
          if (entry.pool)
            compare(self, link, [](const caf::error&) {});
        }
    },
    [self](const peer_down& x) {
      for (auto& entry : self->state.links)
        if (entry.second.setting.peer == x.site)
          entry.second.peer_is_up = false;
    },
    [self](const tick& x) {
      if (x.what == "flush") {
        flush(self);
      } else if (x.what == "reconcile") {
        open_the_sealed(self);
        look_around(self);
      } else if (x.what.rfind("confirm ", 0) == 0) {
        ask_to_confirm(self, link_id{x.what.substr(8)});
      }
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
