#pragma once

#include "runtime/tracing/record.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>

namespace qnfv {

/// The newest events of one start of a site, numbered from 1. Any thread. Whoever puts one in waits for no
/// reader (one that was too slow finds newer events in its place), only for a writer a whole ring behind.
class trace_ring {
public:
  /// For so many events; memory is taken as they come.
  explicit trace_ring(size_t room);

  /// Gives `x` the next number and keeps it. An event that `begins` a trace gives it its own id.
  void push(trace_record& x, bool begins);
  /// Copies at most `max` events after number `seen`, oldest first, and moves `seen` to the last one
  /// of them. What the ring holds no more is skipped: the numbers tell.
  size_t read(uint64_t& seen, trace_record* to, size_t max) const;
  /// The number of the newest event. It may still be on its way in.
  uint64_t newest() const { return newest_; }

  /// Waits until there is an event after `seen`, and then a while longer for more to come with it.
  /// False: closed, and nothing comes after `seen`.
  bool wait(uint64_t seen);
  /// Lets who waits go.
  void close();

private:
  static constexpr size_t word_count = (sizeof(trace_record) + sizeof(uint64_t) - 1) / sizeof(uint64_t);
  /// One place, guarded by a sequence lock (Boehm, "Can seqlocks get along with programming language
  /// memory models?", 2012): whoever reads while it is written sees that in `state`.
  struct slot {
    std::atomic<uint64_t> state; ///< 2 n: holds event n; 2 n - 1: event n is being written; 0: nothing.
    std::array<std::atomic<uint64_t>, word_count> words;
  };
  enum class found : uint8_t { here, gone, not_yet };
  found copy(uint64_t number, trace_record& to) const;
  slot& slot_of(uint64_t number) const { return slots_[number % room_]; }
  void wake();

  struct deleter {
    void operator()(slot* x) const { std::free(x); }
  };

  const size_t room_;
  const std::unique_ptr<slot[], deleter> slots_; ///< Zeros; a page is taken when it is first written.
  std::atomic<uint64_t> newest_{0};
  std::atomic<uint64_t> wake_at_{UINT64_MAX}; ///< The number that somebody waits for.
  std::mutex mutex_;                          ///< Of who waits, only.
  bool closed_ = false;
  std::condition_variable arrived_;
};

} // namespace qnfv
