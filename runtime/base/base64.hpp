#pragma once

#include "runtime/base/secret.hpp"

#include <optional>
#include <string_view>

namespace qnfv {

/// RFC 4648, section 4 (alphabet with + and /, padded with =). Text of a key is a secret too.
secret to_base64(byte_view);

/// The same, to a place of the caller's with room for base64_size() bytes.
void write_base64(byte_view, uint8_t* to);
constexpr size_t base64_size(size_t bytes) { return (bytes + 2) / 3 * 4; }

/// Nothing if `text` is not the one encoding of some bytes: length, alphabet, padding, unused bits.
std::optional<secret> from_base64(std::string_view text);

} // namespace qnfv
