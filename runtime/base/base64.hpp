#pragma once

#include "runtime/base/secret.hpp"

#include <optional>
#include <string_view>

namespace qnfv {

/// RFC 4648, section 4 (alphabet with + and /, padded with =). Text of a key is a secret too.
secret to_base64(byte_view);

/// Nothing if `text` is not the one encoding of some bytes: length, alphabet, padding, unused bits.
std::optional<secret> from_base64(std::string_view text);

} // namespace qnfv
