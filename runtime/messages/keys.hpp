#pragma once

// Conversation: who may ask a site for key material, what comes back, and how the two ends of a
// link agree. The rules are in actors/key_pool/README.md.
//
//   qkd_device --key_block--------> key_pool        (per distilled block, at both ends)
//   image_stream --reserve_keys---> key_pool        (encrypting end)
//   image_stream --claim_keys-----> key_pool        (decrypting end)
//   key_pool --compare_stores-----> key_pool        (peer: is your store the one I knew?)
//   key_pool --confirm_block------> key_pool        (peer: do we hold the same bits?)
//   key_pool --assign_keys--------> key_pool        (peer: these keys are for these users)
//   key_pool --reconcile_keys-----> key_pool        (peer: which of these do you no longer hold?)
//   operator --keys_status_query--> key_pool
//   operator --reconcile_now------> key_pool

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
QNFV_FIELDS(block_id, link, session, allocator, first, count)

/// A distilled block, as it leaves a QKD device at one end. Local.
struct key_block {
  block_id block;
  secret material; ///< count * 32 bytes, in the order of the ids.
  /// Trusted nodes that saw these bits; the same for all blocks of a session. Empty: nobody did.
  std::vector<site_id> exposed_to;

  friend std::string to_string(const key_block& x) {
    return "key_block(" + x.block.link.value + ", session " + std::to_string(x.block.session)
           + ", keys " + std::to_string(x.block.first) + "+" + std::to_string(x.block.count) + ", "
           + to_string(x.material) + ")";
  }
};

/// Who shares a key, in the words of ETSI GS QKD 014: the master asked for it, the slaves fetch it by
/// its id. Applications by their names, roles of ours as "co/image_stream".
struct key_users {
  std::string master;
  std::vector<std::string> slaves;
};
QNFV_FIELDS(key_users, master, slaves)

/// Asks this end for `count` unused keys of `size_bits` each (a multiple of 8). Local.
struct reserve_keys {
  link_id link;
  uint32_t count = 1;
  uint32_t size_bits = key_bits;
  request_id request;
  key_users users;
  bool again = false; ///< Asked before, and refused: its demand is counted already.
};
QNFV_MESSAGE(reserve_keys, link, count, size_bits, request, users, again)

/// Asks this end for the keys that its peer named: all of them or none. Local.
struct claim_keys {
  link_id link;
  std::vector<key_id> keys;
  std::string master;
  std::string slave;
};
QNFV_MESSAGE(claim_keys, link, keys, master, slave)

/// One key, handed out once. The receiver is now its only owner. Local.
struct key_grant {
  key_id id;
  secret material;
  std::vector<site_id> exposed_to; ///< Trusted nodes that relayed it.

  friend std::string to_string(const key_grant& x) {
    return "key_grant(" + to_string(x.id) + ", " + to_string(x.material) + ")";
  }
};

/// In the order of the claim. Local.
struct key_grants {
  std::vector<key_grant> keys;

  friend std::string to_string(const key_grants& x) {
    return "key_grants(" + std::to_string(x.keys.size()) + ")";
  }
};

/// Where one end's store stands: what the other end remembers of it, to notice a store that was
/// restored from a backup or copied. `progress` counts what this end promised, durably.
struct store_mark {
  uint32_t generation = 0;               ///< Grows with each start.
  std::array<uint8_t, 16> instance{};    ///< Random, of this start.
  uint64_t progress = 0;
};
QNFV_FIELDS(store_mark, generation, instance, progress)

/// "This is where I stand, and this is what I remember of you." Nothing is handed out after a start
/// before both ends have compared. The answer is the same, from the other end.
/// Errors: not_allowed.
struct compare_stores {
  link_id link;
  store_mark mine;
  store_mark yours; ///< As last seen; generation 0: never.
  bool started_over = false; ///< The operator had every key of this end destroyed.
};
QNFV_MESSAGE(compare_stores, link, mine, yours, started_over)

/// A 128-bit one-time tag (Poly1305 under key bits that are spent for it).
using one_time_tag = std::array<uint8_t, 16>;

/// "My copy of this block has this tag." Both tag keys come out of the pair's authentication reserve;
/// `renew` keys of the block will replace them. The answer carries the peer's own tag, made with the
/// second tag key. Errors: busy (the block has not arrived here: ask again), unknown_key (these tag
/// keys are not here: take others), not_allowed, digest_mismatch (the copies differ, or somebody
/// else sent the tag; the peer has destroyed its own).
struct confirm_block {
  block_id block;
  key_id bob_tag_key;
  key_id alice_tag_key;
  uint32_t renew = 0;
  one_time_tag tag;
};
QNFV_MESSAGE(confirm_block, block, bob_tag_key, alice_tag_key, renew, tag)

struct block_confirmed {
  block_id block;
  one_time_tag tag;
};
QNFV_MESSAGE(block_confirmed, block, tag)

/// One key that its allocating end reserved for somebody. Longer keys than 256 bits are made of
/// several, in the order of `parts`; the first one's id names the key.
struct key_assignment {
  std::vector<key_id> parts;
  uint32_t size_bits = key_bits;
  request_id request;
  key_users users;
};
QNFV_FIELDS(key_assignment, parts, size_bits, request, users)

/// "I reserved these; hold them for the same users." Idempotent by (id, request). At most 256 at a
/// time. Errors: not_allowed, busy (the stores are not compared yet).
struct assign_keys {
  link_id link;
  uint64_t progress = 0;
  std::vector<key_assignment> keys;
};
QNFV_MESSAGE(assign_keys, link, progress, keys)

/// Those that are held now; the others are not here any more.
struct keys_assigned {
  link_id link;
  uint64_t progress = 0;
  std::vector<key_id> held;
};
QNFV_MESSAGE(keys_assigned, link, progress, held)

/// "I have got so far." After keys were handed out that the peer had assigned; unanswered.
struct store_progress {
  link_id link;
  uint64_t progress = 0;
};
QNFV_MESSAGE(store_progress, link, progress)

/// Consecutive keys of one allocator.
struct key_range {
  uint32_t session = 0;
  link_end allocator = link_end::bob;
  uint64_t first = 0;
  uint32_t count = 0;

  key_id id(const link_id& link, uint32_t i) const {
    return make_key_id(link, session, allocator, first + i);
  }
};
QNFV_FIELDS(key_range, session, allocator, first, count)

/// "These I hold unused, these I hold for a request of yours; which of them are dead with you?"
/// At most 4096 ranges and 4096 keys a message.
struct reconcile_keys {
  link_id link;
  std::vector<key_range> unused;
  std::vector<key_id> assigned;
};
QNFV_MESSAGE(reconcile_keys, link, unused, assigned)

struct keys_gone {
  link_id link;
  std::vector<key_id> gone;
};
QNFV_MESSAGE(keys_gone, link, gone)

/// The operator: compare with the peer now. With `discard`, a pool that was found rolled back
/// destroys every key it has, the authentication reserve too; it goes on when both ends were brought
/// a new link secret. The answer comes when it is done. Errors: not_allowed (neither this site nor the
/// operator), invalid_argument (discard, and the store is sound), unknown_link, site_unreachable,
/// maybe_executed.
struct reconcile_now {
  link_id link;
  bool discard = false;
};
QNFV_MESSAGE(reconcile_now, link, discard)

struct pool_status_query {
  link_id link;
};
QNFV_MESSAGE(pool_status_query, link)

/// Counters of one end of one link since its start, in keys of 256 bits. What the store brought back
/// counts as ingested. Conservation: ingested = stored + ready + kept + reserved + assigned +
/// consumed + destroyed, at every event.
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
  uint64_t kept = 0;            ///< The authentication reserve.
  uint64_t ready_here = 0;      ///< Of the ready ones, those that this end hands out.
  std::string trouble;          ///< Why nothing is handed out; empty: all is well.
  std::vector<site_id> exposed_to; ///< Trusted nodes that saw any of the keys that are here.
  uint32_t session = 0;         ///< The highest seen,
  uint64_t next_counter = 0;    ///< and the lowest number of it that a new block may have.
  uint64_t weak_blocks = 0;     ///< Refused: not random, or delivered before.
  uint64_t asked_bits = 0;      ///< Asked for at this end, served or not.
  uint64_t capacity = 0;        ///< Keys the pool takes; more are refused.
};
QNFV_MESSAGE(pool_status, link, peer, end, ingested, stored, ready, reserved, assigned, consumed,
             destroyed, demand_bits_per_s, refused, mismatches, kept, ready_here, trouble, exposed_to,
             session, next_counter, weak_blocks, asked_bits, capacity)

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
  // Hands out unused keys, once the peer holds them for the same users.
  // Errors: unknown_link, invalid_argument, key_exhausted, site_unreachable, maybe_executed, busy
  // (the stores are not compared yet), not_allowed (the store was rolled back).
  caf::result<key_grants>(reserve_keys),
  // Hands out the keys that the peer assigned. Errors: unknown_link, unknown_key, not_allowed (they
  // are for somebody else), busy.
  caf::result<key_grants>(claim_keys),
  // From the pool at the other end of the link only.
  caf::result<compare_stores>(compare_stores), caf::result<block_confirmed>(confirm_block),
  caf::result<keys_assigned>(assign_keys), caf::result<keys_gone>(reconcile_keys),
  caf::result<void>(store_progress),
  // Errors: unknown_link.
  caf::result<pool_status>(pool_status_query),
  caf::result<keys_status>(keys_status_query),
  caf::result<pool_status>(reconcile_now),
  caf::result<void>(peer_up), caf::result<void>(peer_down), caf::result<void>(tick),
  caf::result<void>(continuation)>;

} // namespace qnfv
