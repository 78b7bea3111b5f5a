// One end of one link's pool: how keys go to their users.

#include "actors/key_pool/link_pool.hpp"
#include "runtime/base/mutant.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

std::string text_of(const key_users& x) {
  std::string out = x.master + " ->";
  for (auto& slave : x.slaves)
    out += " " + slave;
  return out;
}

bool good_size(uint32_t size_bits) {
  return size_bits > 0 && size_bits % 8 == 0 && size_bits <= key_size_bits_max;
}

} // namespace

void link_pool::count_demand(uint64_t bits, time_point now) {
  counters_.asked_bits += bits;
  demand_.emplace_back(now, bits);
  while (now - demand_.front().first > 1h || demand_.size() > settings_.remembered)
    demand_.pop_front();
}

status link_pool::may_ask(const request_id& request, uint32_t size_bits) const {
  if (!good_size(size_bits))
    return {ec::invalid_argument, "a key has 8 to " + std::to_string(key_size_bits_max)
                                    + " bits, a multiple of 8, not " + std::to_string(size_bits)};
  if (answered_set_.count(tag_of(request)) > 0)
    return {ec::unknown_key, "this request was answered before; a key is handed out once"};
  return done{};
}

status link_pool::has(uint32_t count, uint32_t size_bits) {
  if (ready_mine_.size() >= count * parts_of(size_bits))
    return done{};
  ++counters_.refused;
  return {ec::key_exhausted, "link " + settings_.link.value + " has "
                               + (ready_mine_.empty() ? "no unused key" : "too few unused keys")};
}

result<key_assignment> link_pool::reserve(const request_id& request, const key_users& users,
                                          uint32_t size_bits, time_point now) {
  if (auto ok = may_ask(request, size_bits); !ok)
    return ok.error();
  auto tag = tag_of(request);
  if (auto known = requests_.find(tag); known != requests_.end()) {
    auto& x = held_.at(known->second);
    return key_assignment{x.parts, x.size_bits, request, x.names};
  }
  held_key x;
  auto n = parts_of(size_bits);
  if (QNFV_MUTANT("both ends allocate")) {
    for (auto& [id, key] : keys_)
      if (key.state == key_state::ready)
        ready_mine_.insert(id);
  }
  if (auto ok = has(1, size_bits); !ok)
    return ok.error();
  x.parts.assign(ready_mine_.begin(), std::next(ready_mine_.begin(), static_cast<long>(n)));
  x.size_bits = size_bits;
  x.request = tag;
  x.users = tag_of(users);
  x.names = users;
  x.since = now;
  for (auto& id : x.parts) {
    change(id, key_event::reserve, &x, {});
    keys_[id].name = x.parts.front();
  }
  auto name = x.parts.front();
  requests_[tag] = name;
  held_[name] = x;
  return key_assignment{x.parts, size_bits, request, users};
}

status link_pool::assign(const key_assignment& key, time_point now) {
  if (key.parts.empty() || !good_size(key.size_bits) || key.parts.size() != parts_of(key.size_bits)
      || !std::is_sorted(key.parts.begin(), key.parts.end())
      || std::adjacent_find(key.parts.begin(), key.parts.end()) != key.parts.end()
      || key.users.slaves.empty())
    return {ec::invalid_argument, "not a key and its users"};
  held_key x;
  x.parts = key.parts;
  x.size_bits = key.size_bits;
  x.request = tag_of(key.request);
  x.users = tag_of(key.users);
  x.names = key.users;
  x.since = now;
  auto name = key.parts.front();
  if (auto known = held_.find(name); known != held_.end()) {
    auto& y = known->second;
    if (state_of(name) == key_state::assigned
        && ((y.request == x.request && y.users == x.users) || QNFV_MUTANT("users may change"))
        && y.parts == x.parts) {
      y.names = x.names; // Forgotten in a restart, maybe.
      if (QNFV_MUTANT("users may change"))
        y.users = x.users;
      return done{};
    }
    return {ec::unknown_key, "key " + to_string(name) + " is held for somebody else"};
  }
  if (requests_.count(x.request) > 0)
    return {ec::invalid_argument, "this request holds another key"};
  for (auto& id : key.parts) {
    if (allocator_of(id) == settings_.end && !QNFV_MUTANT("both ends allocate"))
      return {ec::not_allowed, "this end hands out " + to_string(id)};
    if (state_of(id) != key_state::ready)
      return {ec::unknown_key, "no unused key " + to_string(id) + " here"};
  }
  for (auto& id : key.parts) {
    change(id, key_event::assign, &x, text_of(key.users));
    keys_[id].name = name;
  }
  requests_[x.request] = name;
  held_[name] = std::move(x);
  return done{};
}

result<secret> link_pool::bits_of(const held_key& x) const {
  secret all{x.parts.size() * key_bytes};
  for (size_t i = 0; i < x.parts.size(); ++i) {
    auto bits = store_->bits(x.parts[i]);
    if (!bits)
      return bits;
    std::copy(bits->view().begin(), bits->view().end(), all.data() + i * key_bytes);
  }
  return x.size_bits == x.parts.size() * key_bits ? all : all.part(0, x.size_bits / 8);
}

void link_pool::end_held(const key_id& name, key_event event, const std::string& why) {
  auto x = std::move(held_.at(name));
  auto mine = state_of(name) == key_state::reserved;
  requests_.erase(x.request);
  held_.erase(name);
  if (mine && event == key_event::consume)
    remember_answered(x.request);
  for (auto& id : x.parts)
    if (keys_.count(id) > 0)
      change(id, event, &x, why);
}

void link_pool::remember_answered(uint64_t request) {
  answered_.push_back(request);
  answered_set_.insert(request);
  if (answered_.size() > settings_.remembered) {
    answered_set_.erase(answered_.front());
    answered_.pop_front();
  }
}

result<secret> link_pool::consume(const key_id& name) {
  auto i = held_.find(name);
  if (i == held_.end() || state_of(name) != key_state::reserved)
    return {ec::unknown_key, "no key " + to_string(name) + " is reserved here"};
  auto bits = bits_of(i->second);
  end_held(name, bits ? key_event::consume : key_event::destroy,
           bits ? text_of(i->second.names) : describe(bits.error()));
  return bits;
}

status link_pool::may_claim(const key_id& name, const std::string& master,
                            const std::string& slave) const {
  auto shared = shared_.find(name);
  if (shared != shared_.end() && shared->second.master == master
      && shared->second.slaves.count(slave) > 0)
    return done{};
  auto i = held_.find(name);
  if (i == held_.end() || state_of(name) != key_state::assigned)
    return {ec::unknown_key, "no key " + to_string(name) + " is held for anybody here"};
  auto& x = i->second;
  auto named = x.names.master == master
               && std::count(x.names.slaves.begin(), x.names.slaves.end(), slave) > 0;
  if (named || x.users == tag_of(key_users{master, {slave}}) || QNFV_MUTANT("anybody may claim"))
    return done{};
  return {ec::not_allowed, "key " + to_string(name) + " is held for somebody else"};
}

result<secret> link_pool::claim(const key_id& name, const std::string& master,
                                const std::string& slave, time_point now) {
  if (auto ok = may_claim(name, master, slave); !ok)
    return ok.error();
  if (auto shared = shared_.find(name); shared != shared_.end()) {
    auto bits = shared->second.bits;
    shared->second.slaves.erase(slave);
    if (shared->second.slaves.empty())
      shared_.erase(shared);
    return secret{bits.view()};
  }
  auto& x = held_.at(name);
  auto bits = bits_of(x);
  if (bits && x.names.slaves.size() > 1) {
    shared_key rest{secret{bits->view()}, master, {}, now};
    rest.slaves.insert(x.names.slaves.begin(), x.names.slaves.end());
    rest.slaves.erase(slave);
    shared_[name] = std::move(rest);
  }
  auto users = x.names.master.empty() ? key_users{master, {slave}} : x.names;
  end_held(name, bits ? key_event::consume : key_event::destroy,
           bits ? text_of(users) : describe(bits.error()));
  return bits;
}

void link_pool::destroy(const key_id& id, const std::string& reason) {
  auto key = keys_.find(id);
  if (key == keys_.end())
    return;
  auto name = key->second.name;
  if (rank_of(key->second.state) == 3 && held_.count(name) > 0)
    return end_held(name, key_event::destroy, reason);
  change(id, key_event::destroy, nullptr, reason);
}

} // namespace qnfv
