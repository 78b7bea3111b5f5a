// The origin of a virtual link: opens sessions, keeps the pool filled, goes round what fails.

#include "actors/trusted_node/relay.hpp"

#include "runtime/base/mutant.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono;

void fill(trusted_node_ptr self, supply& x);

uint64_t stock_of(const supply& x) {
  return x.pool.ready + x.pool.stored;
}

uint64_t keys_needed(trusted_node_ptr self, const supply& x) {
  return x.config.keys_per_relay + 1 + self->state.config.hop_floor;
}

void in_trouble(trusted_node_ptr self, supply& x, std::string why) {
  if (x.status.trouble.empty())
    x.trouble_since = self->now();
  x.status.trouble = std::move(why);
  // A path that is back after a second of rest is worth no alarm.
  if (x.alarmed || self->now() - x.trouble_since < seconds{10} || stock_of(x) >= x.config.keys_low)
    return;
  x.alarmed = true;
  self->note("alarm", x.config.ends.link.value + " runs low (" + std::to_string(stock_of(x))
                          + " keys): " + x.status.trouble);
}

void well_again(trusted_node_ptr self, supply& x) {
  if (std::exchange(x.alarmed, false))
    self->note("relay", x.config.ends.link.value + " is filled again");
  x.status.trouble.clear();
}

void close(supply& x, const std::string& reason) {
  x.reopen = true;
  x.status.last_reason = reason;
}

void open_session(trusted_node_ptr self, supply& x, std::vector<site_path> paths) {
  x.is = supply::phase::opening;
  x.session = std::max(x.session, x.pool.session) + 1;
  x.paths = std::move(paths);
  if (QNFV_MUTANT("all shares over one node"))
    x.paths.assign(x.paths.size(), x.paths.front());
  auto link = x.config.ends.link;
  auto announce = announce_session{link, x.session, true, x.paths};
  self->request(self->state.config.others.at(x.config.ends.b), pool_timeout(self), announce)
      .then(
          [self, link](const session_announced& answer) {
            auto& y = self->state.supplies.at(link);
            y.is = answer.taken ? supply::phase::open : supply::phase::closed;
            y.mismatches = answer.mismatches;
            y.far_known = true;
            if (!answer.taken) {
              y.session = std::max(y.session, answer.session);
              return in_trouble(self, y,
                                y.config.ends.b.value + " has seen session "
                                    + std::to_string(answer.session) + " already");
            }
            y.opened = self->now();
            y.next_first = 0;
            y.blocks = 0;
            self->note("relay", link.value + " session " + std::to_string(y.session) + " over "
                                    + to_string(y.paths[0])
                                    + (y.paths.size() > 1
                                           ? " and " + std::to_string(y.paths.size() - 1) + " more"
                                           : ""));
            fill(self, y);
          },
          [self, link](const caf::error& why) {
            auto& y = self->state.supplies.at(link);
            y.is = supply::phase::closed;
            in_trouble(self, y,
                       y.config.ends.b.value + " does not open a session: " + describe(why));
          });
}

void start_block(trusted_node_ptr self, supply& x) {
  // Every fourth block is the far end's to hand out, so that both ends can.
  auto allocator = x.blocks++ % 4 == 3 ? link_end::alice : link_end::bob;
  block_id block{x.config.ends.link, x.session, allocator, x.next_first, x.config.keys_per_relay};
  x.next_first += block.count;
  auto& making = x.under_way[block.first];
  making.block = block;
  making.since = self->now();
  std::vector<relay_route> routes;
  for (uint32_t i = 0; i < x.paths.size(); ++i) {
    relay_route route;
    route.id.value = self->env().random->bytes_of<std::array<uint8_t, 16>>();
    route.block = block;
    route.share = i;
    route.path = x.paths[i];
    making.relays.insert(route.id);
    routes.push_back(std::move(route));
  }
  for (auto& route : routes)
    if (x.under_way.count(block.first) > 0) // The first one may have failed at once.
      begin_relay(self, std::move(route));
}

/// True if blocks may be started on the session's paths now; otherwise it is closed, or waits.
bool ready_to_relay(trusted_node_ptr self, supply& x) {
  auto& s = self->state;
  auto& b = x.config.ends.b;
  if (s.up.count(b) == 0) {
    in_trouble(self, x, b.value + " is not joined");
    return false;
  }
  if (!x.pool.trouble.empty()) {
    in_trouble(self, x, x.pool.trouble);
    return false;
  }
  if (x.is == supply::phase::opening)
    return false;
  auto keys = keys_needed(self, x);
  auto all_usable = [&](uint64_t n) {
    return std::all_of(x.paths.begin(), x.paths.end(),
                       [&](auto& path) { return s.book.usable(path, n, self->now()); });
  };
  if (x.is == supply::phase::open && !x.reopen) {
    if (all_usable(keys))
      return true;
    // Short of keys is no failure: another path is a new session, and the ends' pools remember
    // each.
    if (all_usable(0)
        && (stock_of(x) >= x.config.keys_low
            || self->now() - x.opened < seconds{s.config.dwell_s})) {
      in_trouble(self, x, s.book.obstacles(keys, self->now()));
      return false;
    }
  }
  auto paths = s.book.choose(x.config.ends.a, x.config.ends.b, x.config.paths, keys, self->now());
  if (paths.empty()) {
    in_trouble(self, x,
               (x.config.paths > 1 ? "no " + std::to_string(x.config.paths) + " paths work: "
                                   : "no path works: ")
                   + s.book.obstacles(keys, self->now()));
    return false;
  }
  if (!x.under_way.empty())
    return false; // They end first: a session has one set of paths.
  x.reopen = false;
  open_session(self, x, std::move(paths));
  return false;
}

void fill(trusted_node_ptr self, supply& x) {
  if (!x.pool_known)
    return;
  auto expected = [&] { return stock_of(x) + x.under_way.size() * x.config.keys_per_relay; };
  if (expected() < x.config.keys_low)
    x.filling = true;
  auto room = [&] {
    x.filling = x.filling && expected() < x.config.keys_high;
    return x.filling && x.under_way.size() < self->state.config.blocks_under_way;
  };
  while (room() && ready_to_relay(self, x)) {
    auto failed = x.status.relays_failed;
    start_block(self, x);
    if (x.status.relays_failed > failed)
      return; // At its first step. The look after the next second tries again.
  }
  if (!x.filling)
    well_again(self, x);
}

/// Blocks end in the order of their numbers: the pool takes none below one that it has seen.
void settle(trusted_node_ptr self, supply& x) {
  while (!x.under_way.empty()) {
    auto& front = x.under_way.begin()->second;
    if (!front.failed && front.shares.size() < x.paths.size())
      return;
    auto ended = std::move(front);
    x.under_way.erase(x.under_way.begin());
    if (ended.failed) {
      wipe(ended);
      continue;
    }
    auto block = ended.block;
    x.pool.stored += block.count; // Until the pool says so itself.
    auto link = x.config.ends.link;
    store(self, block, block_of(ended), x.paths,
          [self, link, block](bool taken, const pool_status* pool) {
            auto& y = self->state.supplies.at(link);
            if (pool)
              y.pool = *pool;
            if (taken) {
              ++y.status.relays_done;
              y.status.keys_relayed += block.count;
              for (auto& path : y.paths)
                self->state.book.worked(path);
              well_again(self, y);
            } else if (block.session == y.session) {
              ++y.status.relays_failed;
              close(y, "the pool refused a block");
            }
            fill(self, y);
          });
  }
}

/// Somebody on the paths lied, or the pools would not differ.
void heard_of_mismatches(trusted_node_ptr self, supply& x, uint64_t mismatches) {
  if (x.far_known && mismatches > x.mismatches && x.is == supply::phase::open) {
    std::string nodes;
    for (auto& site : exposure_of(x.paths))
      nodes += (nodes.empty() ? "" : ", ") + site.value;
    self->note("alarm", x.config.ends.link.value + ": the ends got different keys over " + nodes
                            + "; destroyed");
    for (auto& path : x.paths)
      self->state.book.path_failed(path, self->now());
    ++x.status.relays_failed;
    close(x, "the ends got different keys over " + nodes);
  }
  x.mismatches = mismatches;
  x.far_known = true;
}

/// The session again, so that a far end that restarted knows it, and what the far end has seen.
void announce_again(trusted_node_ptr self, supply& x) {
  auto link = x.config.ends.link;
  auto session = x.session;
  self->request(self->state.config.others.at(x.config.ends.b), pool_timeout(self),
                announce_session{link, session, false, x.paths})
      .then(
          [self, link, session](const session_announced& answer) {
            auto& y = self->state.supplies.at(link);
            if (y.session != session || y.is != supply::phase::open)
              return;
            heard_of_mismatches(self, y, answer.mismatches);
            if (!answer.taken)
              close(y, y.config.ends.b.value + " has seen a later session");
          },
          [](const caf::error&) {});
}

} // namespace

void share_arrived(trusted_node_ptr self, const relay_route& route,
                   const std::vector<secret>& keys) {
  auto& x = self->state.supplies.at(route.block.link);
  auto i = x.under_way.find(route.block.first);
  if (i == x.under_way.end() || i->second.failed || i->second.relays.erase(route.id) == 0)
    return;
  i->second.shares[route.share] = joined(keys);
  for (auto key : keys)
    key.wipe();
  settle(self, x);
}

void share_failed(trusted_node_ptr self, const relay_route& route, const failure& why, size_t hop) {
  auto& s = self->state;
  auto& x = s.supplies.at(route.block.link);
  auto i = x.under_way.find(route.block.first);
  if (i == x.under_way.end() || i->second.relays.erase(route.id) == 0 || i->second.failed)
    return;
  i->second.failed = true;
  ++x.status.relays_failed;
  auto& from = route.path[hop - 1];
  auto& to = route.path[hop];
  x.status.last_reason = from.value + " - " + to.value + ": " + describe(why);
  if (why.code == ec::stale_epoch)
    close(x, x.status.last_reason);
  else if (why.code == ec::key_exhausted)
    s.book.saw_stock(s.book.between(from, to)->link, 0, self->now());
  else if (why.code != ec::cancelled)
    s.book.hop_failed(from, to, self->now());
  // The other shares of the block are worth nothing alone.
  for (auto& other : std::set<relay_id>(i->second.relays))
    fail_relay(self, other, {ec::cancelled, "another share failed"}, 1);
  settle(self, x);
}

void look_around(trusted_node_ptr self) {
  auto& s = self->state;
  send_drops(self);
  forget_old_shares(self);
  self->request(s.config.key_pool, pool_timeout(self), keys_status_query{})
      .then(
          [self](const keys_status& all) {
            auto& state = self->state;
            for (auto& pool : all.pools) {
              state.stocks[pool.link] = pool;
              if (auto i = state.supplies.find(pool.link); i != state.supplies.end()) {
                i->second.pool = pool;
                i->second.pool_known = true;
              } else {
                state.book.saw_stock(pool.link, pool.ready_here, self->now());
              }
            }
            for (auto& [link, x] : state.supplies) {
              if (x.is == supply::phase::open && state.up.count(x.config.ends.b) > 0)
                announce_again(self, x);
              fill(self, x);
            }
          },
          [](const caf::error&) {}); // It restarts; asked again at the next look.
}

relay_status status_of(trusted_node_ptr self) {
  relay_status out;
  out.site = self->state.config.site;
  for (auto& [link, x] : self->state.supplies) {
    auto y = x.status;
    y.link = link;
    y.a = x.config.ends.a;
    y.b = x.config.ends.b;
    if (x.is == supply::phase::open) {
      y.session = x.session;
      y.paths = x.paths;
      y.exposed_to = exposure_of(x.paths);
      y.each_sees_keys = x.paths.size() == 1;
    }
    y.stock = stock_of(x);
    y.keys_low = x.config.keys_low;
    y.keys_high = x.config.keys_high;
    y.under_way = static_cast<uint32_t>(x.under_way.size());
    out.links.push_back(std::move(y));
  }
  for (auto& [link, keys] : self->state.spent)
    out.spent.push_back({link.first, link.second, keys});
  return out;
}

} // namespace qnfv
