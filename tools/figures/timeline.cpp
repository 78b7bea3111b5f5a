#include "tools/figures/timeline.hpp"

#include "tools/figures/plot.hpp"
#include "tools/figures/svg.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

namespace {

constexpr double left = 132;
constexpr double right_margin = 24;
constexpr double body_width = figure_width - left - right_margin;
constexpr double top = 44;
constexpr double header_height = 30;
constexpr double row_height = 22;
constexpr double bar_height = 15;
constexpr double group_gap = 14;
constexpr double levels_height = 210;
constexpr double letter_width = 6.6; ///< Of small text, about; legends leave room by it.

status check(const timeline& t) {
  axis time{"time", t.from_s, t.to_s};
  if (auto ok = check(time); !ok)
    return ok;
  for (auto& g : t.groups)
    for (auto& r : g.rows) {
      for (auto& s : r.spans) {
        if (!std::isfinite(s.from_s) || !std::isfinite(s.to_s) || s.to_s < s.from_s)
          return {ec::invalid_argument,
                  "a span of \"" + r.name + "\" does not end after it begins"};
        if (s.kind >= g.kinds.size())
          return {ec::invalid_argument, "a span of \"" + r.name + "\" is of no kind"};
      }
      for (auto& m : r.marks)
        if (!std::isfinite(m.at_s) || m.kind >= g.kinds.size())
          return {ec::invalid_argument, "a mark of \"" + r.name + "\" has no time or no kind"};
    }
  if (!t.levels.empty())
    if (auto ok = check(t.levels_axis); !ok)
      return ok;
  for (auto& level : t.levels)
    for (auto& [at, value] : level.points)
      if (!std::isfinite(at) || !std::isfinite(value))
        return {ec::invalid_argument, "a value of level \"" + level.name + "\" is no number"};
  return done{};
}

/// Days for more than two of them, else hours.
axis time_axis(const timeline& t) {
  auto span = t.to_s - t.from_s;
  auto unit = span > 2 * 86400 ? 86400.0 : span > 2 * 3600 ? 3600.0 : 60.0;
  auto* name = unit == 86400 ? "lab time [days]" : unit == 3600 ? "lab time [h]" : "lab time [min]";
  return {name, t.from_s / unit, t.to_s / unit};
}

class painter {
public:
  painter(const timeline& t, svg_picture& out) : t_(t), out_(out), time_(time_axis(t)) {}

  double x(double at_s) const {
    auto share = (at_s - t_.from_s) / (t_.to_s - t_.from_s);
    return left + body_width * std::clamp(share, 0.0, 1.0);
  }

  void grid(double y, double height) {
    for (auto& tick : ticks(time_, 12)) {
      auto at = left + body_width * place(time_, tick.value);
      out_.line(at, y, at, y + height, "faint");
    }
  }

  void time_labels(double y) {
    for (auto& tick : ticks(time_, 12))
      out_.text(left + body_width * place(time_, tick.value), y + 18, tick.label, "middle");
    out_.text(left + body_width / 2, y + 40, time_.title, "middle");
  }

  struct entry {
    std::string name;
    size_t colour;
    enum shape { bar, stroke, line } drawn;
  };

  void legend(double y, const std::string& title, const std::vector<entry>& entries) {
    out_.text(left, y + 19, title, "start dim");
    auto at = left + body_width;
    for (auto i = entries.rbegin(); i != entries.rend(); ++i) {
      auto n = std::to_string(i->colour % palette_size);
      at -= static_cast<double>(i->name.size()) * letter_width;
      out_.text(at, y + 19, i->name, "small start");
      if (i->drawn == entry::bar)
        out_.rectangle(at - 17, y + 9, 12, 11, "f" + n);
      else if (i->drawn == entry::stroke)
        out_.rectangle(at - 10, y + 7, 2, 14, "f" + n);
      else
        out_.line(at - 25, y + 15, at - 5, y + 15, "thick s" + n);
      at -= i->drawn == entry::line ? 40 : 32;
    }
  }

  /// Returns where the next thing may be drawn.
  double group(const timeline_group& g, double y) {
    std::vector<entry> entries;
    for (auto& k : g.kinds)
      entries.push_back({k.name, k.colour, k.mark ? entry::stroke : entry::bar});
    legend(y, g.title, entries);
    y += header_height;
    auto height = row_height * static_cast<double>(g.rows.size());
    for (size_t i = 0; i < g.rows.size(); i += 2)
      out_.rectangle(left, y + row_height * static_cast<double>(i), body_width, row_height, "band");
    grid(y, height);
    for (auto& r : g.rows) {
      out_.text(left - 9, y + 15.5, r.name, "small end");
      auto bar_y = y + (row_height - bar_height) / 2;
      for (auto& s : r.spans) {
        if (s.to_s <= t_.from_s || s.from_s >= t_.to_s)
          continue;
        auto from = x(s.from_s);
        out_.rectangle(from, bar_y, std::max(1.0, x(s.to_s) - from), bar_height, colour(g, s.kind),
                       s.tip);
      }
      for (auto& m : r.marks)
        if (m.at_s >= t_.from_s && m.at_s <= t_.to_s)
          out_.rectangle(x(m.at_s) - 0.75, bar_y, 1.5, bar_height, colour(g, m.kind), m.tip);
      y += row_height;
    }
    return y + group_gap;
  }

  double levels(double y) {
    std::vector<entry> entries;
    for (auto& level : t_.levels)
      entries.push_back({level.name, level.colour, entry::line});
    legend(y, t_.levels_title, entries);
    y += header_height;
    grid(y, levels_height);
    auto& axis = t_.levels_axis;
    auto height_of = [&](double value) { return y + levels_height * (1 - place(axis, value)); };
    for (auto& tick : ticks(axis, 5)) {
      out_.line(left, height_of(tick.value), left + body_width, height_of(tick.value), "faint");
      out_.text(left - 9, height_of(tick.value) + 4.5, tick.label, "small end");
    }
    out_.upright(left - 56, y + levels_height / 2, axis.title, "small");
    out_.begin_clip(t_.id + "-levels", left, y, body_width, levels_height);
    for (auto& level : t_.levels)
      staircase(level, height_of);
    out_.end_clip();
    out_.rectangle(left, y, body_width, levels_height, "ink");
    return y + levels_height;
  }

private:
  static std::string colour(const timeline_group& g, size_t kind) {
    return "f" + std::to_string(g.kinds[kind].colour % palette_size);
  }

  template <class F>
  void staircase(const timeline_level& level, F height_of) {
    std::string path;
    double before = 0;
    for (auto& [at, value] : level.points) {
      auto here = svg_number(left + body_width * (at - t_.from_s) / (t_.to_s - t_.from_s));
      auto y = height_of(value);
      if (!path.empty() && y != before)
        path += here + "," + svg_number(before) + " ";
      path += here + "," + svg_number(y) + " ";
      before = y;
    }
    if (path.empty())
      return;
    path.pop_back();
    out_.polyline(path, "none thick s" + std::to_string(level.colour % palette_size));
  }

  const timeline& t_;
  svg_picture& out_;
  axis time_;
};

double height_of(const timeline& t) {
  auto y = top;
  for (auto& g : t.groups)
    y += header_height + row_height * static_cast<double>(g.rows.size()) + group_gap;
  if (!t.levels.empty())
    y += header_height + levels_height;
  return y + 54;
}

} // namespace

result<std::string> to_svg(const timeline& t) {
  if (auto ok = check(t); !ok)
    return ok.error();
  svg_picture out{figure_width, height_of(t), t.title, t.description};
  out.text(left, 28, t.title, "title");
  painter paint{t, out};
  auto y = top;
  for (auto& g : t.groups)
    y = paint.group(g, y);
  if (!t.levels.empty())
    y = paint.levels(y);
  paint.time_labels(y);
  return std::move(out).finish();
}

} // namespace qnfv
