#pragma once

#include "runtime/base/result.hpp"
#include "runtime/base/secret.hpp"

#include <cstdint>
#include <deque>
#include <unordered_set>
#include <vector>

namespace qnfv {

/// What a key source must not deliver: bits that are visibly not random, or bits it delivered before.
/// A gate cannot prove that keys are good; it notices sources that are broken, stuck or replayed.
///
/// Each statistic is turned into a standard score, and a block beyond 6.5 either way is refused: a good
/// source sees that less than once in ten billion blocks.
///   ones         share of one bits (NIST SP 800-22, 2.1)
///   changes      share of neighbouring bits that differ (2.3)
///   values       chi-square over bytes, or over half bytes below 2048 bytes (FIPS 140-1's poker
///                test); too even is as suspicious as too uneven
/// Keys of 32 bytes are remembered by a keyed digest, the key of which lives and dies with the gate.
class quality_gate {
public:
  /// `digest_key`: 32 random bytes. `keys_remembered`: of the newest accepted ones.
  explicit quality_gate(secret digest_key, size_t keys_remembered = 1u << 16)
    : digest_key_(std::move(digest_key)), keys_remembered_(keys_remembered) {}

  /// Keyed digests of the keys of a block.
  using digests = std::vector<uint64_t>;
  /// Failure: device_failed, naming the statistic or the repetition. `material` is a number of keys
  /// of 32 bytes.
  result<digests> judge(const secret& material) const;
  /// Remembers an accepted block.
  void remember(const digests&);

private:
  uint64_t digest(byte_view key) const;

  secret digest_key_;
  size_t keys_remembered_;
  std::unordered_set<uint64_t> known_;
  std::deque<uint64_t> order_;
};

} // namespace qnfv
