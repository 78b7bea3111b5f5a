#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/clock/clock.hpp"
#include "runtime/messages/admin.hpp"

#include <map>
#include <vector>

namespace qnfv {

/// What one site knows of the others: who is joined, since which epoch, and who has gone silent.
/// Pure: the clock is an argument.
class peer_table {
public:
  struct settings {
    duration heartbeat = std::chrono::milliseconds{500};
    uint32_t heartbeats_missed = 3; ///< Silent for so many intervals: dead.
  };

  peer_table(settings s, std::vector<site_id> sites);

  /// What we remember of `site` from earlier starts.
  void remember(const site_id& site, uint64_t epoch);

  /// `site` introduces itself. Failures: unknown_site; stale_epoch if we have seen a later start.
  /// The answer says whether an older start of it was up until now.
  result<bool> join(const site_id& site, uint64_t epoch, time_point now);

  /// A sign of life, numbered by `site` since its start. False if it is not from the start that joined,
  /// or if this one or a later one was heard before: the network kept it, and it proves nothing now.
  bool heard(const site_id& site, uint64_t epoch, uint64_t sequence, time_point now);

  /// Sites that have just become dead by silence; they are down from now on.
  std::vector<site_id> bury(time_point now);

  /// False if it was not up.
  bool lost(const site_id& site, std::string reason);

  bool up(const site_id& site) const;
  uint64_t epoch(const site_id& site) const;
  std::vector<site_id> all_up() const;
  std::vector<site_id> all_down() const;
  std::vector<peer_status> status(time_point now) const;

private:
  struct entry {
    bool up = false;
    uint64_t epoch = 0; ///< The highest ever seen.
    uint64_t sequence = 0; ///< Of its last sign of life.
    time_point heard{};
    std::string reason = "has not joined yet";
  };

  settings settings_;
  std::map<site_id, entry> peers_;
};

} // namespace qnfv
