#pragma once

#include "runtime/config/json.hpp"
#include "runtime/config/topology.hpp"

namespace qnfv {

/// Fills a topology from a document that fits the schema, and checks what a schema cannot.
/// Failure: bad_config, at the first bad place.
result<topology> read_topology(const json_file&);

} // namespace qnfv
