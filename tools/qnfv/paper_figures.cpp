#include "tools/qnfv/paper_figures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qnfv {

namespace {

// The values that the paper states in its text (section V). What lies between is in its pictures only.
constexpr double paper_far_km = 25;
constexpr std::pair<double, double> paper_initialisation_s{400, 1265};
constexpr std::pair<double, double> paper_rate_bps{4000, 100};
constexpr double paper_far_qber = 0.053;
constexpr double paper_far_loss_db = 10; ///< "above".

// Colours of the palette.
enum : size_t { blue = 0, red = 1, green = 2, orange = 4 };

std::string text(const char* format, double x) {
  char out[64];
  std::snprintf(out, sizeof out, format, x);
  return out;
}

std::vector<double> values_of(const std::vector<plot_series>& all, bool on_right) {
  std::vector<double> out;
  for (auto& s : all)
    for (auto& p : s.points)
      if (s.on_right == on_right) {
        out.push_back(p.y);
        if (p.range)
          out.insert(out.end(), {p.range->first, p.range->second});
      }
  return out;
}

axis distance_axis(const line_survey& survey) {
  auto far_km = paper_far_km;
  for (auto& x : survey.lines)
    far_km = std::max(far_km, x.length_km);
  return {"distance between Bob and Alice [km]", -1, far_km + 3};
}

/// Ascending by distance, whatever the order they were measured in.
std::vector<line_measurement> sorted(const line_survey& survey) {
  auto out = survey.lines;
  std::stable_sort(out.begin(), out.end(),
                   [](auto& a, auto& b) { return a.length_km < b.length_km; });
  return out;
}

plot_series measured(const line_survey& survey, spread line_measurement::*what, std::string name,
                     const char* label) {
  plot_series out;
  out.name = std::move(name);
  out.colour = blue;
  for (auto& x : sorted(survey)) {
    auto& y = x.*what;
    out.points.push_back(
      {x.length_km, y.mean(), std::make_pair(y.least(), y.most()), text(label, y.mean())});
  }
  return out;
}

plot_series paper_values(std::vector<plot_point> points) {
  plot_series out;
  out.name = "the paper's stated values (section V)";
  out.colour = red;
  out.mark = plot_mark::hollow_diamond;
  out.joined = false;
  out.points = std::move(points);
  return out;
}

} // namespace

plot initialisation_plot(const line_survey& survey) {
  plot out;
  out.title = "Initialisation time of a session against distance (Fig. 7)";
  out.description = "Mean initialisation time in seconds over fibre length, beside the paper's.";
  out.series = {measured(survey, &line_measurement::initialisation_s,
                         "simulated devices: mean of sessions; bars: shortest and longest",
                         "%.0f s"),
                paper_values({{0, paper_initialisation_s.first},
                              {paper_far_km, paper_initialisation_s.second}})};
  out.series[0].labels_below = true;
  out.x = distance_axis(survey);
  out.y = axis_around("initialisation time [s]", values_of(out.series, false), false);
  return out;
}

plot key_rate_plot(const line_survey& survey) {
  plot out;
  out.title = "Secret key rate against distance (Fig. 8)";
  out.description = "Secret key rate in bits per second over fibre length, beside the paper's.";
  out.series = {measured(survey, &line_measurement::secret_rate_bps,
                         "simulated devices: mean of blocks; bars: slowest and fastest block",
                         "%.0f b/s"),
                paper_values({{0, paper_rate_bps.first}, {paper_far_km, paper_rate_bps.second}})};
  out.x = distance_axis(survey);
  out.y = axis_around("secret key rate [b/s]", values_of(out.series, false), true);
  return out;
}

plot qber_plot(const line_survey& survey) {
  plot out;
  out.title = "QBER and attenuation against distance (Fig. 9)";
  out.description =
    "Minus the decimal logarithm of the QBER over fibre length, with a straight line "
    "fitted to it, and the loss of the line in decibel, beside the paper's values.";
  plot_series points;
  points.name =
    "QBER of simulated devices: mean of blocks; bars: worst and best block; labels: in %";
  points.colour = blue;
  points.joined = false;
  plot_series loss;
  loss.name = "attenuation as Bob measured it (right axis)";
  loss.colour = orange;
  loss.mark = plot_mark::square;
  loss.on_right = true;
  for (auto& x : sorted(survey)) {
    auto& q = x.qber;
    if (!(q.least() > 0))
      continue;
    points.points.push_back({x.length_km, -std::log10(q.mean()),
                             std::make_pair(-std::log10(q.most()), -std::log10(q.least())),
                             text("%.1f %%", 100 * q.mean())});
    loss.points.push_back({x.length_km, x.loss_db, {}, {}});
  }
  out.x = distance_axis(survey);
  plot_series fit;
  fit.name = "linear fit: too few lengths";
  fit.colour = green;
  fit.mark = plot_mark::none;
  fit.dashed = true;
  if (auto line = fit_line(points.points)) {
    fit.name = "linear fit: -log10(QBER) = " + text("%.3f", line->offset)
               + (line->slope < 0 ? " - " : " + ") + text("%.4f", std::abs(line->slope))
               + " x distance/km";
    auto far_km = out.x.high - 3;
    fit.points = {{0, line->offset, {}, {}}, {far_km, line->offset + line->slope * far_km, {}, {}}};
  }
  auto paper = paper_values({{paper_far_km, -std::log10(paper_far_qber), {}, {}}});
  paper.name = "the paper's stated QBER: 5.3 % at 25 km (section V)";
  plot_series paper_loss;
  paper_loss.name = "the paper's stated attenuation: above 10 dB at 25 km (right axis)";
  paper_loss.colour = red;
  paper_loss.mark = plot_mark::arrow_up;
  paper_loss.joined = false;
  paper_loss.on_right = true;
  paper_loss.points = {{paper_far_km, paper_far_loss_db, {}, {}}};
  out.series = {points, fit, loss, paper, paper_loss};
  // Room between the two: QBER falls from the upper half, attenuation rises from the lower one.
  out.y = {"-log10(QBER)", 0.6, 2};
  for (auto y : values_of(out.series, false)) {
    out.y.low = std::min(out.y.low, y);
    out.y.high = std::max(out.y.high, y);
  }
  out.right = axis{"attenuation [dB]", 0, 30};
  return out;
}

} // namespace qnfv
