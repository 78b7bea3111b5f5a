#include "actors/key_pool/link_pool.hpp"

#include "runtime/crypto/one_time.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

constexpr uint32_t tag_keys = 2; ///< Of a block: key 0 for Bob's tag, key 1 for Alice's.

[[noreturn]] void broken(const std::string& what) {
  std::fprintf(stderr, "qnfv: broken invariant in key_pool: %s\n", what.c_str());
  std::abort();
}

/// What a tag covers: the block's name and every bit that will be used.
bytes tagged(const block_id& x, const secret& material) {
  auto& name = x.link.value;
  bytes out(name.begin(), name.end());
  out.push_back(0);
  uint8_t numbers[17];
  store_be32(numbers, x.session);
  numbers[4] = static_cast<uint8_t>(x.allocator);
  store_be64(numbers + 5, x.first);
  store_be32(numbers + 13, x.count);
  out.insert(out.end(), numbers, numbers + sizeof numbers);
  auto bits = material.view().part(tag_keys * key_bytes);
  out.insert(out.end(), bits.begin(), bits.end());
  return out;
}

template <class Queue>
void push_bounded(Queue& queue, typename Queue::value_type x, size_t limit) {
  queue.push_back(std::move(x));
  if (queue.size() > limit)
    queue.pop_front();
}

} // namespace

link_pool::link_pool(settings s, std::unique_ptr<key_store> store, time_point now)
  : settings_(std::move(s)), store_(std::move(store)), opened_(now) {
  counters_.link = settings_.link;
  counters_.peer = settings_.peer;
  counters_.end = settings_.end;
}

status link_pool::ingest(const block_id& block, const secret& material, time_point now) {
  if (block.link != settings_.link || block.count <= tag_keys || block.count > 1u << 20
      || block.first > UINT64_MAX / 512 || material.size() != block.count * key_bytes)
    return {ec::invalid_argument, "a block of " + std::to_string(block.count) + " keys and "
                                    + std::to_string(material.size()) + " bytes"};
  if (block.session < session_)
    return {ec::stale_epoch, "session " + std::to_string(block.session) + " after session "
                               + std::to_string(session_)};
  if (block.session == session_ && block.first < next_counter_[block.allocator])
    return {ec::already_exists, "key numbers from " + std::to_string(block.first)
                                  + " were seen before"};
  if (counters_.stored + counters_.ready + block.count > settings_.keys_max)
    return {ec::busy, "the pool is full"};
  if (block.session > session_) {
    session_ = block.session;
    next_counter_.clear();
  }
  next_counter_[block.allocator] = block.first + block.count;
  auto& entry = blocks_[key_of(block)];
  entry.block = block;
  entry.material = material;
  entry.live = block.count;
  entry.arrived = now;
  auto message = tagged(block, material);
  auto bob = one_time_mac(material.view().part(0, key_bytes), message);
  auto alice = one_time_mac(material.view().part(key_bytes, key_bytes), message);
  OPENSSL_cleanse(message.data(), message.size());
  auto mine = settings_.end == link_end::bob;
  entry.own = mine ? *bob : *alice;
  entry.expected = mine ? *alice : *bob;
  store_->put_block(block, material);
  counters_.ingested += block.count;
  counters_.stored += block.count;
  for (uint32_t i = 0; i < block.count; ++i)
    keys_[block.id(i)] = {key_state::stored, {}, now};
  for (uint32_t i = 0; i < tag_keys; ++i)
    change(block.id(i), key_event::consume, {}, now);
  return done{};
}

link_pool::block_entry* link_pool::block_with(const key_id& id) {
  auto i = blocks_.upper_bound({session_of(id), counter_of(id)});
  if (i == blocks_.begin())
    return nullptr;
  auto& entry = std::prev(i)->second;
  return entry.block.session == session_of(id) && entry.block.allocator == allocator_of(id)
             && counter_of(id) - entry.block.first < entry.block.count
           ? &entry
           : nullptr;
}

void link_pool::change(const key_id& id, key_event event, const request_id& request, time_point now) {
  auto key = keys_.find(id);
  auto from = key == keys_.end() ? key_state::absent : key->second.state;
  auto to = next(from, event);
  if (!to || key == keys_.end())
    broken(to_string(event) + " of " + to_string(id) + " in state " + to_string(from));
  uint64_t pool_status::*counter[] = {nullptr, &pool_status::stored, &pool_status::ready,
                                      &pool_status::reserved, &pool_status::assigned,
                                      &pool_status::consumed, &pool_status::destroyed};
  --(counters_.*counter[static_cast<size_t>(from)]);
  ++(counters_.*counter[static_cast<size_t>(*to)]);
  if (from == key_state::ready)
    ready_mine_.erase(id);
  if (*to == key_state::ready && allocator_of(id) == settings_.end)
    ready_mine_.insert(id);
  if (from == key_state::reserved) {
    requests_.erase(key->second.request);
    if (*to == key_state::destroyed)
      push_bounded(failed_, id, settings_.remembered);
    else
      remember_answered(key->second.request);
  }
  store_->put_state(id, *to, request);
  if (rank_of(*to) < 4) {
    key->second = {*to, request, now};
  } else {
    // The bits vanish with the state; only the numbers remember that the key ever was.
    auto* block = block_with(id);
    if (!block)
      broken("no block for " + to_string(id));
    OPENSSL_cleanse(block->material.data() + (counter_of(id) - block->block.first) * key_bytes,
                    key_bytes);
    keys_.erase(key);
    if (--block->live == 0)
      blocks_.erase(key_of(block->block));
  }
  check_counters();
}

void link_pool::remember_answered(const request_id& request) {
  answered_.push_back(request);
  answered_set_.insert(request);
  if (answered_.size() > settings_.remembered) {
    answered_set_.erase(answered_.front());
    answered_.pop_front();
  }
}

void link_pool::check_counters() const {
  auto& c = counters_;
  if (c.ingested != c.stored + c.ready + c.reserved + c.assigned + c.consumed + c.destroyed
      || keys_.size() != c.stored + c.ready + c.reserved + c.assigned)
    broken("keys are not conserved on " + settings_.link.value);
}

std::optional<one_time_tag> link_pool::own_tag(const block_id& block) const {
  auto i = blocks_.find(key_of(block));
  if (i == blocks_.end() || i->second.confirmed)
    return std::nullopt;
  return i->second.own;
}

std::optional<one_time_tag> link_pool::remembered_tag(const block_id& block) const {
  for (auto& [key, tag] : confirmed_tags_)
    if (key == key_of(block))
      return tag;
  return std::nullopt;
}

link_pool::verdict link_pool::confirm(const block_id& block, const one_time_tag& peer_tag) {
  if (remembered_tag(block))
    return verdict::equal;
  auto i = blocks_.find(key_of(block));
  if (i == blocks_.end() || i->second.block.count != block.count
      || i->second.block.allocator != block.allocator)
    return verdict::not_here;
  auto& entry = i->second;
  if (!equal_constant_time(entry.expected, peer_tag)) {
    ++counters_.mismatches;
    destroy_block(block, "the two copies differ");
    return verdict::differs;
  }
  entry.confirmed = true;
  push_bounded(confirmed_tags_, {key_of(block), entry.own}, settings_.remembered);
  auto now = entry.arrived;
  for (uint32_t k = tag_keys; k < block.count; ++k)
    change(block.id(k), key_event::confirm, {}, now);
  return verdict::equal;
}

void link_pool::destroy_block(const block_id& block, const std::string& reason) {
  for (uint32_t k = 0; k < block.count; ++k)
    destroy(block.id(k), reason);
}

std::vector<block_id> link_pool::unconfirmed() const {
  std::vector<block_id> out;
  for (auto& entry : blocks_)
    if (!entry.second.confirmed)
      out.push_back(entry.second.block);
  return out;
}

void link_pool::count_demand(uint32_t size_bits, time_point now) {
  demand_.emplace_back(now, size_bits);
  while (now - demand_.front().first > 1h || demand_.size() > settings_.remembered)
    demand_.pop_front();
}

result<key_id> link_pool::reserve(const request_id& request, uint32_t size_bits, time_point now) {
  if (size_bits != key_bits)
    return {ec::invalid_argument, "keys have " + std::to_string(key_bits) + " bits, not "
                                    + std::to_string(size_bits)};
  if (auto known = requests_.find(request); known != requests_.end())
    return known->second;
  if (answered_set_.count(request) > 0)
    return {ec::unknown_key, "this request was answered before; a key is handed out once"};
  if (ready_mine_.empty()) {
    ++counters_.refused;
    return {ec::key_exhausted, "link " + settings_.link.value + " has no unused key"};
  }
  auto id = *ready_mine_.begin();
  change(id, key_event::reserve, request, now);
  requests_[request] = id;
  return id;
}

status link_pool::assign(const key_id& id, const request_id& request, time_point now) {
  if (allocator_of(id) == settings_.end)
    return {ec::not_allowed, "this end hands out " + to_string(id)};
  auto key = keys_.find(id);
  if (key != keys_.end() && key->second.state == key_state::assigned
      && key->second.request == request)
    return done{};
  if (key == keys_.end() || key->second.state != key_state::ready)
    return {ec::unknown_key, "no unused key " + to_string(id) + " here"};
  change(id, key_event::assign, request, now);
  return done{};
}

result<secret> link_pool::consume(const key_id& id) {
  auto key = keys_.find(id);
  if (key == keys_.end() || rank_of(key->second.state) != 3)
    return {ec::unknown_key, "no key " + to_string(id) + " is held for anybody here"};
  auto* block = block_with(id);
  auto bits = block->material.part((counter_of(id) - block->block.first) * key_bytes, key_bytes);
  change(id, key_event::consume, key->second.request, key->second.since);
  return bits;
}

void link_pool::destroy(const key_id& id, const std::string&) {
  auto key = keys_.find(id);
  if (key != keys_.end())
    change(id, key_event::destroy, key->second.request, key->second.since);
}

std::vector<key_id> link_pool::ready() const {
  std::vector<key_id> out;
  for (auto& [id, key] : keys_)
    if (key.state == key_state::ready)
      out.push_back(id);
  return out;
}

std::vector<key_id> link_pool::assigned() const {
  std::vector<key_id> out;
  for (auto& [id, key] : keys_)
    if (key.state == key_state::assigned)
      out.push_back(id);
  return out;
}

std::vector<key_id> link_pool::dead(const std::vector<key_id>& ready_there,
                                    const std::vector<key_id>& assigned_there) const {
  std::vector<key_id> out;
  for (auto& id : ready_there)
    if (keys_.count(id) == 0)
      out.push_back(id);
  for (auto& id : assigned_there) {
    auto next = next_counter_.find(allocator_of(id));
    // Of a session that this end does not know: it has lost its keys and will never use this one.
    bool never_seen = session_of(id) > session_
                      || (session_of(id) == session_
                          && (next == next_counter_.end() || counter_of(id) >= next->second));
    if (never_seen || std::find(failed_.begin(), failed_.end(), id) != failed_.end())
      out.push_back(id);
  }
  return out;
}

size_t link_pool::bury(const std::vector<key_id>& dead_there) {
  size_t n = 0;
  for (auto& id : dead_there) {
    auto key = keys_.find(id);
    if (key == keys_.end()
        || (key->second.state != key_state::ready && key->second.state != key_state::assigned))
      continue;
    destroy(id, "the peer has it no more");
    ++n;
  }
  return n;
}

size_t link_pool::expire(time_point now) {
  size_t n = 0;
  for (auto& block : unconfirmed())
    if (now - blocks_.at(key_of(block)).arrived > settings_.confirm_deadline) {
      n += blocks_.at(key_of(block)).live;
      destroy_block(block, "never confirmed");
    }
  for (auto& id : assigned())
    if (now - keys_.at(id).since > settings_.assigned_ttl) {
      destroy(id, "never claimed");
      ++n;
    }
  return n;
}

key_state link_pool::state_of(const key_id& id) const {
  auto key = keys_.find(id);
  return key == keys_.end() ? key_state::absent : key->second.state;
}

pool_status link_pool::status_now(time_point now) const {
  auto out = counters_;
  double bits = 0;
  for (auto& [when, size] : demand_)
    if (now - when <= 1h)
      bits += size;
  auto span = std::clamp<duration>(now - opened_, 1s, 1h);
  out.demand_bits_per_s = bits / to_seconds(span);
  return out;
}

} // namespace qnfv
