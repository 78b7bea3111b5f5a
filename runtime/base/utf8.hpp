#pragma once

#include <string>
#include <string_view>

namespace qnfv {

/// Surrogates and overlong forms are none (RFC 3629, clause 3).
bool is_utf8(std::string_view);

/// A text that somebody else wrote (the name of a file, what an engine answered) may be no UTF-8; what
/// we write is. Each byte that belongs to no character becomes U+FFFD.
std::string as_utf8(std::string_view);

} // namespace qnfv
