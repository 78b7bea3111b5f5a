#pragma once

// The names of all message types, as traces, faults and filters know them: "reserve_keys".

#include "runtime/base/result.hpp"

#include <string>
#include <vector>

namespace qnfv {

/// In the order of wire.hpp.
const std::vector<std::string>& message_names();

/// Error: invalid_argument, with the name that may have been meant.
status check_message_name(const std::string&);

} // namespace qnfv
