#pragma once

// Conversation: what shall go wrong, where, and for how long.
//
//   operator, fault plan --inject_fault--> fault_injector (orchestrator's site)
//   fault_injector --inject_fault--------> fault_injector (the sites where it happens)
//
// A site has a fault_injector only if it was started with --allow-faults.

#include "runtime/base/ids.hpp"
#include "runtime/messages/admin.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

/// Everything that can be made to go wrong. `traits` says where each happens, what its amount means
/// and how long it lasts by default.
enum class fault_kind : uint8_t {
  // Messages and image bytes between two sites.
  drop,
  delay,
  duplicate,
  reorder,
  corrupt,
  one_way,
  partition,
  half_open,
  slow_link,
  // A site: its process, disk and clock.
  crash,
  power_cut,
  freeze,
  disk_full,
  failed_sync,
  slow_disk,
  clock_jump,
  clock_drift,
  // One role of a site.
  restart,
  poison,
  flood,
  // The quantum channel of a link and its devices; emulated devices only.
  qber_rise,
  eavesdropper,
  loss_of_sync,
  init_failure,
  key_mismatch,
  device_flood,
  // A port of an optical switch; emulated switches only.
  stuck_port,
  wrong_port,
  silent_port,
  lying_port,
  dark_port,
  lost_flow_mod,
  slow_switch,
  // The VIM of a data centre.
  vim_failure,
  vim_hang,
};
constexpr size_t fault_kind_count = 35;
std::string to_string(fault_kind);
std::optional<fault_kind> parse_fault_kind(std::string_view);

/// How a place is written: edge "co>dc1" (one direction) or "co<>dc1" (both), site "dc1", role
/// "dc1/key_pool", link "bob1/alice1", port "polatis1:3" or "polatis1" (every port), vim "dc1".
enum class fault_place : uint8_t { edge, site, role, link, port, vim };
std::string to_string(fault_place);

struct fault_traits {
  fault_kind kind;
  const char* name;
  fault_place place;
  const char* amount;    ///< What `amount` is called in a plan, with its unit; null: it has none.
  double amount_default;
  double for_s_default;  ///< 0: it happens at once and is over.
  const char* about;
};
const fault_traits& traits(fault_kind);
/// What it strikes is counted: a message, a request, a piece of disk work. Others just are there.
bool counts_hits(fault_kind);

/// One fault. Times are real time (virtual in a simulation), also where devices live faster.
struct fault {
  fault_kind what = fault_kind::drop;
  std::string where;
  double amount = 0;
  double probability = 1; ///< Per message, block or request that it could hit.
  double for_s = 0;       ///< Crash and freeze: until it is back.
  /// Not at once but when the `nth` message of this type arrives at the site; empty: at once.
  std::string message;
  uint32_t nth = 0;
};
QNFV_FIELDS(fault, what, where, amount, probability, for_s, message, nth)

/// "crash dc1 for 5 s", for people and traces.
std::string describe(const fault&);

/// The sites, roles, ... that `where` names.
struct fault_target {
  std::string first;  ///< Site, link or switch; of an edge the sending end.
  std::string second; ///< The other end of an edge, or the role.
  port_number port = 0;
  bool both_ways = false;
};
/// Failure: invalid_argument (not written as places of that sort are).
result<fault_target> parse_fault_place(fault_place, const std::string& where);

struct inject_fault {
  fault what;
};
QNFV_MESSAGE(inject_fault, what)

struct fault_injected {
  std::vector<uint64_t> ids; ///< One per site that has a part in it.
};
QNFV_MESSAGE(fault_injected, ids)

/// Ends what still goes wrong at this site, and what waits for its message.
struct clear_faults {
  std::string kind;  ///< Its name; empty: of any kind,
  std::string where; ///< and anywhere.
};
QNFV_MESSAGE(clear_faults, kind, where)

struct list_faults {};
QNFV_SIGNAL(list_faults)

/// A fault that is there at this site, or waits for its message.
struct fault_status {
  uint64_t id = 0;
  site_id site; ///< Where it works.
  fault what;
  bool waiting = false; ///< For its message.
  double left_s = 0;    ///< 0: until it is cleared.
  uint64_t hits = 0;    ///< Messages, syncs or requests it has hit.
};
QNFV_FIELDS(fault_status, id, site, what, waiting, left_s, hits)

struct fault_list {
  std::vector<fault_status> faults;
};
QNFV_MESSAGE(fault_list, faults)

/// Nothing: what floods a mailbox.
struct ballast {};
QNFV_SIGNAL(ballast)

/// The role that handles it dies. Local.
struct poison {
  uint64_t id = 0;
};
QNFV_MESSAGE(poison, id)

/// The FAULT INJECTOR interface. From operators, and from the orchestrator's site.
using fault_injector_actor = actor_of<
  // Errors: invalid_argument (no such place), not_allowed, site_unreachable (the site has not joined,
  // or does not allow faults), and what the device, switch or VIM answers.
  caf::result<fault_injected>(inject_fault),
  caf::result<fault_list>(clear_faults), // What it ended.
  caf::result<fault_list>(list_faults),
  caf::result<void>(tick), caf::result<void>(continuation),
  caf::result<void>(peer_up), caf::result<void>(peer_down)>;

} // namespace qnfv
