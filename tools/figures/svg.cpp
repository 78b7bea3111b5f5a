#include "tools/figures/svg.hpp"

#include <cmath>
#include <cstdio>

namespace qnfv {

namespace {

// Dark screens get lighter tones of the same hues. A file by itself and a page with several of them
// look the same: every picture brings the whole sheet.
constexpr std::string_view sheet =
  "<style>"
  "text{font:13px system-ui,'DejaVu Sans',sans-serif;fill:#24292f}"
  ".title{font-size:16px;font-weight:600}.small{font-size:11.5px}.dim{fill:#57606a}"
  ".middle{text-anchor:middle}.end{text-anchor:end}"
  ".paper{fill:#ffffff}.band{fill:#f3f5f7}"
  ".ink{stroke:#24292f;fill:none}.faint{stroke:#d8dee4;fill:none}"
  ".thick{stroke-width:2}.dashed{stroke-dasharray:6 4}.hollow{fill:#ffffff;stroke-width:2}"
  ".none{fill:none}"
  ".f0{fill:#0072b2}.f1{fill:#d55e00}.f2{fill:#009e73}.f3{fill:#cc79a7}.f4{fill:#e69f00}"
  ".f5{fill:#56b4e9}.f6{fill:#8c8c8c}.f7{fill:#1b1f24}"
  ".s0{stroke:#0072b2}.s1{stroke:#d55e00}.s2{stroke:#009e73}.s3{stroke:#cc79a7}"
  ".s4{stroke:#e69f00}.s5{stroke:#56b4e9}.s6{stroke:#8c8c8c}.s7{stroke:#1b1f24}"
  "@media (prefers-color-scheme:dark){"
  "text{fill:#e6edf3}.dim{fill:#9aa4af}.paper{fill:#14171c}.band{fill:#1d2229}.hollow{fill:#14171c}"
  ".ink{stroke:#e6edf3}.faint{stroke:#343b44}"
  ".f0{fill:#3a9bdc}.s0{stroke:#3a9bdc}.f1{fill:#f0803c}.s1{stroke:#f0803c}"
  ".f2{fill:#2cc295}.s2{stroke:#2cc295}.f7{fill:#f0f3f6}.s7{stroke:#f0f3f6}}"
  "</style>";

void attribute(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += "=\"";
  out += xml_escape(value);
  out += '"';
}

void attribute(std::string& out, std::string_view name, double value) {
  attribute(out, name, svg_number(value));
}

} // namespace

std::string xml_escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    case '\'':
      out += "&#39;";
      break;
    default:
      out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
  return out;
}

std::string svg_number(double x) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", x);
  std::string out = text;
  out.erase(out.find_last_not_of('0') + 1);
  if (out.back() == '.')
    out.pop_back();
  return out == "-0" ? "0" : out;
}

svg_picture::svg_picture(double width, double height, std::string_view title,
                         std::string_view description) {
  auto w = svg_number(width);
  auto h = svg_number(height);
  out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + w + " " + h + "\" width=\""
         + w + "\" height=\"" + h + "\" role=\"img\">\n<title>" + xml_escape(title)
         + "</title>\n<desc>" + xml_escape(description) + "</desc>\n";
  out_ += sheet;
  out_ += '\n';
  rectangle(0, 0, width, height, "paper");
}

void svg_picture::close(std::string_view element, std::string_view tip) {
  if (tip.empty()) {
    out_ += "/>\n";
    return;
  }
  out_ += "><title>" + xml_escape(tip) + "</title></";
  out_ += element;
  out_ += ">\n";
}

void svg_picture::line(double x1, double y1, double x2, double y2, std::string_view classes) {
  out_ += "<line";
  attribute(out_, "x1", x1);
  attribute(out_, "y1", y1);
  attribute(out_, "x2", x2);
  attribute(out_, "y2", y2);
  attribute(out_, "class", classes);
  close("line", {});
}

void svg_picture::rectangle(double x, double y, double width, double height,
                            std::string_view classes, std::string_view tip) {
  out_ += "<rect";
  attribute(out_, "x", x);
  attribute(out_, "y", y);
  attribute(out_, "width", width);
  attribute(out_, "height", height);
  attribute(out_, "class", classes);
  close("rect", tip);
}

void svg_picture::circle(double x, double y, double radius, std::string_view classes,
                         std::string_view tip) {
  out_ += "<circle";
  attribute(out_, "cx", x);
  attribute(out_, "cy", y);
  attribute(out_, "r", radius);
  attribute(out_, "class", classes);
  close("circle", tip);
}

void svg_picture::polyline(std::string_view points, std::string_view classes) {
  out_ += "<polyline";
  attribute(out_, "points", points);
  attribute(out_, "class", classes);
  close("polyline", {});
}

void svg_picture::polygon(std::string_view points, std::string_view classes, std::string_view tip) {
  out_ += "<polygon";
  attribute(out_, "points", points);
  attribute(out_, "class", classes);
  close("polygon", tip);
}

void svg_picture::text(double x, double y, std::string_view words, std::string_view classes) {
  out_ += "<text";
  attribute(out_, "x", x);
  attribute(out_, "y", y);
  attribute(out_, "class", classes);
  out_ += ">" + xml_escape(words) + "</text>\n";
}

void svg_picture::upright(double x, double y, std::string_view words, std::string_view classes) {
  out_ += "<text";
  attribute(out_, "transform",
            "translate(" + svg_number(x) + " " + svg_number(y) + ") rotate(-90)");
  attribute(out_, "class", std::string{classes} + " middle");
  out_ += ">" + xml_escape(words) + "</text>\n";
}

void svg_picture::begin_clip(std::string_view id, double x, double y, double width, double height) {
  out_ += "<clipPath";
  attribute(out_, "id", id);
  out_ += ">";
  rectangle(x, y, width, height, "paper");
  out_ += "</clipPath>\n<g";
  attribute(out_, "clip-path", "url(#" + std::string{id} + ")");
  out_ += ">\n";
}

void svg_picture::end_clip() {
  out_ += "</g>\n";
}

std::string svg_picture::finish() && {
  out_ += "</svg>\n";
  return std::move(out_);
}

} // namespace qnfv
