#pragma once

#include "runtime/messages/keys.hpp"

#include <map>
#include <tuple>
#include <vector>

namespace qnfv {

/// Keys of one link as runs of following numbers: the thousands of a pool are a few of these.
class key_runs {
public:
  /// One that is in it already changes nothing.
  void add(const key_id&);
  /// One that is not in it changes nothing.
  void remove(const key_id&);
  /// How many are in it from this key on, itself the first; 0: it is not in it.
  uint32_t length_from(const key_id&) const;
  /// Ascending.
  std::vector<key_range> ranges() const;

private:
  using place = std::tuple<uint32_t, link_end, uint64_t>; ///< Session, allocator, counter.

  static place place_of(const key_id&);
  /// The run that holds it, or the end.
  std::map<place, uint32_t>::const_iterator run_of(const place&) const;

  std::map<place, uint32_t> runs_; ///< Their lengths, by their first keys.
};

} // namespace qnfv
