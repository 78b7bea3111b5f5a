#pragma once

// Figures 7, 8 and 9 of the paper from a survey, and the Gantt chart of a week, as pictures. Pure.

#include "tools/figures/page.hpp"
#include "tools/figures/plot.hpp"
#include "tools/figures/timeline.hpp"
#include "tools/qnfv/line_survey.hpp"
#include "tools/qnfv/week_log.hpp"

namespace qnfv {

/// What made the figures.
struct figures_origin {
  std::string topology; ///< Path, as given.
  std::string span;
  uint64_t seed = 1;
  uint32_t sessions = 0;
  std::string lengths; ///< As given.
  workload load;

  std::string command() const; ///< With "DIR" for the folder: the same bytes in every folder.
};

plot initialisation_plot(const line_survey&);
plot key_rate_plot(const line_survey&);
plot qber_plot(const line_survey&);
/// From `from_s` to `to_s` of the week.
timeline week_timeline(const week_log&, double from_s, double to_s, const std::string& id);

/// Failure: invalid_argument, if a value cannot be drawn.
result<page> figures_page(const line_survey&, const week_log&, const figures_origin&);

/// Every number in the figures. Keys with units in their names.
std::string figures_json(const line_survey&, const week_log&, const figures_origin&);

} // namespace qnfv
