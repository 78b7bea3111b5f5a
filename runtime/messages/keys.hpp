#pragma once

// Conversation: who may ask a site for key material, what comes back, and how the two ends of a
// link agree. The rules are in actors/key_pool/README.md.
//
//   qkd_device --key_block--------> key_pool        (per distilled block, at both ends)
//   image_stream --reserve_key----> key_pool        (encrypting end)
//   image_stream --claim_key------> key_pool        (decrypting end)
//   key_pool --confirm_block------> key_pool        (peer: do we hold the same bits?)
//   key_pool --assign_key---------> key_pool        (peer: this key is for this request)
//   key_pool --reconcile_keys-----> key_pool        (peer: which of these do you no longer hold?)
//   operator --keys_status_query--> key_pool

#include "runtime/base/ids.hpp"
#include "runtime/base/secret.hpp"
#include "runtime/messages/admin.hpp"

#include <array>
#include <vector>

namespace qnfv {

/// The key size of this system: one AES-256 key.
constexpr uint32_t key_bits = 256;
constexpr size_t key_bytes = key_bits / 8;

/// Identifies a request for a key. Repeating a request with the same id never yields a second key.
using request_id = uuid<struct request_tag>;

/// Identifies one distilled block of one link: `count` keys with consecutive counters.
struct block_id {
  link_id link;
  uint32_t session = 0;
  link_end allocator = link_end::bob;
  uint64_t first = 0;
  uint32_t count = 0;

  key_id id(uint32_t i) const { return make_key_id(link, session, allocator, first + i); }
};
QNFV_MESSAGE(block_id, link, session, allocator, first, count)

/// A distilled block, as it leaves a QKD device at one end. Local.
struct key_block {
  block_id block;
  secret material; ///< count * 32 bytes, in the order of the ids.

  friend std::string to_string(const key_block& x) {
    return "key_block(" + x.block.link.value + ", session " + std::to_string(x.block.session)
           + ", keys " + std::to_string(x.block.first) + "+" + std::to_string(x.block.count) + ", "
           + to_string(x.material) + ")";
  }
};

/// Asks the encrypting end for one unused key. Local.
struct reserve_key {
  link_id link;
  uint32_t size_bits = key_bits;
  request_id request;
};
QNFV_MESSAGE(reserve_key, link, size_bits, request)

/// Asks the decrypting end for the key that its peer named. Local.
struct claim_key {
  link_id link;
  key_id id;
  request_id request;
};
QNFV_MESSAGE(claim_key, link, id, request)

/// One key, handed out once. The receiver is now its only owner. Local.
struct key_grant {
  key_id id;
  secret material;

  friend std::string to_string(const key_grant& x) {
    return "key_grant(" + to_string(x.id) + ", " + to_string(x.material) + ")";
  }
};

/// A 128-bit one-time tag (Poly1305 under key bits that are spent for it).
using one_time_tag = std::array<uint8_t, 16>;

/// "My copy of this block has this tag." The answer carries the peer's own tag, made with other
/// key bits. Errors: unknown_key (the block has not arrived here: ask again), not_allowed,
/// digest_mismatch (the copies differ; the peer has destroyed its own).
struct confirm_block {
  block_id block;
  one_time_tag tag;
};
QNFV_MESSAGE(confirm_block, block, tag)

struct block_confirmed {
  block_id block;
  one_time_tag tag;
};
QNFV_MESSAGE(block_confirmed, block, tag)

/// "I reserved this key for that request; hold it for the same request." Idempotent by (id,
/// request). Errors: unknown_key, not_allowed.
struct assign_key {
  link_id link;
  key_id id;
  request_id request;
};
QNFV_MESSAGE(assign_key, link, id, request)

struct key_assigned {
  key_id id;
};
QNFV_MESSAGE(key_assigned, id)

/// "These I hold unused, these I hold for a request of yours; which of them are dead with you?"
/// At most 4096 ids a message.
struct reconcile_keys {
  link_id link;
  std::vector<key_id> ready;
  std::vector<key_id> assigned;
};
QNFV_MESSAGE(reconcile_keys, link, ready, assigned)

struct keys_gone {
  link_id link;
  std::vector<key_id> gone;
};
QNFV_MESSAGE(keys_gone, link, gone)

struct pool_status_query {
  link_id link;
};
QNFV_MESSAGE(pool_status_query, link)

/// Counters of one end of one link, in keys. Conservation:
/// ingested = stored + ready + reserved + assigned + consumed + destroyed, at every event.
struct pool_status {
  link_id link;
  site_id peer;
  link_end end = link_end::bob;
  uint64_t ingested = 0;
  uint64_t stored = 0;
  uint64_t ready = 0;
  uint64_t reserved = 0;
  uint64_t assigned = 0;
  uint64_t consumed = 0;
  uint64_t destroyed = 0;
  double demand_bits_per_s = 0; ///< Mean of the last hour, asked for, served or not.
  uint64_t refused = 0;         ///< Requests that found the pool empty.
  uint64_t mismatches = 0;      ///< Blocks whose two copies differed.
};
QNFV_MESSAGE(pool_status, link, peer, end, ingested, stored, ready, reserved, assigned, consumed,
             destroyed, demand_bits_per_s, refused, mismatches)

struct keys_status_query {};
QNFV_SIGNAL(keys_status_query)

struct keys_status {
  site_id site;
  std::vector<pool_status> pools;
};
QNFV_MESSAGE(keys_status, site, pools)

/// The KEY POOL interface: one per site, all links of that site.
using key_pool_actor = actor_of<
  // Stores a distilled block. A block that overlaps a known id is refused and counted.
  caf::result<void>(key_block),
  // Hands out one unused key, once the peer holds it for the same request.
  // Errors: unknown_link, invalid_argument, key_exhausted, site_unreachable, maybe_executed.
  caf::result<key_grant>(reserve_key),
  // Hands out the key that the peer assigned. Errors: unknown_link, unknown_key.
  caf::result<key_grant>(claim_key),
  // From the pool at the other end of the link only.
  caf::result<block_confirmed>(confirm_block), caf::result<key_assigned>(assign_key),
  caf::result<keys_gone>(reconcile_keys),
  // Errors: unknown_link.
  caf::result<pool_status>(pool_status_query),
  caf::result<keys_status>(keys_status_query),
  caf::result<void>(peer_up), caf::result<void>(peer_down), caf::result<void>(tick),
  caf::result<void>(continuation)>;

} // namespace qnfv
