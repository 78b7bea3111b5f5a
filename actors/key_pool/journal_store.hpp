#pragma once

#include "actors/key_pool/audit.hpp"
#include "actors/key_pool/journal.hpp"
#include "runtime/clock/clock.hpp"

namespace qnfv {

/// What a journal store needs of its site.
struct journal_site {
  std::shared_ptr<storage> files;
  std::shared_ptr<random_source> random;
  std::shared_ptr<const qnfv::clock> clock;
  std::shared_ptr<audit_trail> audit;
  /// Runs a write on a thread that may wait for a disk.
  std::function<void(std::function<void()>)> on_disk;
  /// Runs something on the pool's actor, from any thread.
  std::function<void(std::function<void()>)> on_actor;
};

/// The store that lasts: a journal for the keys and the site's audit trail. While one commit is
/// being written everything that is recorded joins the next, so one sync serves many keys (group
/// commit). The audit records are durable after the changes they tell of, and before anybody hears of
/// either; what a stop in between left out is recorded at the next start.
/// Failures: as journal::open and audit_trail::open.
result<std::unique_ptr<key_store>> open_journal_store(journal_settings, journal_site);

/// "keys/bob1-alice1.journal". Beside it, for relayed keys, "keys/co-dc3.exposed": a line for each
/// session with its number and the trusted nodes that saw its keys.
std::string journal_path(const link_id&);

} // namespace qnfv
