#include "actors/trusted_node/relay.hpp"

#include "runtime/base/mutant.hpp"

#include <algorithm>
#include <tuple>

namespace qnfv {

namespace {

using namespace std::chrono;

std::string role_at(const site_id& site) {
  return site.value + "/trusted_node";
}

relay_entry* find(trusted_node_ptr self, const relay_id& id) {
  auto i = self->state.relays.find(id);
  return i == self->state.relays.end() ? nullptr : &i->second;
}

/// The relay, if it goes on with `event`.
relay_entry* advance(trusted_node_ptr self, const relay_id& id, relay_event event) {
  auto* x = find(self, id);
  auto to = x ? next(x->state, event) : std::nullopt;
  if (!to)
    return nullptr;
  x->state = *to;
  return x;
}

/// The numbers are those of Fig. 6.
void note_step(trusted_node_ptr self, int step, const relay_route& route, const std::string& what) {
  if (self->env().recorder)
    self->note("relay", "step " + std::to_string(step) + ": " + what + ", " + name_of(route)
                            + (route.share > 0 ? " share " + std::to_string(route.share) : ""));
}

const link_id& link_to(trusted_node_ptr self, const site_id& neighbour) {
  return self->state.book.between(self->env().site, neighbour)->link;
}

void tell_drop(trusted_node_ptr self, const site_id& site, drop_relay x) {
  auto& s = self->state;
  auto keep = [self, site, x] {
    auto& queue = self->state.drops;
    queue.emplace_back(site, x);
    if (queue.size() > self->state.config.drops_max)
      queue.pop_front(); // The time limit of assigned keys does it then.
  };
  if (s.up.count(site) == 0)
    return keep();
  self->request(s.config.others.at(site), pool_timeout(self), x)
      .then([](const accepted&) {}, [keep](const caf::error&) { keep(); });
}

/// Claims what a site before us assigned, to no use: one by one, because some may be gone already.
void spend_assigned(trusted_node_ptr self, const site_id& from, const std::vector<key_id>& keys,
                    std::function<void()> then) {
  struct counting {
    size_t open;
    std::function<void()> then;
  };
  auto& s = self->state;
  auto claim = claim_keys{link_to(self, from), keys, role_at(from), role_at(s.config.site)};
  self->request(s.config.key_pool, pool_timeout(self), claim)
      .then(
          [then](key_grants& grants) {
            take(grants.keys).wipe();
            then();
          },
          [self, claim, then](const caf::error&) {
            auto all = std::make_shared<counting>(counting{claim.keys.size(), then});
            auto one_less = [all] {
              if (--all->open == 0)
                all->then();
            };
            for (auto& id : claim.keys) {
              auto one = claim;
              one.keys = {id};
              self->request(self->state.config.key_pool, pool_timeout(self), one)
                  .then(
                      [one_less](key_grants& grants) {
                        take(grants.keys).wipe();
                        one_less();
                      },
                      [one_less](const caf::error&) { one_less(); });
            }
          });
}

/// Step 8 at the origin; step 7 in between.
void answered(trusted_node_ptr self, const relay_id& id, const wrapped_keys& answer) {
  auto* x = find(self, id);
  if (!x || x->state != relay_state::asking)
    return;
  auto& s = self->state;
  auto hop = x->at + 1;
  for (auto& stock : answer.stocks)
    s.book.saw_stock(stock.link, stock.keys, self->now());
  if (answer.id != id || answer.stocks.size() > relay_sites_max)
    return fail_relay(self, id, {ec::invalid_argument, "the answer to another relay"}, hop);
  if (answer.code != ec::none)
    return fail_relay(self, id, {answer.code, answer.reason},
                      std::clamp<size_t>(answer.failed_hop, hop, x->route.path.size() - 1));
  auto is_last = hop + 1 == x->route.path.size();
  auto keys = unwrap(x->route, static_cast<uint32_t>(hop), x->after,
                     {answer.next, answer.wrapped, answer.tag}, is_last);
  if (!keys) {
    self->note("alarm", name_of(x->route) + ": " + describe(keys.error()) + "; the keys of "
                            + x->route.path[hop].value + " are not what it sent");
    return fail_relay(self, id, keys.error(), hop);
  }
  if (x->at == 0) {
    advance(self, id, relay_event::end_keys);
    note_step(self, 8, x->route, "unwrapped");
    auto route = x->route;
    x->after.wipe();
    s.relays.erase(id);
    return share_arrived(self, route, *keys);
  }
  if (QNFV_MUTANT("relay mixes up two keys"))
    std::swap(keys->front(), keys->back());
  auto batch = wrap(x->route, static_cast<uint32_t>(x->at), x->before, x->after.ids, *keys);
  for (auto& key : *keys)
    key.wipe();
  if (!batch)
    return fail_relay(self, id, batch.error(), hop);
  // Whoever reads the answer finds nothing here any more.
  x->before.wipe();
  x->after.wipe();
  advance(self, id, relay_event::answered);
  note_step(self, 7, x->route, "wrapped for " + x->route.path[x->at - 1].value);
  wrapped_keys out;
  out.id = id;
  out.next = std::move(batch->next);
  out.wrapped = std::move(batch->wrapped);
  out.tag = batch->tag;
  out.stocks = answer.stocks;
  auto& link = link_to(self, x->route.path[hop]);
  if (auto known = s.stocks.find(link); known != s.stocks.end())
    out.stocks.push_back({link, known->second.ready_here});
  auto promise = x->promise;
  s.relays.erase(id);
  promise.deliver(std::move(out));
}

/// Steps 2 and 5.
void ask_next(trusted_node_ptr self, relay_entry& x) {
  auto& s = self->state;
  auto id = x.route.id;
  auto hop = x.at + 1;
  auto& next_site = x.route.path[hop];
  advance(self, id, relay_event::drawn);
  note_step(self, x.at == 0 ? 2 : 5, x.route, "to " + next_site.value);
  relay_keys ask{x.route, static_cast<uint32_t>(hop), x.after.ids};
  self->request(s.config.others.at(next_site), relay_timeout(self, x.route.path.size() - hop), ask)
      .then([self, id](const wrapped_keys& answer) { answered(self, id, answer); },
            [self, id, hop](const caf::error& why) { fail_relay(self, id, to_failure(why), hop); });
}

/// A pool draws for several at once and answers in any order, but the far end takes the blocks of a
/// link in theirs: whoever has its keys waits for those before it.
void ask_in_turn(trusted_node_ptr self, const link_id& link, uint32_t share) {
  std::vector<relay_entry*> to_ask;
  for (auto& [id, x] : self->state.relays)
    if (x.route.block.link == link && x.route.share == share
        && (x.state == relay_state::claiming || x.state == relay_state::drawing))
      to_ask.push_back(&x);
  std::sort(to_ask.begin(), to_ask.end(), [](auto* x, auto* y) {
    auto& a = x->route.block;
    auto& b = y->route.block;
    return std::tie(a.session, a.first) < std::tie(b.session, b.first);
  });
  for (auto* x : to_ask) {
    if (x->after.empty())
      return;
    ask_next(self, *x);
  }
}

void drawn(trusted_node_ptr self, const relay_id& id, std::vector<key_grant>& grants) {
  auto keys = take(grants);
  auto* x = find(self, id);
  if (!x || x->state != relay_state::drawing) // Dropped meanwhile; the next site holds these for us.
    return keys.wipe();
  x->after = std::move(keys);
  note_step(self, x->at == 0 ? 1 : 4, x->route, "drawn for " + x->route.path[x->at + 1].value);
  ask_in_turn(self, x->route.block.link, x->route.share);
}

/// Steps 1 and 4.
void draw(trusted_node_ptr self, const relay_id& id) {
  auto& s = self->state;
  auto* x = find(self, id);
  auto hop = x->at + 1;
  auto next_site = x->route.path[hop];
  auto& link = link_to(self, next_site);
  auto count = x->route.block.count + 1;
  if (s.up.count(next_site) == 0) // Also one that has no such role.
    return fail_relay(self, id, {ec::site_unreachable, next_site.value + " is not joined"}, hop);
  if (auto known = s.stocks.find(link); known != s.stocks.end()) {
    auto& stock = known->second.ready_here;
    if (stock < count + s.config.hop_floor)
      return fail_relay(self, id,
                        {ec::key_exhausted, link.value + " has " + std::to_string(stock) + " keys"},
                        hop);
    stock -= count;
  }
  reserve_keys ask;
  ask.link = link;
  ask.count = count;
  ask.request.value = self->env().random->bytes_of<std::array<uint8_t, 16>>();
  ask.users = {role_at(s.config.site), {role_at(next_site)}};
  auto virtual_link = x->route.block.link;
  self->request(s.config.key_pool, pool_timeout(self), ask)
      .then(
          [self, id, link, virtual_link, count, next_site](key_grants& grants) {
            self->state.spent[{virtual_link, link}] += count;
            self->state.book.drew(link, count);
            auto gone = find(self, id) == nullptr;
            drop_relay drop{id, {}};
            for (auto& grant : grants.keys)
              drop.keys.push_back(grant.id);
            drawn(self, id, grants.keys);
            if (gone)
              tell_drop(self, next_site, drop);
          },
          [self, id, hop](const caf::error& why) { fail_relay(self, id, to_failure(why), hop); });
}

/// Steps 3 and 6.
void claimed(trusted_node_ptr self, const relay_id& id, std::vector<key_grant>& grants) {
  auto keys = take(grants);
  auto* x = find(self, id);
  if (!x || x->state != relay_state::claiming)
    return keys.wipe();
  // In the order of the ids that both ends know; the pool answers in the order of the claim.
  x->before = std::move(keys);
  if (x->at + 1 < x->route.path.size()) {
    note_step(self, 3, x->route, "claimed from " + x->route.path[x->at - 1].value);
    advance(self, id, relay_event::claimed);
    return draw(self, id);
  }
  note_step(self, 6, x->route, "the end keys are here");
  advance(self, id, relay_event::end_keys);
  std::vector<secret> end_keys(x->before.bits.begin(), x->before.bits.end() - 1);
  deliver_share(self, relay_route{x->route}, end_keys);
}

} // namespace

milliseconds pool_timeout(trusted_node_ptr self) {
  // A pool asks its peer twice before it gives up.
  return milliseconds{3 * self->state.config.request_timeout_ms};
}

milliseconds relay_timeout(trusted_node_ptr self, size_t hops) {
  // Each site claims and draws; the nearer one waits longer, so the failing hop gets to be known.
  return static_cast<int>(hops) * (2 * pool_timeout(self) + milliseconds{500});
}

void begin_relay(trusted_node_ptr self, relay_route route) {
  auto id = route.id;
  auto& x = self->state.relays[id];
  x.route = std::move(route);
  x.state = relay_state::drawing;
  draw(self, id);
}

caf::result<wrapped_keys> take_relay(trusted_node_ptr self, const relay_keys& ask) {
  auto& s = self->state;
  auto sender = self->sender_site();
  if (auto ok =
          check(ask, sender, s.config.site, s.config.links, s.book, s.config.keys_per_relay_max);
      !ok)
    return fail(ok.error());
  wrapped_keys no;
  no.id = ask.route.id;
  no.failed_hop = ask.hop;
  auto refuse = [&no](const failure& why) {
    no.code = why.code;
    no.reason = why.text;
    return no;
  };
  if (find(self, ask.route.id))
    return refuse({ec::already_exists, "this relay is under way"});
  auto is_last = ask.hop + 1 == ask.route.path.size();
  auto& origin = ask.route.path.front();
  if (is_last) {
    if (auto ok = may_arrive(self, ask.route); !ok)
      return refuse(ok.error());
  } else {
    size_t all = 0, of_origin = 0;
    for (auto& [id, x] : s.relays)
      if (x.at > 0) {
        ++all;
        of_origin += x.route.path.front() == origin ? 1 : 0;
      }
    if (all >= s.config.relays_max || of_origin >= s.config.relays_per_origin
        || !s.quota.take(origin, ask.route.block.count, self->now()))
      return refuse(
          {ec::busy, s.config.site.value + " relays as much as it may for " + origin.value});
  }
  auto& x = s.relays[ask.route.id];
  x.route = ask.route;
  x.at = ask.hop;
  x.pads = ask.keys;
  x.promise = self->make_response_promise<wrapped_keys>();
  auto promise = x.promise;
  auto id = ask.route.id;
  self->request(
          s.config.key_pool, pool_timeout(self),
          claim_keys{link_to(self, sender), ask.keys, role_at(sender), role_at(s.config.site)})
      .then([self, id](key_grants& grants) { claimed(self, id, grants.keys); },
            [self, id, hop = ask.hop](const caf::error& why) {
              fail_relay(self, id, to_failure(why), hop);
            });
  return promise;
}

void acknowledge(trusted_node_ptr self, const relay_id& id) {
  auto* x = advance(self, id, relay_event::stored);
  if (!x)
    return;
  auto ack = wrap(x->route, static_cast<uint32_t>(x->at), x->before, {}, {});
  x->before.wipe();
  wrapped_keys out;
  out.id = id;
  if (ack)
    out.tag = ack->tag;
  auto promise = x->promise;
  self->state.relays.erase(id);
  promise.deliver(std::move(out));
}

void fail_relay(trusted_node_ptr self, const relay_id& id, const failure& why, size_t hop) {
  auto* found = find(self, id);
  if (!found || !next(found->state, relay_event::failed))
    return;
  auto x = std::move(*found);
  self->state.relays.erase(id);
  x.before.wipe();
  x.after.wipe();
  if (!x.after.ids.empty())
    tell_drop(self, x.route.path[x.at + 1], {id, x.after.ids});
  if (self->env().recorder)
    self->note("relay", "failed at hop " + std::to_string(hop) + ": " + describe(why) + ", "
                            + name_of(x.route));
  ask_in_turn(self, x.route.block.link, x.route.share); // It may have held others up.
  if (x.at == 0)
    return share_failed(self, x.route, why, hop);
  wrapped_keys out;
  out.id = id;
  out.code = why.code;
  out.reason = why.text;
  out.failed_hop = static_cast<uint32_t>(hop);
  x.promise.deliver(std::move(out));
}

caf::result<accepted> take_drop(trusted_node_ptr self, const drop_relay& x) {
  auto& s = self->state;
  auto sender = self->sender_site();
  if (!s.book.between(s.config.site, sender))
    return fail(ec::not_allowed, sender.value + " is no neighbour");
  auto& link = link_to(self, sender);
  if (x.keys.empty() || x.keys.size() > s.config.keys_per_relay_max + 1
      || !std::all_of(x.keys.begin(), x.keys.end(), [&](auto& id) { return belongs_to(id, link); }))
    return fail(ec::invalid_argument, "not the pads of a relay");
  if (auto* known = find(self, x.id);
      known && known->at > 0 && known->route.path[known->at - 1] == sender)
    fail_relay(self, x.id, {ec::cancelled, sender.value + " dropped it"}, known->at);
  forget_share(self, x.id);
  auto promise = self->make_response_promise<accepted>();
  spend_assigned(self, sender, x.keys, [promise]() mutable { promise.deliver(accepted{}); });
  return promise;
}

void send_drops(trusted_node_ptr self) {
  for (auto& [site, x] : std::exchange(self->state.drops, {}))
    tell_drop(self, site, x);
}

} // namespace qnfv
