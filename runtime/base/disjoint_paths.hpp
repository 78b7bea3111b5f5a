#pragma once

#include "runtime/base/ids.hpp"

#include <set>
#include <vector>

namespace qnfv {

/// Sites in the order that a key walks, the ends included.
using site_path = std::vector<site_id>;

/// "co - n1 - dc3"
std::string to_string(const site_path&);

/// Two sites that share a link.
struct site_edge {
  site_id a;
  site_id b;
};

/// `count` paths that share no site but their ends and have, together, as few hops as can be; the
/// shorter ones first. Empty if there are not so many. Sites of `ends_only` are never passed
/// through.
///
/// Minimum-cost flow with every site split in two (Suurballe and Tarjan 1984), so a pair of paths
/// is found also where taking the shortest one first would block the second.
std::vector<site_path> disjoint_paths(const std::vector<site_edge>& edges, const site_id& from,
                                      const site_id& to, size_t count,
                                      const std::set<site_id>& ends_only = {});

} // namespace qnfv
