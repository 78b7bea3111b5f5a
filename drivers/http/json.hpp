#pragma once

#include "runtime/base/result.hpp"

#include <rapidjson/document.h>

#include <string_view>

namespace qnfv {

/// An object as a machine writes it: no comments, UTF-8, no member twice, at most 32 levels.
/// Failure: invalid_argument.
result<rapidjson::Document> parse_object(std::string_view text);

/// The same without a copy: strings stay where they are in `text`, which is changed and must end
/// with a zero byte.
result<rapidjson::Document> parse_object_in_place(char* text);

inline std::string_view text_of(const rapidjson::Value& x) {
  return {x.GetString(), x.GetStringLength()};
}

} // namespace qnfv
