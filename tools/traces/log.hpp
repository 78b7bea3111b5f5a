#pragma once

// Trace events of several sites, gathered from a running lab or from trace files, and who caused whom.

#include "runtime/base/result.hpp"
#include "runtime/tracing/event.hpp"

#include <map>
#include <string>
#include <vector>

namespace qnfv {

struct trace_log {
  static constexpr size_t nobody = SIZE_MAX;

  std::vector<trace_event> events;
  std::map<std::string, uint64_t> lost; ///< Per site: events that were forgotten before we asked.
  uint64_t bad_lines = 0;               ///< Lines that are no events,
  std::vector<std::string> damage;      ///< and the first of them: "FILE:LINE: what is wrong".

  /// `place` names the line if it is no event.
  void add(const std::string& json_line, const std::string& place = {});
  /// The lines of a trace file. A last line without its end is what a process was writing when it was
  /// killed.
  void add_file(std::string_view content, const std::string& name);
  /// An event comes after its cause, whatever the clocks of the sites say; else by time.
  void sort();
  /// Per event, the index of its cause; `nobody`: it has none, or it is not here.
  std::vector<size_t> causes() const;

  /// The trace of "order-N" or of the last delivery ("last"); another name is a trace's own. Empty:
  /// there is none.
  std::string find_trace(const std::string& name) const;
  /// Lets go of everything that is not of this trace.
  void keep_trace(const std::string& trace);
};

/// Reads trace files, and below a folder (a lab, or the site of one) all files called *.jsonl, the
/// rotated ones first. Errors: not_found (no such file, none in the folder, no event in any of them).
result<trace_log> read_traces(const std::vector<std::string>& paths);

/// How many events a note "dropped(n)" counts, the last of them with its own number; 0: it is none.
uint64_t dropped_events(const trace_event&);

/// "dc1" of "dc1/key_pool".
std::string site_of_address(const std::string& address);
/// "key_pool" of "dc1/key_pool".
std::string role_of_address(const std::string& address);

} // namespace qnfv
