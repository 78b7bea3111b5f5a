// What a scheduler makes of the answers of key pools.

#include "actors/scheduler/scheduler.hpp"

#include <algorithm>

namespace qnfv {

namespace {

/// Either end hands out its own keys only: the stock is what lasts until the first of them has none, at
/// the shares in which they were asked.
double lasting(double stock, const std::array<scheduler_state::end_seen, 2>& ends) {
  auto& [bob, alice] = ends;
  if (!bob.fresh || !alice.fresh || bob.here_bits + alice.here_bits <= 0)
    return stock;
  for (auto& end : ends)
    if (end.asked_bits > 0)
      stock = std::min(stock, end.here_bits * (bob.asked_bits + alice.asked_bits) / end.asked_bits);
  return stock;
}

} // namespace

void scheduler_state::take(pool_watch& watch, const keys_status& all) {
  watch.last.resize(all.pools.size(), {no_link, 0});
  for (size_t k = 0; k < all.pools.size(); ++k) {
    auto& pool = all.pools[k];
    auto& part = watch.last[k];
    if (part.first == no_link || config.links[part.first].link != pool.link) {
      auto i = watch.parts.find(pool.link);
      if (i == watch.parts.end())
        continue;
      part = i->second;
    }
    // One actor may keep both ends, in a simulation.
    auto end = pool.end == link_end::bob || part.second == 1 ? part.second : size_t{1};
    auto& seen = ends[part.first][end];
    seen.stock_bits = static_cast<double>(pool.ready) * key_bits;
    seen.here_bits = static_cast<double>(pool.ready_here) * key_bits;
    seen.capacity_bits = static_cast<double>(pool.capacity) * key_bits;
    seen.asked_bits = static_cast<double>(pool.asked_bits);
    seen.fresh = true;
  }
}

void scheduler_state::end_round(double now) {
  for (size_t i = 0; i < ends.size(); ++i) {
    auto& [bob, alice] = ends[i];
    if (!bob.fresh && !alice.fresh) {
      book.pool_silent(i, now);
      continue;
    }
    double stock = never_s, capacity = never_s, asked = 0;
    auto seen = ends[i];
    for (auto* end : {&bob, &alice}) {
      asked += end->asked_bits;
      if (end->stock_bits < 0)
        continue;
      if (end->fresh)
        stock = std::min(stock, end->stock_bits);
      if (end->capacity_bits > 0)
        capacity = std::min(capacity, end->capacity_bits);
      end->fresh = false;
    }
    // Room is what the pool lacks in all; keys that nobody asks for take it too.
    auto room = capacity == never_s ? 0 : capacity - stock;
    stock = lasting(stock, seen);
    book.pool_seen(i, stock, stock + room, asked, now);
  }
}

} // namespace qnfv
