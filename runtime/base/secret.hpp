#pragma once

#include "runtime/base/bytes.hpp"

#include <memory>
#include <string>

namespace qnfv {

/// Key bits. The only type they live in.
///
/// The bits stand once in memory that is locked, left out of core dumps while the arena lasts
/// (OpenSSL's secure heap), and wiped when the last handle goes. Copies are handles to the same
/// bits: CAF copies messages, and a copy must not double a key. It prints as `<secret 32 B>`, has
/// no inspect() and so cannot be registered for the wire.
class secret {
public:
  secret() = default;

  /// Zero bytes to be filled in place.
  explicit secret(size_t size);

  /// Takes a copy of `bits`; the caller wipes its own.
  explicit secret(byte_view bits);

  size_t size() const;
  bool empty() const { return size() == 0; }
  byte_view view() const;
  uint8_t* data();

  /// A new secret holding the part [offset, offset + n). The range must lie within.
  secret part(size_t offset, size_t n) const;

  /// Overwrites the bits now, for every handle, and lets go of them.
  void wipe();

private:
  struct block;
  std::shared_ptr<block> block_;
};

/// "<secret 32 B>". A free function named to_string wins over CAF's own printing of messages.
std::string to_string(const secret&);

/// Locks memory for secrets and forbids core dumps of this process. Called once by main(), before
/// the first secret; without it secrets still work, on the ordinary heap.
/// Returns false if the memory could not be locked.
bool protect_secrets(size_t arena_bytes = 4u << 20);

} // namespace qnfv
