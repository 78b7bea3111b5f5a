#pragma once

// What a trusted node does to keys (Fig. 6, steps 7 and 8). Pure.

#include "runtime/messages/relay.hpp"

#include <vector>

namespace qnfv {

/// The keys of one hop for one relay, in the order of their ids: a pad per key, then the tag's key.
/// Spent by one use at each end.
struct hop_keys {
  std::vector<key_id> ids;
  std::vector<secret> bits;

  bool empty() const { return bits.empty(); }
  void wipe();
};

/// Takes the bits over; the grants are empty afterwards.
hop_keys take(std::vector<key_grant>& grants);

/// A batch of keys as it crosses a hop.
struct wrapped_batch {
  std::vector<key_id> next;
  bytes wrapped;
  one_time_tag tag{};
};

/// What the tag of hop `hop` covers, so that no field can be changed, moved to another hop, share
/// or block, sent back the other way, or repeated: big endian,
///
///   "qnfv relay 1" 0, relay id, hop (4), direction (1; 0: towards the origin), share (4),
///   block: name of the link, 0, session (4), allocator (1), first (8), count (4),
///   sites (1), each name and 0, pads (4), their ids, next (4), their ids, wrapped bytes (4), they
bytes tagged_text(const relay_route&, uint32_t hop, const std::vector<key_id>& pads,
                  const wrapped_batch&);

/// Each key XORed with a fresh pad of the hop, and the tag under the hop's last key. The far end
/// wraps nothing: its answer is the tag alone. Failure: invalid_argument (not a pad of the same
/// size for every key, and one key more).
result<wrapped_batch> wrap(const relay_route&, uint32_t hop, const hop_keys& pads,
                           const std::vector<key_id>& next, const std::vector<secret>& keys);

/// The other end. `is_last`: the hop ends at the far end, and the end keys are its pads.
/// Failures: digest_mismatch (the tag), invalid_argument (sizes).
result<std::vector<secret>> unwrap(const relay_route&, uint32_t hop, const hop_keys& pads,
                                   const wrapped_batch&, bool is_last);

/// Keys one after the other, as a block's material.
secret joined(const std::vector<secret>& keys);
/// The block that these shares make. They must be of one size, one at least.
secret combined(const std::vector<secret>& shares);

} // namespace qnfv
