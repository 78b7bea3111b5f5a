#pragma once

#include <string>
#include <vector>

namespace qnfv {

/// The one of `known` that `word` was probably meant to be; empty if none is close.
std::string closest_word(const std::string& word, const std::vector<std::string>& known);

} // namespace qnfv
