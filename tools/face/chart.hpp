#pragma once

#include "runtime/tracing/event.hpp"
#include "tools/face/face.hpp"

#include <map>
#include <string>
#include <vector>

namespace qnfv {

/// Events of a trace from several sites.
struct trace_log {
  std::vector<trace_event> events;
  std::map<std::string, uint64_t> lost; ///< Per site: events that were forgotten before we asked.
  uint64_t bad_lines = 0;               ///< Lines that are no events.

  void add(const std::string& json_line);
  /// An event comes after its cause, whatever the clocks of the sites say; else by time.
  void sort();
};

/// The sequence chart of one delivery. By default the chain of the paper's Fig. 12, one arrow a line,
/// with the paper's step beside it; `all`: every message, as a list.
std::string render_chart(trace_log log, bool all, const face_settings&);

/// One event as a line, for `trace tail`.
std::string render_event(const trace_event&, const face_settings&);

} // namespace qnfv
