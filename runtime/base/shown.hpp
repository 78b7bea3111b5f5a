#pragma once

#include "runtime/base/bytes.hpp"

namespace qnfv {

/// What masks hide a byte behind.
constexpr uint8_t masked_byte = 'x';

/// A piece of a wire as everybody may see it, in the length that it had. Only masks make one: each
/// protocol has its own, which lets through what is known to be harmless.
struct shown_bytes {
  bytes value;
};

} // namespace qnfv
