#pragma once

#include "runtime/base/result.hpp"
#include "runtime/base/secret.hpp"

#include <array>

namespace qnfv {

constexpr size_t seal_nonce_bytes = 12;
constexpr size_t seal_tag_bytes = 16;
using seal_nonce = std::array<uint8_t, seal_nonce_bytes>;

/// AES-256-GCM (NIST SP 800-38D): ciphertext followed by the 16-byte tag. A (key, nonce) pair must
/// never be used twice. The key must have 32 bytes.
bytes seal(byte_view key, const seal_nonce& nonce, byte_view associated, byte_view plaintext);

/// Failure: storage_failed if the tag does not verify: another key, or changed bytes.
result<secret> unseal(byte_view key, const seal_nonce& nonce, byte_view associated, byte_view sealed);

} // namespace qnfv
