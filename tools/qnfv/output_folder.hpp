#pragma once

#include "runtime/base/result.hpp"

#include <map>
#include <string>

namespace qnfv {

/// A folder for a command's results: all of them or none, and none half written.
class output_folder {
public:
  /// Makes it, but not its parents. Errors: bad_config (no folder, or nobody may write there).
  static result<output_folder> open(const std::string& path);

  output_folder(output_folder&&) noexcept;
  /// A folder that was made for nothing goes again.
  ~output_folder();

  /// By name. Files of the same names are replaced, once all are written.
  status write(const std::map<std::string, std::string>& files);

private:
  output_folder(std::string path, bool is_new) : path_(std::move(path)), is_new_(is_new) {}

  std::string path_;
  bool is_new_ = false;
};

} // namespace qnfv
