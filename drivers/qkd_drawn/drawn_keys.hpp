#pragma once

// Keys that are drawn from a key server of another make. Pure.

#include "runtime/base/result.hpp"
#include "runtime/messages/keys.hpp"

#include <deque>
#include <string>
#include <unordered_set>
#include <vector>

namespace qnfv {

/// Fewer keys than these make no block: two of them are spent on its confirmation.
constexpr uint32_t block_keys_min = 3;
/// The longest name of a key that is taken; a UUID has 36.
constexpr size_t key_name_max = 64;

/// A key, and how it is called at its server: public, the same at both ends.
struct drawn_key {
  std::string name;
  secret bits; ///< 32 bytes.
};

/// 1 to 64 printable ASCII characters.
bool good_key_name(const std::string&);

/// The names seen last: no key is taken twice. Bounded: the oldest is forgotten first.
class name_memory {
public:
  explicit name_memory(size_t names_max) : max_(names_max) {}
  /// False if it was seen before.
  bool insert(const std::string& name);

private:
  const size_t max_;
  std::unordered_set<std::string> names_;
  std::deque<std::string> order_; ///< Oldest first.
};

/// Takes those of `arrived` that may become keys of ours: of a good name and size, never seen (else
/// the earlier one goes too, if it is still here), and with other bits than the rest, up to
/// `keys_max` in all. Returns how many were thrown away.
size_t take_fresh(std::vector<drawn_key> arrived, std::vector<drawn_key>& into, size_t keys_max,
                  name_memory& seen);

/// The question about a block is one that Alice's end can answer. The problem in words; empty:
/// none.
std::string problem_of(const block_id& block, const std::vector<std::string>& names,
                       uint32_t block_keys_max);

/// The positions of `fetched` in `names`, ascending; `fetched` comes out in that order, without
/// strangers and repetitions.
std::vector<uint32_t> positions_of(const std::vector<std::string>& names,
                                   std::vector<drawn_key>& fetched);

/// Those keys of `drawn` that the other end holds too. Errors: invalid_argument (positions out of
/// range or order, or another number of them than the block says).
result<std::vector<drawn_key>> select(const std::vector<drawn_key>& drawn, const block_id& block,
                                      const std::vector<uint32_t>& held);

/// The block: all bits in one piece. `block.count` is the number of keys.
key_block make_block(const block_id& block, const std::vector<drawn_key>& keys);

} // namespace qnfv
