#include "tools/face/table.hpp"

#include <algorithm>

namespace qnfv {

namespace {

std::string cut(const std::string& text, size_t width) {
  if (display_width(text) <= width || text.find('\033') != std::string::npos)
    return text;
  std::string out;
  size_t n = 0;
  for (unsigned char c : text) {
    if ((c & 0xc0) != 0x80 && ++n >= width)
      break;
    out += static_cast<char>(c);
  }
  return out + "…";
}

} // namespace

std::string table::text(const face_settings& face, const std::string& hint) const {
  if (rows_.empty())
    return hint;
  auto columns = titles_.size();
  std::vector<std::string> heads = titles_;
  std::vector<bool> right(columns);
  std::vector<size_t> widths(columns);
  for (size_t i = 0; i < columns; ++i) {
    right[i] = !heads[i].empty() && heads[i].back() == '#';
    if (right[i])
      heads[i].pop_back();
    widths[i] = display_width(heads[i]);
    for (auto& row : rows_)
      widths[i] = std::max(widths[i], display_width(row[i]));
  }
  auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    size_t used = 0;
    for (size_t i = 0; i < columns; ++i) {
      if (i > 0)
        out += "  ";
      auto cell = cells[i];
      if (i + 1 == columns && !right[i]) {
        auto room = face.width > used + 2 ? face.width - used - 2 : 1;
        out += cut(cell, std::max<size_t>(room, 8));
        break;
      }
      std::string gap(widths[i] - display_width(cell), ' ');
      out += right[i] ? gap + cell : cell + gap;
      used += widths[i] + 2;
    }
    while (!out.empty() && out.back() == ' ')
      out.pop_back();
    return out;
  };
  auto out = line(heads);
  for (auto& row : rows_)
    out += "\n" + line(row);
  return out;
}

} // namespace qnfv
