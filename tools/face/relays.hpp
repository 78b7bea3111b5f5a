#pragma once

// What several sites say of relays, put together: the origin knows the link, each drawing site what it
// has spent.

#include "runtime/messages/relay.hpp"

#include <vector>

namespace qnfv {

inline std::vector<virtual_link_status> virtual_links_of(const std::vector<relay_status>& all) {
  std::vector<virtual_link_status> out;
  for (auto& site : all)
    out.insert(out.end(), site.links.begin(), site.links.end());
  return out;
}

inline std::vector<relay_spending> spent_for(const link_id& link,
                                             const std::vector<relay_status>& all) {
  std::vector<relay_spending> out;
  for (auto& site : all)
    for (auto& x : site.spent)
      if (x.virtual_link == link)
        out.push_back(x);
  return out;
}

} // namespace qnfv
