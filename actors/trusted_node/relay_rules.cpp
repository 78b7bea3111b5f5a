#include "actors/trusted_node/relay_rules.hpp"

#include "runtime/base/mutant.hpp"

#include <algorithm>
#include <set>

namespace qnfv {

namespace {

failure bad(const std::string& what) {
  return {ec::invalid_argument, "no relay: " + what};
}

} // namespace

status check(const relay_keys& x, const site_id& sender, const site_id& me,
             const std::vector<virtual_link>& links, const path_book& book, uint32_t keys_max) {
  auto& path = x.route.path;
  if (path.size() < 2 || path.size() > relay_sites_max)
    return bad("a path has 2 to " + std::to_string(relay_sites_max) + " sites");
  if (x.hop == 0 || x.hop >= path.size())
    return bad("no such hop on the path");
  if ((path[x.hop - 1] != sender && !QNFV_MUTANT("anybody may relay")) || path[x.hop] != me)
    return {ec::not_allowed, "hop " + std::to_string(x.hop) + " of the path does not lead from "
                                 + sender.value + " to " + me.value};
  if (std::set<site_id>(path.begin(), path.end()).size() != path.size())
    return bad("the path has a loop");
  for (size_t i = 1; i < path.size(); ++i)
    if (!book.between(path[i - 1], path[i]))
      return bad(path[i - 1].value + " and " + path[i].value + " share no link");
  for (size_t i = 1; i + 1 < path.size(); ++i)
    if (!book.trusted(path[i]))
      return bad(path[i].value + " is no trusted node");
  auto& block = x.route.block;
  auto link =
      std::find_if(links.begin(), links.end(), [&](auto& y) { return y.link == block.link; });
  if (link == links.end())
    return {ec::unknown_link, "no virtual link " + block.link.value};
  if (link->a != path.front() || link->b != path.back())
    return bad("the path does not join the ends of " + block.link.value);
  if (block.count == 0 || block.count > keys_max)
    return bad("1 to " + std::to_string(keys_max) + " keys at a time");
  if (x.keys.size() != block.count + 1
      || std::set<key_id>(x.keys.begin(), x.keys.end()).size() != x.keys.size())
    return bad("a pad for each key and one key for the tag, each once");
  auto& hop = book.between(sender, me)->link;
  for (auto& id : x.keys)
    if (!belongs_to(id, hop))
      return bad("key " + to_string(id) + " is not of " + hop.value);
  return done{};
}

bool relay_quota::take(const site_id& origin, uint32_t keys, time_point now) {
  auto most = 60 * keys_per_s_;
  auto [i, fresh] = accounts_.emplace(origin, account{most, now});
  auto& x = i->second;
  x.keys = std::min(most, x.keys + keys_per_s_ * to_seconds(now - x.since));
  x.since = now;
  if (x.keys < keys)
    return false;
  x.keys -= keys;
  return true;
}

} // namespace qnfv
