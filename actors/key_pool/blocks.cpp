// One end of one link's pool: how distilled blocks become keys.

#include "actors/key_pool/link_pool.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/crypto/one_time.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>

namespace qnfv {

namespace {

std::string text_of(const block_id& x) {
  return "session " + std::to_string(x.session) + " keys " + std::to_string(x.first) + "+"
         + std::to_string(x.count);
}

/// What a tag covers: the question but for its tag, and every bit of the block.
one_time_tag tag_under(const secret& key, const confirm_block& x, const secret& material) {
  auto& name = x.block.link.value;
  bytes message(name.begin(), name.end());
  message.push_back(0);
  uint8_t numbers[21];
  store_be32(numbers, x.block.session);
  numbers[4] = static_cast<uint8_t>(x.block.allocator);
  store_be64(numbers + 5, x.block.first);
  store_be32(numbers + 13, x.block.count);
  store_be32(numbers + 17, x.renew);
  message.insert(message.end(), numbers, numbers + sizeof numbers);
  for (auto& id : {x.bob_tag_key, x.alice_tag_key})
    message.insert(message.end(), id.value.begin(), id.value.end());
  auto bits = material.view();
  message.insert(message.end(), bits.begin(), bits.end());
  auto tag = one_time_mac(key.view(), message);
  OPENSSL_cleanse(message.data(), message.size());
  if (!tag)
    std::abort(); // A tag key of another size.
  return *tag;
}

} // namespace

status link_pool::may_ingest(const block_id& block, const secret& material) const {
  if (block.link != settings_.link || block.session == 0 || block.count < 3
      || block.allocator > link_end::alice || block.count > 1u << 20 || block.first > UINT64_MAX / 512
      || material.size() != block.count * key_bytes)
    return {ec::invalid_argument, "a block of " + std::to_string(block.count) + " keys and "
                                    + std::to_string(material.size()) + " bytes"};
  if (block.session < session_)
    return {ec::stale_epoch, "session " + std::to_string(block.session) + " after session "
                               + std::to_string(session_)};
  if (block.session == session_ && block.first < next_counter_)
    return {ec::already_exists, "key numbers from " + std::to_string(block.first)
                                  + " were seen before"};
  if (block.count > settings_.keys_max)
    return {ec::busy, "the pool is too small for " + std::to_string(block.count) + " keys"};
  // The last block may go beyond: a pool that waits for one that fits would never be full.
  if (counters_.stored + counters_.ready >= settings_.keys_max)
    return {ec::busy, "the pool is full"};
  // Neither end's keys may leave no room for those of the other, who would wait for ever.
  if (unused_[static_cast<size_t>(block.allocator)] >= settings_.keys_max / 4 * 3)
    return {ec::busy, "the pool is full of keys that " + to_string(block.allocator) + " hands out"};
  return done{};
}

status link_pool::ingest(const block_id& block, const secret& material, time_point now,
                         const std::vector<site_id>& exposed_to) {
  if (auto ok = may_ingest(block, material); !ok)
    return ok;
  if (block.session == session_ && exposed_to != exposure_of(block.id(0)))
    return {ec::invalid_argument, "other trusted nodes than the session's saw this block"};
  if (!exposed_to.empty() && exposures_.count(block.session) == 0) {
    exposures_[block.session] = exposed_to;
    store_->put_exposure(block.session, exposed_to);
  }
  session_ = block.session;
  next_counter_ = block.first + block.count;
  auto& entry = blocks_[key_of(block)];
  entry = {};
  entry.block = block;
  entry.material = material;
  entry.arrived = now;
  for (uint32_t i = 0; i < block.count; ++i) {
    key_record x;
    x.id = block.id(i);
    x.state = key_state::stored;
    x.progress = progress_;
    if (auto ok = store_->put_key(x, material.view().part(i * key_bytes, key_bytes)); !ok) {
      destroy_block(block, "no room");
      return ok;
    }
    keys_[x.id] = {key_state::stored, {}};
    ++counters_.ingested;
    count(x.id, key_state::stored, 1);
  }
  check_counters();
  return done{};
}

secret link_pool::spend_tag_key(const key_id& id, const block_id& block) {
  auto bits = store_->bits(id);
  change(id, key_event::spend, nullptr, "tag of " + text_of(block));
  return bits ? *bits : secret{key_bytes};
}

result<confirm_block> link_pool::ask_confirm(const block_id& block) {
  auto i = blocks_.find(key_of(block));
  if (i == blocks_.end())
    return {ec::unknown_key, "no such block waits here"};
  auto& entry = i->second;
  if (entry.question)
    return *entry.question;
  if (kept_.size() < std::max(settings_.kept_floor, 2u))
    return {ec::key_exhausted, trouble()};
  confirm_block out;
  out.block = entry.block;
  // As many as are spent now, and more while the reserve is below its target.
  auto missing = settings_.kept_target + 2 - std::min<uint64_t>(kept_.size(), settings_.kept_target);
  out.renew = std::min({static_cast<uint32_t>(missing), settings_.renew_max, entry.block.count - 1});
  // The youngest: old ones that are spent late would each hold a segment of the journal for as long.
  out.bob_tag_key = *kept_.rbegin();
  out.alice_tag_key = *std::next(kept_.rbegin());
  auto bob = spend_tag_key(out.bob_tag_key, block);
  auto alice = spend_tag_key(out.alice_tag_key, block);
  out.tag = tag_under(bob, out, entry.material);
  entry.expected = tag_under(alice, out, entry.material);
  entry.question = out;
  return out;
}

bool link_pool::asked(const block_id& block) const {
  auto i = blocks_.find(key_of(block));
  return i != blocks_.end() && i->second.question.has_value();
}

void link_pool::forget_tags(const block_id& block) {
  auto i = blocks_.find(key_of(block));
  if (i != blocks_.end())
    i->second.question.reset();
}

void link_pool::confirm_keys(block_entry& entry, uint32_t renew) {
  auto block = entry.block;
  blocks_.erase(key_of(block));
  for (uint32_t k = 0; k < block.count; ++k)
    change(block.id(k), k < renew ? key_event::keep : key_event::confirm, nullptr, {});
}

link_pool::verdict link_pool::answer_confirm(const confirm_block& x, one_time_tag& own) {
  for (auto& [key, tag] : confirmed_tags_)
    if (key == key_of(x.block)) {
      own = tag;
      return verdict::equal;
    }
  auto i = blocks_.find(key_of(x.block));
  if (i == blocks_.end() || i->second.block.count != x.block.count
      || i->second.block.allocator != x.block.allocator)
    return verdict::not_here;
  if (kept_.count(x.bob_tag_key) == 0 || kept_.count(x.alice_tag_key) == 0
      || x.bob_tag_key == x.alice_tag_key)
    return verdict::no_tag_keys;
  auto& entry = i->second;
  auto bob = spend_tag_key(x.bob_tag_key, x.block);
  auto alice = spend_tag_key(x.alice_tag_key, x.block);
  auto question = x;
  question.renew = std::min(x.renew, x.block.count - 1);
  auto expected = tag_under(bob, x, entry.material);
  own = tag_under(alice, x, entry.material);
  if (!equal_constant_time(expected, x.tag) && !QNFV_MUTANT("copies not compared")) {
    ++counters_.mismatches;
    destroy_block(x.block, "the two copies differ");
    return verdict::differs;
  }
  push_bounded(confirmed_tags_, {key_of(x.block), own}, settings_.remembered);
  confirm_keys(entry, question.renew);
  return verdict::equal;
}

link_pool::verdict link_pool::confirm(const block_id& block, const one_time_tag& peer_tag) {
  auto i = blocks_.find(key_of(block));
  if (i == blocks_.end() || !i->second.question)
    return verdict::not_here;
  auto& entry = i->second;
  if (!equal_constant_time(entry.expected, peer_tag) && !QNFV_MUTANT("copies not compared")) {
    ++counters_.mismatches;
    destroy_block(block, "the two copies differ");
    return verdict::differs;
  }
  confirm_keys(entry, entry.question->renew);
  return verdict::equal;
}

void link_pool::destroy_block(const block_id& block, const std::string& reason) {
  blocks_.erase(key_of(block));
  for (uint32_t k = 0; k < block.count; ++k)
    if (state_of(block.id(k)) == key_state::stored)
      change(block.id(k), key_event::destroy, nullptr, reason);
}

std::vector<block_id> link_pool::unconfirmed() const {
  std::vector<block_id> out;
  for (auto& entry : blocks_)
    out.push_back(entry.second.block);
  return out;
}

} // namespace qnfv
