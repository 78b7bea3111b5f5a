#pragma once

#include "drivers/http/json_mask.hpp"
#include "runtime/tracing/wire_tap.hpp"

namespace qnfv {

/// What the rest of the lab may know of the requests at an end.
struct http_tracing {
  std::string lab;   ///< Of whose traces they are a part: environment::lab.
  wire_tap tap;      ///< Shows the pieces of connections,
  shown_names shown; ///< and of JSON bodies the values of these; else their structure only.
};

} // namespace qnfv
