#pragma once

#include "runtime/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

/// An element without elements inside.
struct xml_leaf {
  std::string path; ///< "/flowConfig/node/id"
  std::string text; ///< Without blanks at both ends; &amp; and its four kin are decoded.
};

constexpr size_t xml_depth_max = 8;
constexpr size_t xml_leaves_max = 128;

/// The leaves of a small document as programs write it, in their order: elements and text, a
/// declaration before them; attributes are passed over. No comments, CDATA, document types,
/// processing instructions or character numbers. Errors: invalid_argument.
result<std::vector<xml_leaf>> parse_elements(std::string_view text);

} // namespace qnfv
