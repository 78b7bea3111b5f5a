#pragma once

// JSON as people write it by hand: with comments, and with errors that say where.

#include "runtime/base/result.hpp"

#include <rapidjson/document.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

/// A parsed file. Every value knows its line.
struct json_file {
  std::string name; ///< For messages.
  rapidjson::Document value;
  std::map<std::string, int> lines; ///< JSON pointer -> line, from 1.

  /// "two-site.json:12: /sites/1/listen: `problem`" as bad_config. `pointer` must exist or lie below
  /// a value that does.
  failure error_at(const std::string& pointer, const std::string& problem) const;
};

/// Comments (// and /* */) are allowed; a repeated key, more than 32 levels or more than 1 MiB are
/// not. Errors: bad_config with file and line.
result<json_file> parse_json(std::string_view text, const std::string& name);

/// Checks against a JSON schema (draft 4, without $ref). Errors: bad_config with file, line and the
/// path of the first bad value, in people's words.
status check_schema(const json_file& file, std::string_view schema);

/// The one of `known` that `word` was probably meant to be; empty if none is close.
std::string closest_word(const std::string& word, const std::vector<std::string>& known);

} // namespace qnfv
