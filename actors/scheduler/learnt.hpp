#pragma once

// What a scheduler keeps of the demand it has learnt, for the one after it. Pure; README.md says what is
// not kept.

#include "actors/scheduler/estimator.hpp"
#include "runtime/base/result.hpp"

#include <map>
#include <string>
#include <string_view>

namespace qnfv {

using learnt_demands = std::map<link_id, learnt_demand>;

/// The file's format: "qnfv-demand 1", then a line per link:
/// "LINK bps=37.5 seen_s=86400 request_bits=1024".
std::string to_text(const learnt_demands&);
/// Errors: bad_config with the line. A file is right as a whole, or it is none.
result<learnt_demands> parse_learnt_demands(std::string_view text);

} // namespace qnfv
