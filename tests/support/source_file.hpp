#pragma once

#include <fstream>
#include <sstream>
#include <string>

namespace qnfv::test {

/// The text of a file of this source tree; empty if there is none.
inline std::string source_file(const std::string& path) {
  std::ifstream in{std::string{QNFV_SOURCE_DIR} + "/" + path};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace qnfv::test
