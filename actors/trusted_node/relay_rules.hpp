#pragma once

// What a site takes from its neighbours. Pure.

#include "actors/trusted_node/path_book.hpp"
#include "runtime/messages/relay.hpp"

#include <map>

namespace qnfv {

/// Two sites that get their keys by relays. `a` is the origin and Bob's end.
struct virtual_link {
  link_id link;
  site_id a;
  site_id b;
};

/// Whether `me` takes this from `sender`: a path without loops, of neighbours, between the ends of
/// a virtual link of this lab; `sender` and `me` at its hop; new ids of the link between the two.
/// Failures: not_allowed (another sender or receiver than the path says), unknown_link,
/// invalid_argument.
status check(const relay_keys&, const site_id& sender, const site_id& me,
             const std::vector<virtual_link>&, const path_book&, uint32_t keys_max);

/// How much each origin may ask a trusted node for: so many keys a second on the average, up to a
/// minute's worth at once. The node spends its neighbours' keys for it, and they are others' too.
class relay_quota {
public:
  explicit relay_quota(double keys_per_s = 1000) : keys_per_s_(keys_per_s) {}
  /// False: over the quota; nothing is counted.
  bool take(const site_id& origin, uint32_t keys, time_point now);

private:
  struct account {
    double keys = 0;
    time_point since{};
  };
  double keys_per_s_;
  std::map<site_id, account> accounts_;
};

} // namespace qnfv
