#pragma once

// Points and lines over one axis, as SVG. Pure.

#include "tools/figures/axis.hpp"

#include <optional>

namespace qnfv {

struct plot_point {
  double x = 0;
  double y = 0;
  /// Least and largest of what y is the mean of: an error bar.
  std::optional<std::pair<double, double>> range = {};
  std::string label = {}; ///< To the right of the mark.
};

enum class plot_mark : uint8_t { none, dot, square, hollow_diamond, arrow_up };

struct plot_series {
  std::string name; ///< In the legend.
  size_t colour = 0;
  plot_mark mark = plot_mark::dot;
  bool joined = true;  ///< By straight lines,
  bool dashed = false; ///< which may be broken ones.
  bool on_right = false;
  bool labels_below = false;
  std::vector<plot_point> points;
};

struct plot {
  std::string title;
  std::string description; ///< For those who cannot see it.
  axis x;
  axis y;
  std::optional<axis> right; ///< A second one, for series that are `on_right`.
  std::vector<plot_series> series;
};

/// Width of every figure.
constexpr double figure_width = 960;

/// Failure: invalid_argument (a value that is no number, is not positive on a logarithmic axis, or an
/// axis without extent), with the series and the point. A series without points shows in the legend
/// only.
result<std::string> to_svg(const plot&);

struct straight_line {
  double offset = 0;
  double slope = 0;
};

/// Least squares; nothing with fewer than two different x.
std::optional<straight_line> fit_line(const std::vector<plot_point>&);

} // namespace qnfv
