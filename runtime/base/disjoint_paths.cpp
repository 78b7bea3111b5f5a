#include "runtime/base/disjoint_paths.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace qnfv {

namespace {

/// Every site is two nodes with one arc of capacity 1 between them: a path uses it up.
class flow_graph {
public:
  explicit flow_graph(size_t sites) : out_(2 * sites) {}
  static size_t entry(size_t site) { return 2 * site; }
  static size_t exit(size_t site) { return 2 * site + 1; }

  void add(size_t from, size_t to, int cost) {
    out_[from].push_back(arcs_.size());
    arcs_.push_back({to, 1, cost});
    out_[to].push_back(arcs_.size());
    arcs_.push_back({from, 0, -cost});
  }

  /// One unit more along the cheapest way that is left (Bellman-Ford: undone arcs cost negative).
  bool augment(size_t from, size_t to) {
    constexpr int far = std::numeric_limits<int>::max();
    std::vector<int> cost(out_.size(), far);
    std::vector<size_t> via(out_.size());
    cost[from] = 0;
    for (bool shorter = true; shorter;) {
      shorter = false;
      for (size_t node = 0; node < out_.size(); ++node) {
        if (cost[node] == far)
          continue;
        for (auto i : out_[node])
          if (arcs_[i].left > 0 && cost[node] + arcs_[i].cost < cost[arcs_[i].to]) {
            cost[arcs_[i].to] = cost[node] + arcs_[i].cost;
            via[arcs_[i].to] = i;
            shorter = true;
          }
      }
    }
    if (cost[to] == far)
      return false;
    for (auto node = to; node != from; node = arcs_[via[node] ^ 1].to) {
      --arcs_[via[node]].left;
      ++arcs_[via[node] ^ 1].left;
    }
    return true;
  }

  /// Takes one unit that flows out of `node`; the node it flows to.
  size_t follow(size_t node) {
    for (auto i : out_[node])
      if (i % 2 == 0 && arcs_[i].left == 0) {
        arcs_[i].left = 1;
        return arcs_[i].to;
      }
    return node;
  }

private:
  struct arc {
    size_t to;
    int left; ///< Capacity.
    int cost;
  };
  std::vector<arc> arcs_; ///< Each followed by its reverse.
  std::vector<std::vector<size_t>> out_;
};

} // namespace

std::string to_string(const site_path& x) {
  std::string out;
  for (auto& site : x)
    out += (out.empty() ? "" : " - ") + site.value;
  return out;
}

std::vector<site_path> disjoint_paths(const std::vector<site_edge>& edges, const site_id& from,
                                      const site_id& to, size_t count,
                                      const std::set<site_id>& ends_only) {
  std::map<site_id, size_t> number;
  std::set<std::pair<site_id, site_id>> pairs;
  for (auto& x : edges) {
    if (x.a == x.b)
      continue;
    number[x.a] = number[x.b] = 0;
    pairs.insert(std::minmax(x.a, x.b));
  }
  if (from == to || count == 0 || number.count(from) == 0 || number.count(to) == 0)
    return {};
  std::vector<site_id> names;
  for (auto& [site, i] : number) {
    i = names.size();
    names.push_back(site);
  }
  flow_graph graph{names.size()};
  for (auto& [site, i] : number)
    if (site != from && site != to && ends_only.count(site) == 0)
      graph.add(graph.entry(i), graph.exit(i), 0);
  for (auto& [a, b] : pairs) {
    graph.add(graph.exit(number[a]), graph.entry(number[b]), 1);
    graph.add(graph.exit(number[b]), graph.entry(number[a]), 1);
  }
  auto source = graph.exit(number[from]);
  auto sink = graph.entry(number[to]);
  for (size_t i = 0; i < count; ++i)
    if (!graph.augment(source, sink))
      return {};
  std::vector<site_path> out(count);
  for (auto& path : out) {
    path.push_back(from);
    for (auto node = graph.follow(source);; node = graph.follow(graph.follow(node))) {
      path.push_back(names[node / 2]);
      if (node == sink)
        break;
    }
  }
  std::sort(out.begin(), out.end(),
            [](auto& x, auto& y) { return x.size() != y.size() ? x.size() < y.size() : x < y; });
  return out;
}

} // namespace qnfv
