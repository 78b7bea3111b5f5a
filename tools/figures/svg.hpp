#pragma once

// SVG text, piece by piece. Pure; same calls, same bytes.

#include <string>
#include <string_view>

namespace qnfv {

/// For text and attribute values; control characters, which XML cannot hold, become spaces.
std::string xml_escape(std::string_view);

/// At most two decimals, no trailing zeros, never "-0".
std::string svg_number(double);

/// How many colours series may have, before they repeat.
constexpr size_t palette_size = 8;

/// A picture under construction. Colours are CSS classes: "f0".."f7" fill and "s0".."s7" stroke with
/// the palette (Okabe and Ito's, told apart by the colour-blind), "ink", "faint" and "paper" are what
/// its names say. Dark where the reader's screen is.
class svg_picture {
public:
  /// `title` and `description` are for those who cannot see it.
  svg_picture(double width, double height, std::string_view title, std::string_view description);

  void line(double x1, double y1, double x2, double y2, std::string_view classes);
  void rectangle(double x, double y, double width, double height, std::string_view classes,
                 std::string_view tip = {});
  void circle(double x, double y, double radius, std::string_view classes,
              std::string_view tip = {});
  /// `points`: "x,y x,y"
  void polyline(std::string_view points, std::string_view classes);
  void polygon(std::string_view points, std::string_view classes, std::string_view tip = {});
  /// Classes "start", "middle", "end" say where (x, y) is.
  void text(double x, double y, std::string_view words, std::string_view classes);
  /// Reads upwards, centred on (x, y).
  void upright(double x, double y, std::string_view words, std::string_view classes);
  /// What is drawn until `end_clip` shows only within the rectangle. Clips do not nest.
  void begin_clip(std::string_view id, double x, double y, double width, double height);
  void end_clip();

  std::string finish() &&;

private:
  void close(std::string_view element, std::string_view tip);
  std::string out_;
};

} // namespace qnfv
