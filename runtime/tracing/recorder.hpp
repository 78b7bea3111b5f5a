#pragma once

#include "runtime/tracing/event.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

namespace qnfv {

/// Keeps the newest events of one site in memory and hands every event to a sink. Bounded; what it
/// no longer holds is counted. Any thread.
class recorder {
public:
  struct settings {
    size_t ring_events = 20000; ///< Events kept in memory.
    size_t max_text = 300;      ///< Characters kept of a message's text.
  };
  using sink = std::function<void(const trace_event&)>;

  explicit recorder(std::string site) : recorder(std::move(site), settings{}, {}) {}
  recorder(std::string site, settings, sink);

  const std::string& site() const { return site_; }

  /// Fills in site and sequence, keeps it, returns its sequence number. An event that `begins` a
  /// trace gives the trace its own id as name.
  uint64_t record(trace_event, bool begins = false);

  struct page {
    std::vector<trace_event> events;
    uint64_t seen = 0; ///< Highest sequence number looked at.
    uint64_t lost = 0; ///< Events after `after` that the ring no longer held.
  };
  /// Events after `after`, oldest first, only those of `trace` unless it is empty.
  page since(uint64_t after, const std::string& trace, size_t limit) const;
  /// The trace that the newest message of this type belongs to; empty if there was none.
  std::string last_trace_of(const std::string& message) const;

private:
  const std::string site_;
  const settings settings_;
  const sink sink_;
  mutable std::mutex mutex_;
  std::deque<trace_event> ring_;
  uint64_t sequence_ = 0;
};

/// Appends events to a file as JSON lines, at most `max_bytes`; then it renames the file to
/// `path`.1 and starts afresh, so at most two files of that size exist. What cannot be written is
/// counted and told in the next line that can be.
recorder::sink make_file_sink(std::string path, uint64_t max_bytes = 64u << 20);

} // namespace qnfv
