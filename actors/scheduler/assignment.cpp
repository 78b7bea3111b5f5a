#include "actors/scheduler/assignment.hpp"

#include <algorithm>
#include <numeric>

namespace qnfv {

std::vector<size_t> share_out(const std::vector<load_share>& links, const std::vector<bool>& up) {
  std::vector<size_t> out(links.size());
  std::vector<double> sum(up.size());
  std::vector<size_t> order;
  for (size_t i = 0; i < links.size(); ++i) {
    out[i] = links[i].bob;
    if (links[i].fixed)
      sum[links[i].bob] += links[i].load;
    else
      order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return links[a].load > links[b].load; });
  for (auto i : order) {
    size_t least = up.size();
    for (size_t b = 0; b < up.size(); ++b)
      if (up[b] && (least == up.size() || sum[b] < sum[least]))
        least = b;
    if (least == up.size())
      continue;
    out[i] = least;
    sum[least] += links[i].load;
  }
  return out;
}

} // namespace qnfv
