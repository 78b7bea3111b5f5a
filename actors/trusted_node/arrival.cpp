// The far end of a virtual link: takes what belongs to the announced session. That both ends hold
// the same bits is for the pools to confirm.

#include "actors/trusted_node/relay.hpp"

#include "runtime/base/mutant.hpp"

#include <algorithm>

namespace qnfv {

std::vector<site_id> exposure_of(const std::vector<site_path>& paths) {
  std::vector<site_id> out;
  if (QNFV_MUTANT("exposure forgotten"))
    return out;
  for (auto& path : paths)
    out.insert(out.end(), path.begin() + 1, path.end() - 1);
  return out;
}

secret block_of(block_gathering& x) {
  std::vector<secret> shares;
  for (auto& share : x.shares)
    shares.push_back(share.second);
  auto out = combined(shares);
  for (auto& share : shares)
    share.wipe();
  x.shares.clear();
  return out;
}

void wipe(block_gathering& x) {
  for (auto& share : x.shares)
    share.second.wipe();
  x.shares.clear();
}

void store(trusted_node_ptr self, const block_id& block, secret material,
           const std::vector<site_path>& paths,
           std::function<void(bool taken, const pool_status*)> then) {
  auto& s = self->state;
  self->send(s.config.key_pool, key_block{block, std::move(material), exposure_of(paths)});
  // The pool handles both in this order.
  self->request(s.config.key_pool, pool_timeout(self), pool_status_query{block.link})
      .then(
          [block, then](const pool_status& x) {
            then(x.session == block.session && x.next_counter >= block.first + block.count, &x);
          },
          [then](const caf::error&) { then(false, nullptr); });
}

status may_arrive(trusted_node_ptr self, const relay_route& route) {
  auto i = self->state.arrivals.find(route.block.link);
  if (i == self->state.arrivals.end())
    return {ec::unknown_link, route.block.link.value + " does not end here"};
  auto& x = i->second;
  auto& block = route.block;
  if (x.session == 0 || block.session != x.session)
    return {ec::stale_epoch, "session " + std::to_string(block.session) + " is not announced here"};
  if (route.share >= x.paths.size() || route.path != x.paths[route.share])
    return {ec::not_allowed, "not a path of the announced session"};
  auto known = x.gathering.find(block.first);
  if (known == x.gathering.end() ? block.first < x.next_first
                                 : known->second.block.count != block.count
                                       || known->second.block.allocator != block.allocator
                                       || known->second.shares.count(route.share) > 0)
    return {ec::cancelled, "keys from " + std::to_string(block.first) + " have missed their turn"};
  return done{};
}

void deliver_share(trusted_node_ptr self, const relay_route& route,
                   const std::vector<secret>& keys) {
  auto id = route.id;
  // It may have changed while the pads were claimed.
  if (auto ok = may_arrive(self, route); !ok)
    return fail_relay(self, id, ok.error(), route.path.size() - 1);
  auto& x = self->state.arrivals.at(route.block.link);
  auto& block = x.gathering[route.block.first];
  if (block.shares.empty())
    block.since = self->now();
  block.block = route.block;
  block.shares[route.share] = joined(keys);
  block.relays.insert(id);
  if (block.shares.size() < x.paths.size())
    return acknowledge(self, id);
  auto complete = std::move(block);
  x.next_first = complete.block.first + complete.block.count;
  // What was begun before has missed its turn: the pool takes no lower numbers.
  for (auto i = x.gathering.begin(); i != x.gathering.end() && i->first < x.next_first;) {
    wipe(i->second);
    i = x.gathering.erase(i);
  }
  store(self, complete.block, block_of(complete), x.paths,
        [self, id, hop = route.path.size() - 1](bool taken, const pool_status*) {
          if (taken)
            return acknowledge(self, id);
          fail_relay(self, id, {ec::stale_epoch, "the pool refused the block"}, hop);
        });
}

void forget_share(trusted_node_ptr self, const relay_id& id) {
  for (auto& [link, x] : self->state.arrivals)
    for (auto i = x.gathering.begin(); i != x.gathering.end(); ++i)
      if (i->second.relays.count(id) > 0) {
        wipe(i->second);
        x.gathering.erase(i);
        return;
      }
}

void forget_old_shares(trusted_node_ptr self) {
  for (auto& [link, x] : self->state.arrivals)
    for (auto i = x.gathering.begin(); i != x.gathering.end();) {
      auto old = self->now() - i->second.since > relay_timeout(self, relay_sites_max);
      if (old)
        wipe(i->second);
      i = old ? x.gathering.erase(i) : std::next(i);
    }
}

caf::result<session_announced> take_announcement(trusted_node_ptr self, const announce_session& x) {
  auto& s = self->state;
  auto i = s.arrivals.find(x.link);
  if (i == s.arrivals.end())
    return fail(ec::unknown_link, x.link.value + " does not end here");
  auto& ends = i->second.ends;
  if (self->sender_site() != ends.a && !QNFV_MUTANT("anybody announces sessions"))
    return fail(ec::not_allowed, self->sender_site().value + " is not the origin");
  auto good = [&](const site_path& path) {
    return path.size() > 1 && path.size() <= relay_sites_max && path.front() == ends.a
           && path.back() == ends.b;
  };
  if (x.session == 0 || x.paths.empty() || x.paths.size() > relay_sites_max
      || !std::all_of(x.paths.begin(), x.paths.end(), good))
    return fail(ec::invalid_argument, "no session of " + x.link.value);
  auto promise = self->make_response_promise<session_announced>();
  self->request(s.config.key_pool, pool_timeout(self), pool_status_query{x.link})
      .then(
          [self, x, promise](const pool_status& pool) mutable {
            auto& here = self->state.arrivals.at(x.link);
            auto same = x.session == here.session && x.paths == here.paths;
            auto known = std::max(pool.session, here.session);
            session_announced out;
            out.link = x.link;
            out.taken = same || x.session > known
                        || (!x.opens && here.session == 0 && x.session == pool.session);
            out.session = known;
            out.ready = pool.ready;
            out.mismatches = pool.mismatches;
            if (out.taken && !same) {
              for (auto& entry : here.gathering)
                wipe(entry.second);
              here.gathering.clear();
              here.session = x.session;
              here.paths = x.paths;
              here.next_first = x.session == pool.session ? pool.next_counter : 0;
            }
            promise.deliver(out);
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace qnfv
