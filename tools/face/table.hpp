#pragma once

#include "tools/face/face.hpp"

#include <string>
#include <vector>

namespace qnfv {

/// A small text table. Columns whose title ends in "#" are aligned to the right (the # is not shown).
class table {
public:
  explicit table(std::vector<std::string> titles) : titles_(std::move(titles)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  /// Lines without a final line break; the last column is cut to the terminal's width. `hint` is
  /// shown in place of an empty table: what to do next.
  std::string text(const face_settings&, const std::string& hint = {}) const;

private:
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> rows_;
};

} // namespace qnfv
