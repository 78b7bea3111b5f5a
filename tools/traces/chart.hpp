#pragma once

#include "tools/face/face.hpp"
#include "tools/traces/log.hpp"

namespace qnfv {

/// The sequence chart of one delivery. By default the chain of the paper's Fig. 12, one arrow a line,
/// with the paper's step beside it; `all`: every message, as a list.
std::string render_chart(trace_log log, bool all, const face_settings&);

/// One event as a line, for `trace tail`.
std::string render_event(const trace_event&, const face_settings&);

} // namespace qnfv
