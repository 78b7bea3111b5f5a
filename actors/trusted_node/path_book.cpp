#include "actors/trusted_node/path_book.hpp"

#include "runtime/base/units.hpp"

#include <algorithm>

namespace qnfv {

path_book::path_book(settings s, std::vector<hop> hops, std::set<site_id> untrusted)
    : settings_(s), hops_(std::move(hops)), untrusted_(std::move(untrusted)) {}

const path_book::hop* path_book::between(const site_id& a, const site_id& b) const {
  for (auto& x : hops_)
    if ((x.a == a && x.b == b) || (x.a == b && x.b == a))
      return &x;
  return nullptr;
}

void path_book::saw_stock(const link_id& link, uint64_t keys, time_point now) {
  auto& x = known_[link];
  x.keys = keys;
  x.told = now;
  x.known = true;
}

void path_book::drew(const link_id& link, uint64_t keys) {
  auto& x = known_[link];
  x.keys -= std::min(x.keys, keys);
}

void path_book::saw_site(const site_id& site, bool up) {
  if (up)
    down_.erase(site);
  else
    down_.insert(site);
}

void path_book::avoid(const hop& h, time_point now) {
  auto& x = known_[h.link];
  auto wait = settings_.backoff_first;
  for (uint32_t i = 0; i < x.failures && wait < settings_.backoff_max; ++i)
    wait *= 2;
  ++x.failures;
  x.avoid_until = now + std::min(wait, settings_.backoff_max);
}

void path_book::hop_failed(const site_id& a, const site_id& b, time_point now) {
  if (auto* h = between(a, b))
    avoid(*h, now);
}

void path_book::path_failed(const site_path& path, time_point now) {
  for (size_t i = 1; i < path.size(); ++i)
    hop_failed(path[i - 1], path[i], now);
}

void path_book::worked(const site_path& path) {
  for (size_t i = 1; i < path.size(); ++i)
    if (auto* h = between(path[i - 1], path[i])) {
      auto& x = known_[h->link];
      x.failures = 0;
      x.avoid_until = {};
    }
}

std::string path_book::obstacle(const hop& h, uint64_t keys, time_point now) const {
  for (auto* site : {&h.a, &h.b})
    if (down_.count(*site) > 0)
      return site->value + " is not joined";
  auto i = known_.find(h.link);
  if (i == known_.end())
    return {};
  auto& x = i->second;
  if (now < x.avoid_until)
    return h.link.value + " failed and rests for " + format_duration(x.avoid_until - now);
  if (x.known && now - x.told < settings_.stock_memory && x.keys < keys)
    return h.link.value + " has " + std::to_string(x.keys) + " keys of " + std::to_string(keys);
  return {};
}

bool path_book::usable(const site_path& path, uint64_t keys, time_point now) const {
  for (size_t i = 1; i < path.size(); ++i) {
    auto* h = between(path[i - 1], path[i]);
    if (!h || !obstacle(*h, keys, now).empty())
      return false;
  }
  return path.size() > 1;
}

std::vector<site_path> path_book::choose(const site_id& from, const site_id& to, size_t count,
                                         uint64_t keys, time_point now) const {
  std::vector<site_edge> edges;
  for (auto& h : hops_)
    if (obstacle(h, keys, now).empty())
      edges.push_back({h.a, h.b});
  return disjoint_paths(edges, from, to, count, untrusted_);
}

std::string path_book::obstacles(uint64_t keys, time_point now) const {
  std::string out;
  for (auto& h : hops_)
    if (auto why = obstacle(h, keys, now); !why.empty() && out.find(why) == std::string::npos)
      out += (out.empty() ? "" : ", ") + why;
  return out;
}

} // namespace qnfv
