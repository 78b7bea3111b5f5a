#pragma once

#include "runtime/tracing/ring.hpp"

#include <atomic>
#include <string>
#include <thread>

namespace qnfv {

/// Writes the events of a ring to a file as JSON lines, on a thread of its own: at most `bytes_max`,
/// then it renames the file to `path`.1 and starts afresh, so at most two files of that size exist.
///
/// What the ring no longer held when its turn came, and what the disk did not take, is counted in the
/// next line that can be written: a note "dropped(n)" with the number of the last of them. When it goes
/// it has written all that the ring holds.
class trace_file {
public:
  /// `ring` must outlive it.
  trace_file(trace_ring& ring, std::string path, uint64_t bytes_max);
  ~trace_file();
  trace_file(const trace_file&) = delete;
  trace_file& operator=(const trace_file&) = delete;

  /// Events that the ring no longer held when their turn came, so far. Any thread.
  uint64_t overrun() const { return overrun_; }

private:
  void run();
  /// Until the ring has nothing more.
  void drain();
  /// A line that counts all up to `last` as lost.
  void tell_lost(uint64_t last);
  void flush();
  /// Whole or not at all: what is counted as lost must not be there in part.
  bool append(const std::string& text);
  void open();
  void shut();

  trace_ring& ring_;
  const std::string path_;
  const uint64_t bytes_max_;
  uint64_t seen_ = 0;    ///< Read from the ring, up to this number,
  uint64_t lined_ = 0;   ///< told by `lines_`,
  uint64_t written_ = 0; ///< told by the file.
  event_id newest_;      ///< The last one that was read,
  int64_t newest_ns_ = 0; ///< and its time.
  std::atomic<uint64_t> overrun_{0};
  std::string lines_;
  int fd_ = -1;
  uint64_t size_ = 0;
  std::thread writer_;
};

} // namespace qnfv
