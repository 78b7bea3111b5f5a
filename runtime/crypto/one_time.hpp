#pragma once

// Keys that are used once: pads and authenticators. Whoever calls spends the key; nothing here can
// tell whether it was used before.

#include "runtime/base/result.hpp"
#include "runtime/base/secret.hpp"

#include <array>

namespace qnfv {

/// Poly1305 (RFC 8439, 2.5) under a fresh 32-byte key: a one-time authenticator. Forging succeeds
/// with probability at most 8 * ceil(size / 16) / 2^106.
/// Failure: invalid_argument if the key has not 32 bytes.
result<std::array<uint8_t, 16>> one_time_mac(byte_view key, byte_view message);

/// `message` XOR `pad`. Failure: invalid_argument if the lengths differ: a pad never wraps around.
result<bytes> one_time_pad(byte_view pad, byte_view message);

} // namespace qnfv
