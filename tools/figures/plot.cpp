#include "tools/figures/plot.hpp"

#include "tools/figures/svg.hpp"

#include <algorithm>
#include <cmath>

namespace qnfv {

namespace {

constexpr double left = 84;
constexpr double top = 52;
constexpr double body_height = 330;
constexpr double legend_line = 22;

struct frame {
  double width = 0;
  const plot& what;

  double x(double value) const { return left + width * place(what.x, value); }
  double y(double value, bool on_right) const {
    return top + body_height * (1 - place(on_right ? *what.right : what.y, value));
  }
};

status check_value(double value, bool logarithmic, const std::string& where) {
  if (!std::isfinite(value))
    return {ec::invalid_argument, where + " is no number"};
  if (logarithmic && value <= 0)
    return {ec::invalid_argument, where + " is not positive; its axis is logarithmic"};
  return done{};
}

status check(const plot& p) {
  for (auto* x : {&p.x, &p.y, p.right ? &*p.right : nullptr})
    if (x)
      if (auto ok = check(*x); !ok)
        return ok;
  for (auto& s : p.series) {
    if (s.on_right && !p.right)
      return {ec::invalid_argument, "series \"" + s.name + "\" has no axis"};
    auto logarithmic = s.on_right ? p.right->logarithmic : p.y.logarithmic;
    for (size_t i = 0; i < s.points.size(); ++i) {
      auto& point = s.points[i];
      auto where = "point " + std::to_string(i + 1) + " of series \"" + s.name + "\"";
      if (auto ok = check_value(point.x, p.x.logarithmic, where); !ok)
        return ok;
      std::vector<double> values{point.y};
      if (point.range)
        values.insert(values.end(), {point.range->first, point.range->second});
      for (auto value : values)
        if (auto ok = check_value(value, logarithmic, where); !ok)
          return ok;
    }
  }
  return done{};
}

std::string at(double x, double y) {
  return svg_number(x) + "," + svg_number(y) + " ";
}

void draw_mark(svg_picture& out, plot_mark mark, double x, double y, size_t colour,
               const std::string& tip) {
  auto n = std::to_string(colour % palette_size);
  switch (mark) {
  case plot_mark::none:
    return;
  case plot_mark::dot:
    return out.circle(x, y, 5, "f" + n, tip);
  case plot_mark::square:
    return out.rectangle(x - 4.5, y - 4.5, 9, 9, "f" + n, tip);
  case plot_mark::hollow_diamond:
    return out.polygon(at(x, y - 10) + at(x + 10, y) + at(x, y + 10) + at(x - 10, y), "hollow s" + n,
                       tip);
  case plot_mark::arrow_up:
    out.line(x, y, x, y - 24, "thick s" + n);
    out.line(x - 8, y, x + 8, y, "thick s" + n);
    return out.polygon(at(x - 6, y - 22) + at(x + 6, y - 22) + at(x, y - 33), "f" + n, tip);
  }
}

void draw_axes(svg_picture& out, const frame& f) {
  auto& p = f.what;
  auto bottom = top + body_height;
  for (auto& t : ticks(p.x, 10)) {
    out.line(f.x(t.value), top, f.x(t.value), bottom, "faint");
    out.text(f.x(t.value), bottom + 20, t.label, "middle");
  }
  for (auto& t : ticks(p.y, 8)) {
    out.line(left, f.y(t.value, false), left + f.width, f.y(t.value, false), "faint");
    out.text(left - 9, f.y(t.value, false) + 4.5, t.label, "end");
  }
  if (p.right) {
    for (auto& t : ticks(*p.right, 8)) {
      auto y = f.y(t.value, true);
      out.line(left + f.width - 5, y, left + f.width, y, "ink");
      out.text(left + f.width + 9, y + 4.5, t.label, "start");
    }
    out.upright(left + f.width + 52, top + body_height / 2, p.right->title, "");
  }
  out.rectangle(left, top, f.width, body_height, "ink");
  out.text(left + f.width / 2, bottom + 44, p.x.title, "middle");
  out.upright(26, top + body_height / 2, p.y.title, "");
}

void draw_series(svg_picture& out, const frame& f, const plot_series& s) {
  auto stroke = "s" + std::to_string(s.colour % palette_size);
  if (s.joined && s.points.size() > 1) {
    std::string path;
    for (auto& p : s.points)
      path += at(f.x(p.x), f.y(p.y, s.on_right));
    path.pop_back();
    out.polyline(path, "none thick " + stroke + (s.dashed ? " dashed" : ""));
  }
  for (auto& p : s.points) {
    auto x = f.x(p.x);
    auto y = f.y(p.y, s.on_right);
    if (p.range) {
      auto low = f.y(p.range->first, s.on_right);
      auto high = f.y(p.range->second, s.on_right);
      out.line(x, low, x, high, "thick " + stroke);
      out.line(x - 6, low, x + 6, low, "thick " + stroke);
      out.line(x - 6, high, x + 6, high, "thick " + stroke);
    }
    draw_mark(out, s.mark, x, y, s.colour,
              s.name + ": " + svg_number(p.y) + " at " + svg_number(p.x));
    if (!p.label.empty())
      out.text(x + 12, y + (s.labels_below ? 20 : -10), p.label, "small start");
  }
}

void draw_legend(svg_picture& out, const plot& p) {
  auto y = top + body_height + 72;
  for (auto& s : p.series) {
    auto stroke = "s" + std::to_string(s.colour % palette_size);
    if (s.joined)
      out.line(left, y, left + 34, y, "thick " + stroke + (s.dashed ? " dashed" : ""));
    draw_mark(out, s.mark == plot_mark::arrow_up ? plot_mark::none : s.mark, left + 17, y, s.colour,
              "");
    if (s.mark == plot_mark::arrow_up) {
      out.line(left + 9, y + 7, left + 25, y + 7, "thick " + stroke);
      out.line(left + 17, y + 7, left + 17, y - 2, "thick " + stroke);
      out.polygon(at(left + 12, y - 1) + at(left + 22, y - 1) + at(left + 17, y - 9),
                  "f" + std::to_string(s.colour % palette_size));
    }
    out.text(left + 46, y + 4.5, s.name, "start");
    y += legend_line;
  }
}

} // namespace

result<std::string> to_svg(const plot& p) {
  if (auto ok = check(p); !ok)
    return ok.error();
  frame f{figure_width - left - (p.right ? 78 : 28), p};
  auto height = top + body_height + 72 + legend_line * static_cast<double>(p.series.size());
  svg_picture out{figure_width, height, p.title, p.description};
  out.text(left, 30, p.title, "title");
  draw_axes(out, f);
  // The first lies on top.
  for (auto s = p.series.rbegin(); s != p.series.rend(); ++s)
    draw_series(out, f, *s);
  draw_legend(out, p);
  return std::move(out).finish();
}

std::optional<straight_line> fit_line(const std::vector<plot_point>& points) {
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (auto& p : points) {
    ++n;
    sx += p.x;
    sy += p.y;
    sxx += p.x * p.x;
    sxy += p.x * p.y;
  }
  auto spread = n * sxx - sx * sx;
  if (!(spread > 1e-12))
    return std::nullopt;
  straight_line out;
  out.slope = (n * sxy - sx * sy) / spread;
  out.offset = (sy - out.slope * sx) / n;
  return out;
}

} // namespace qnfv
