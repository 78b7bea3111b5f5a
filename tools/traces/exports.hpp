#pragma once

// A trace in the formats of other viewers. Pure: events in, text or bytes out. The log is sorted first;
// times count from its first event unless the format has a calendar.

#include "runtime/base/result.hpp"
#include "tools/traces/log.hpp"

namespace qnfv {

/// The lines of tracing/event.hpp, causes before effects. What was lost is a note "dropped(n)".
std::string to_jsonl(trace_log);

/// Chrome's trace format, for ui.perfetto.dev and chrome://tracing: one process per site, one track per
/// actor, a slice per handled message (up to the last thing that it led to there), an instant per note,
/// arrows from cause to effect.
std::string to_perfetto(trace_log);

/// A sequenceDiagram of the chain of the paper's Fig. 12, without times and repetitions, so that two
/// deliveries give the same text; `all`: of every message.
std::string to_mermaid(trace_log, bool all);

/// One page that needs no network: an interactive sequence chart.
std::string to_html(trace_log);

/// For Wireshark: each event is a record of JSON that its columns name; what was on the wire is IP, with
/// TCP or UDP headers made from its endpoints, once per piece although both ends may have seen it.
std::string to_pcapng(trace_log);

/// "jsonl", "perfetto", "mermaid", "html" or "pcapng". Errors: invalid_argument.
result<std::string> export_trace(trace_log, const std::string& format, bool all);

} // namespace qnfv
