#pragma once

#include "runtime/base/secret.hpp"

namespace qnfv {

/// HKDF-SHA256 (RFC 5869), extract and expand: `size` bytes, at most 255 * 32.
secret hkdf_sha256(byte_view key, byte_view salt, byte_view info, size_t size);

} // namespace qnfv
