#pragma once

// A trace context in the headers of HTTP: W3C Trace Context (Recommendation of 23 November 2021),
// 3.2 and 3.3.
//
//   traceparent: 00-TRACE_ID-PARENT_ID-01    32 and 16 lower-case hexadecimal digits
//   tracestate:  qnfv=TRACE/CAUSE            our own names of the two
//
// Our names are longer than these ids. TRACE_ID is the first 16 bytes of SHA-256 of the lab and the
// trace (of the cause, outside any trace), PARENT_ID the first 8 of the lab and the cause. Whoever
// is of the same lab takes the names behind tracestate, if they give these very ids; to others, and
// where a tracestate got lost, the ids themselves are the names. A name that is such an id stays it.
//
// Pure. Any texts give a context or none.

#include "runtime/messages/trace.hpp"

#include <string_view>

namespace qnfv {

/// Values of the headers; empty: there is nothing to say.
struct w3c_headers {
  std::string traceparent;
  std::string tracestate;
};

/// `lab` tells the lab's names from another's, as environment::lab does.
w3c_headers to_w3c(const trace_context&, std::string_view lab);

/// No context if `traceparent` is none (3.2.2): `tracestate` is then not looked at. Versions above
/// 00 are read as far as 00 goes.
trace_context from_w3c(const w3c_headers&, std::string_view lab);

} // namespace qnfv
