#pragma once

#include "runtime/base/disjoint_paths.hpp"
#include "runtime/clock/clock.hpp"

#include <map>
#include <vector>

namespace qnfv {

/// What an origin knows of the links that could carry its keys, and the choice among them: the
/// shortest paths whose every hop has keys enough, is up, and has not failed of late. Pure: the
/// clock is an argument.
class path_book {
public:
  struct hop {
    link_id link;
    site_id a;
    site_id b;
  };
  struct settings {
    duration backoff_first = std::chrono::seconds{1}; ///< After a failure; doubles with each.
    duration backoff_max = std::chrono::seconds{256};
    /// A stock that was told so long ago counts as unknown, and unknown is tried.
    duration stock_memory = std::chrono::seconds{10};
  };

  path_book() = default;
  path_book(settings s, std::vector<hop> hops, std::set<site_id> untrusted);

  /// The link between two neighbours; null if they are none.
  const hop* between(const site_id&, const site_id&) const;
  /// Whether a path may lead through this site.
  bool trusted(const site_id& site) const { return untrusted_.count(site) == 0; }

  void saw_stock(const link_id&, uint64_t keys, time_point now);
  /// Keys that were drawn since.
  void drew(const link_id&, uint64_t keys);
  /// Whether a neighbour of this site is joined.
  void saw_site(const site_id&, bool up);
  /// The hop between two neighbours failed, or its farther end did.
  void hop_failed(const site_id&, const site_id&, time_point now);
  /// Somebody between the ends of the path lied, nobody knows who.
  void path_failed(const site_path&, time_point now);
  /// Everything on the path is trusted as at first.
  void worked(const site_path&);

  /// Whether `keys` could go along this path now.
  bool usable(const site_path&, uint64_t keys, time_point now) const;
  /// `count` paths that share no site in between, each usable; empty if there are not so many.
  std::vector<site_path> choose(const site_id& from, const site_id& to, size_t count, uint64_t keys,
                                time_point now) const;
  /// Why `choose` finds nothing: each hop that is out of use, in words.
  std::string obstacles(uint64_t keys, time_point now) const;

private:
  struct knowledge {
    uint64_t keys = 0;
    time_point told{};
    bool known = false;
    uint32_t failures = 0;
    time_point avoid_until{};
  };
  std::string obstacle(const hop&, uint64_t keys, time_point now) const;
  void avoid(const hop&, time_point now);

  settings settings_;
  std::vector<hop> hops_;
  std::set<site_id> untrusted_;
  std::map<link_id, knowledge> known_;
  std::set<site_id> down_;
};

} // namespace qnfv
