#pragma once

// Which Bob serves which Alice, where the switches let it choose. Pure.

#include <cstddef>
#include <vector>

namespace qnfv {

struct load_share {
  double load = 0;    ///< Of a Bob's time; see capacity.hpp.
  size_t bob = 0;     ///< Its Bob now.
  bool fixed = false; ///< It must stay there.
};

/// Spreads loads evenly over the Bobs that are up: the largest first, each to the least loaded Bob.
/// A link whose Bob is down and that cannot move stays where it is.
std::vector<size_t> share_out(const std::vector<load_share>&, const std::vector<bool>& up);

} // namespace qnfv
