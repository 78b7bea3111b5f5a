#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace qnfv {

/// How the terminal wants it.
struct face_settings {
  bool colour = false;
  size_t width = 120; ///< Longer lines are cut.
};

/// Colours only on a terminal and without $NO_COLOR; the terminal's width. Nothing is cut for a pipe or
/// a file.
face_settings face_settings_of(std::FILE*);

/// A state in its colour: green for what is well, yellow for what waits, red for what failed.
std::string coloured(const std::string& state, const face_settings&);

/// Columns that a UTF-8 text takes on the terminal.
size_t display_width(const std::string&);

} // namespace qnfv
