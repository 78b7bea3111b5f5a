#include "actors/key_pool/ahead.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

ahead_stock::name ahead_stock::name_of(const key_users& users, uint32_t size_bits) {
  auto text = users.master;
  for (auto& slave : users.slaves)
    text += '\n' + slave;
  return {text, size_bits};
}

uint32_t ahead_stock::ask(const key_users& users, uint32_t size_bits, uint32_t count,
                          time_point now) {
  if (count > settings_.keys_max / 8)
    return 0; // One round trip serves many keys as it is.
  auto known = entries_.find(name_of(users, size_bits));
  if (known == entries_.end()) {
    if (settings_.keys_max == 0 || entries_.size() >= settings_.users_max)
      return 0;
    known = entries_.emplace(name_of(users, size_bits), entry{}).first;
    known->second.last = now;
  }
  auto& x = known->second;
  x.rate = x.rate * std::exp(-to_seconds(now - x.last)) + count;
  x.last = now;
  auto target = static_cast<uint32_t>(
    std::min<double>(settings_.keys_max, x.rate * settings_.horizon_s));
  auto there = static_cast<uint32_t>(x.keys.size()) + x.coming;
  if (2 * there >= target)
    return 0;
  x.coming += target - there;
  return target - there;
}

uint32_t ahead_stock::count(const key_users& users, uint32_t size_bits) const {
  auto known = entries_.find(name_of(users, size_bits));
  return known == entries_.end() ? 0 : static_cast<uint32_t>(known->second.keys.size());
}

std::optional<key_assignment> ahead_stock::take(const key_users& users, uint32_t size_bits) {
  auto known = entries_.find(name_of(users, size_bits));
  if (known == entries_.end() || known->second.keys.empty())
    return std::nullopt;
  auto out = std::move(known->second.keys.front().second);
  known->second.keys.pop_front();
  return out;
}

void ahead_stock::put(const key_assignment& key, time_point now) {
  auto known = entries_.find(name_of(key.users, key.size_bits));
  if (known == entries_.end())
    return;
  --known->second.coming;
  known->second.keys.emplace_back(now, key);
}

void ahead_stock::failed(const key_users& users, uint32_t size_bits) {
  auto known = entries_.find(name_of(users, size_bits));
  if (known != entries_.end())
    --known->second.coming;
}

std::vector<key_id> ahead_stock::expire(time_point now) {
  std::vector<key_id> out;
  for (auto i = entries_.begin(); i != entries_.end();) {
    auto& x = i->second;
    while (!x.keys.empty() && now - x.keys.front().first > settings_.keep) {
      out.push_back(x.keys.front().second.parts.front());
      x.keys.pop_front();
    }
    auto idle = x.keys.empty() && x.coming == 0 && now - x.last > settings_.keep;
    i = idle ? entries_.erase(i) : std::next(i);
  }
  return out;
}

} // namespace qnfv
