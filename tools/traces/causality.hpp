#pragma once

// Is a trace whole? "Causes come before their effects, and what is missing is counted" (I31).

#include "tools/traces/log.hpp"

#include <set>

namespace qnfv {

struct causality {
  uint64_t receives = 0;  ///< Messages of other sites that arrived,
  uint64_t paired = 0;    ///< of which the send is here,
  uint64_t uncovered = 0; ///< those whose send is among the events that were lost and counted,
  uint64_t cut = 0;       ///< and those whose send a site did not write any more before it was killed.
  uint64_t on_the_way = 0; ///< Sends that nobody received: lost, refused, or still under way.
  uint64_t missing = 0;   ///< Events that were lost and counted.
  std::set<std::string> absent; ///< Sites whose messages arrived, but of which no event is here.
  std::vector<std::string> violations; ///< At most 100.
};

/// Violations are
///   a gap in the numbers of a site's start that no note "dropped(n)" counts, and no loss that was told; what was
///   before a site's first event here its number counts
///   a message of another site, or a reply, whose send or request is not here and was not lost
///   a receive that is another message, or at another site, than its send says
///   a cause that comes after its effect in the order of its site, or a circle of causes
causality check_causality(const trace_log&);

} // namespace qnfv
