#pragma once

// JSON as people write it by hand: with comments, and with errors that say where.

#include "runtime/base/result.hpp"

#include <rapidjson/document.h>

#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

/// A parsed file.
struct json_file {
  std::string name; ///< For messages.
  std::string text; ///< To find the line of a value that is wrong.
  rapidjson::Document value;

  /// "two-site.json:12: /sites/1/listen: `problem`" as bad_config, with the line of the JSON pointer's
  /// value, or of the innermost one around it that there is.
  failure error_at(const std::string& pointer, const std::string& problem) const;
};

/// Comments (// and /* */) are allowed; a repeated key, more than 32 levels or more than 1 MiB are
/// not. Errors: bad_config with file and line.
result<json_file> parse_json(std::string_view text, const std::string& name);

/// The same of a file. Errors: bad_config, also if it cannot be read.
result<json_file> load_json(const std::string& path);

/// Checks against a JSON schema (draft 4, without $ref). Errors: bad_config with file, line and the
/// path of the first bad value, in people's words.
status check_schema(const json_file& file, std::string_view schema);

} // namespace qnfv
