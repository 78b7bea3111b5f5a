#pragma once

#include "runtime/base/bytes.hpp"

#include <array>
#include <memory>

namespace qnfv {

using sha256_digest = std::array<uint8_t, 32>;

/// SHA-256 (FIPS 180-4), piece by piece. A copy continues on its own.
class sha256 {
public:
  sha256();
  sha256(const sha256&);
  sha256& operator=(const sha256&) = delete;
  ~sha256();

  void update(byte_view);
  /// Once; the object is used up.
  sha256_digest finish();

  static sha256_digest of(byte_view);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace qnfv
