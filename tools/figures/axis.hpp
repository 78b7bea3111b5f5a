#pragma once

// From values to places on a picture. Pure.

#include "runtime/base/result.hpp"

#include <string>
#include <vector>

namespace qnfv {

struct axis {
  std::string title; ///< With its unit: "distance [km]".
  double low = 0;
  double high = 1;
  bool logarithmic = false;
};

/// Finite, low < high, and positive if logarithmic; else invalid_argument, naming the title.
status check(const axis&);

struct tick_mark {
  double value = 0;
  std::string label;
};

/// Round values within the axis, about `wanted` of them: steps of 1, 2 or 5; powers of ten on a
/// logarithmic axis.
std::vector<tick_mark> ticks(const axis&, size_t wanted);

/// The share of the way from low to high; outside the axis below 0 or above 1.
double place(const axis&, double value);

/// An axis around all values: from zero or a little below the least, to a little above the largest;
/// whole powers of ten if logarithmic. Ignores what is not finite. 0 to 1 for none.
axis axis_around(std::string title, const std::vector<double>& values, bool logarithmic);

} // namespace qnfv
