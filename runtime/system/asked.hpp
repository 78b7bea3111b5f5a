#pragma once

#include "runtime/messages/trace.hpp"

#include <optional>
#include <vector>

namespace qnfv {

/// What a request was sent for; kept until its answer or time-out comes.
struct asked {
  trace_context context;
  bool recorded = false; ///< The request is in the trace, so its answer belongs there too.
};

/// The open requests of one actor, by their numbers. An actor numbers its requests one after the other,
/// so nearly every one has the slot of its number.
class asked_table {
public:
  /// `number` is not 0. A number that is there already gets the new content.
  void put(uint64_t number, const asked&);
  std::optional<asked> take(uint64_t number);

private:
  struct slot {
    uint64_t number = 0; ///< 0: free.
    asked content;
  };
  /// Where the number is, or the free slot where it belongs.
  size_t find(uint64_t number) const;
  size_t home(uint64_t number) const { return number & (slots_.size() - 1); }

  std::vector<slot> slots_; ///< A power of two, at most half full.
  size_t used_ = 0;
};

} // namespace qnfv
