#pragma once

#include "runtime/tracing/record.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace qnfv {

class trace_ring;
class trace_file;

/// Numbers and keeps the events of one start of a site: the newest in memory, and, if it is told a
/// file, every one there. Whoever records waits for neither (tracing/ring, tracing/file). Any thread.
class recorder {
public:
  struct settings {
    size_t ring_events = 20000;          ///< Events kept in memory.
    std::string file;                    ///< Empty: none.
    uint64_t file_bytes_max = 64u << 20; ///< There may be two such files.
  };
  /// Sees every event when it is recorded, on the thread that does.
  using watcher = std::function<void(const trace_record&)>;

  explicit recorder(const std::string& site) : recorder(site, 1, settings{}, {}) {}
  recorder(const std::string& site, uint32_t epoch, settings, watcher);
  ~recorder();

  /// Gives the event its id and keeps it. An event that `begins` a trace gives it its own id.
  const event_id& record(trace_record&, bool begins = false);

  struct page {
    std::vector<trace_event> events;
    event_id seen;     ///< The last one looked at.
    uint64_t lost = 0; ///< Events after `after` that the ring no longer held.
  };
  /// Events after `after`, oldest first, only those of `trace` unless it is empty. All, if `after` is
  /// of another start of the site.
  page since(const event_id& after, const std::string& trace, size_t limit) const;
  struct tally {
    uint64_t recorded = 0;
    uint64_t overrun = 0; ///< Of them those that came faster than the file took them, and count there as lost.
  };
  tally events() const;
  /// The trace that the newest message of this type belongs to; empty if there was none.
  std::string last_trace_of(const std::string& message) const;

private:
  const event_id none_; ///< Of this site and start.
  const watcher watcher_;
  const std::unique_ptr<trace_ring> ring_;
  const std::unique_ptr<trace_file> file_;
};

} // namespace qnfv
