#pragma once

// Where two runs part.

#include "tools/traces/log.hpp"

#include <optional>

namespace qnfv {

struct trace_difference {
  std::optional<trace_event> a; ///< Nothing: only the other run has it.
  std::optional<trace_event> b;
  std::vector<trace_event> before; ///< What led there, alike in both runs (run a's events), oldest first.
};

/// Compares what followed from what, not when: the beginnings of both runs, then the effects of each
/// pair of events that are alike. Effects are aligned per pair of actors, in their order, for between
/// other pairs the order may differ from run to run. Alike are events of one kind, with the same actors
/// and message; `fields`: and the same text. Nothing if the runs are alike; else the difference that
/// comes first in run a's time.
std::optional<trace_difference> first_difference(trace_log a, trace_log b, bool fields);

/// For people: what is different, and the `context` last events before it.
std::string render(const trace_difference&, size_t context);
/// {"a": event or null, "b": event or null, "before": [events]}
std::string to_json(const trace_difference&, size_t context);

} // namespace qnfv
