#pragma once

// What went on when, as SVG: rows of spans and marks (a Gantt chart) over levels against the same
// time. Pure.

#include "tools/figures/axis.hpp"

namespace qnfv {

/// What spans and marks of a group can be: an entry of its legend.
struct timeline_kind {
  std::string name;
  size_t colour = 0;
  bool mark = false; ///< A short stroke at one moment; else a span.
};

struct timeline_span {
  double from_s = 0;
  double to_s = 0;
  size_t kind = 0; ///< Of the group.
  std::string tip = {};
};

struct timeline_mark {
  double at_s = 0;
  size_t kind = 0;
  std::string tip = {};
};

struct timeline_row {
  std::string name;
  std::vector<timeline_span> spans;
  std::vector<timeline_mark> marks;
};

struct timeline_group {
  std::string title;
  std::vector<timeline_kind> kinds;
  std::vector<timeline_row> rows;
};

/// A level against time, ascending; it holds until its next value.
struct timeline_level {
  std::string name;
  size_t colour = 0;
  std::vector<std::pair<double, double>> points;
};

struct timeline {
  std::string id; ///< A word; of pictures in one page, each needs its own.
  std::string title;
  std::string description;
  double from_s = 0;
  double to_s = 1; ///< What lies outside is cut off.
  std::vector<timeline_group> groups;
  std::string levels_title; ///< "Key pools"
  axis levels_axis;
  std::vector<timeline_level> levels; ///< None: no such panel.
};

/// Failure: invalid_argument (a time or level that is no number, a span that ends before it begins, a
/// kind that the group does not have), with the place. Spans too short to see are drawn one pixel wide.
result<std::string> to_svg(const timeline&);

} // namespace qnfv
