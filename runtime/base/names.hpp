#pragma once

#include <cstddef>
#include <string>

namespace qnfv {

/// The name of an enumerated value, from a table in the order of the values. "?" for a value that
/// is none: what a peer or a file says may be any number.
template <size_t N, class Enum>
std::string name_in(const char* const (&names)[N], Enum x) {
  auto i = static_cast<size_t>(x);
  return i < N ? names[i] : "?";
}

} // namespace qnfv
