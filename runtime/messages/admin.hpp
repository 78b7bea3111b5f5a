#pragma once

// Conversation: how sites find, trust and watch each other, and what an operator may ask a site.
//
//   node --join-------------> node              (after the TLS gateways shook hands)
//   node --heartbeat--------> node              (every heartbeat interval)
//   node --peer_up/down-----> its own roles     (what the heartbeats say)
//   operator --join---------> node              (the CLI: no heartbeats, sees the operator's roles)
//   operator --..._query----> node

#include "runtime/base/ids.hpp"
#include "runtime/base/units.hpp"
#include "runtime/messages/trace.hpp"

#include <functional>
#include <vector>

namespace qnfv {

/// The answer of a command that returns nothing else.
struct accepted {};
QNFV_SIGNAL(accepted)

/// An actor's own timer. `generation` lets it ignore a tick that it no longer waits for: CAF cannot
/// cancel a delayed message.
struct tick {
  uint64_t generation = 0;
  std::string what;
};
QNFV_MESSAGE(tick, generation, what)

/// What an I/O thread has for its actor to do next. Local; only from the actor's own callbacks.
struct continuation {
  std::function<void()> run;
  friend std::string to_string(const continuation&) { return "continuation"; }
};

/// The name under which an operator's CLI joins. Not a site: no epoch, no heartbeats.
inline const site_id operator_name{"operator"};

/// May `asker` command what belongs to `site` alone?
inline bool commands(const site_id& asker, const site_id& site) {
  return asker == site || asker == operator_name;
}

/// A role that a peer may talk to, under the name of the topology ("key_pool", "mano_gateway").
struct published_role {
  std::string role;
  caf::strong_actor_ptr handle;
};
QNFV_FIELDS(published_role, role, handle)

/// "I am `site`, started for the `epoch`-th time." The transport has proved the name before this
/// arrives; an epoch below the remembered one is refused (stale_epoch), a higher one replaces the
/// older connection.
struct join {
  site_id site;
  uint64_t epoch = 0;
  std::string topology; ///< Digest of the topology; both must run the same.
  caf::strong_actor_ptr node;
  std::vector<published_role> roles;
};
QNFV_MESSAGE(join, site, epoch, topology, node, roles)

struct joined {
  site_id site;
  uint64_t epoch = 0;
  std::vector<published_role> roles;
};
QNFV_MESSAGE(joined, site, epoch, roles)

struct heartbeat {
  site_id site;
  uint64_t epoch = 0;
  uint64_t sequence = 0;
};
QNFV_MESSAGE(heartbeat, site, epoch, sequence)

/// To the roles of a site: `site` has joined and its roles can be reached.
struct peer_up {
  site_id site;
  uint64_t epoch = 0;
};
QNFV_MESSAGE(peer_up, site, epoch)

/// To the roles of a site: `site` is gone. Whatever it was asked may or may not have happened.
struct peer_down {
  site_id site;
  std::string reason;
};
QNFV_MESSAGE(peer_down, site, reason)

/// From the transport to the node: a connection to `site`'s node is open, its name is proved.
/// `dialled` is true at the end that opened it, and that end sends `join`.
struct peer_reached {
  site_id site;
  caf::strong_actor_ptr node;
};
QNFV_MESSAGE(peer_reached, site, node)

/// From the transport to the node: the connection broke, or could not be opened.
struct peer_lost {
  site_id site;
  std::string reason;
};
QNFV_MESSAGE(peer_lost, site, reason)

/// What a role hears about other sites. Every role implements it.
using peer_watcher_actor = actor_of<caf::result<void>(peer_up), caf::result<void>(peer_down)>;

struct role_status {
  std::string role;
  bool alive = true;
  uint32_t restarts = 0;
  uint32_t waiting = 0; ///< Messages in its mailbox.
};
QNFV_FIELDS(role_status, role, alive, restarts, waiting)

struct peer_status {
  site_id site;
  bool up = false;
  uint64_t epoch = 0;
  double silent_s = 0; ///< Since the last sign of life; 0 if it never joined.
  std::string reason;  ///< Why it is not up.
};
QNFV_FIELDS(peer_status, site, up, epoch, silent_s, reason)

struct site_status_query {};
QNFV_SIGNAL(site_status_query)

struct site_status {
  site_id site;
  uint64_t epoch = 0;
  uint32_t pid = 0;
  double uptime_s = 0;
  uint64_t heartbeats = 0; ///< Sent since its start, to every peer that was there.
  std::vector<role_status> roles;
  std::vector<peer_status> peers;
};
QNFV_MESSAGE(site_status, site, epoch, pid, uptime_s, heartbeats, roles, peers)

/// The status of this site and of every peer that answers.
struct lab_status_query {};
QNFV_SIGNAL(lab_status_query)

struct lab_status {
  std::vector<site_status> sites;
};
QNFV_MESSAGE(lab_status, sites)

/// Trace events of this site (and of its peers if `whole_lab`) after the cursor.
struct trace_query {
  bool whole_lab = true;
  std::string trace; ///< Only events of this trace; "last": of the newest delivery; empty: all.
  std::map<std::string, event_id> after; ///< Per site, the last event already seen.
  uint32_t limit = 1000;                 ///< Events per site.
};
QNFV_MESSAGE(trace_query, whole_lab, trace, after, limit)

/// JSON lines (the format of tracing/event.hpp), in order per site.
struct trace_page {
  std::vector<std::string> lines;
  std::map<std::string, event_id> seen;  ///< The cursor for the next query.
  std::map<std::string, uint64_t> lost;  ///< Per site, events that the ring no longer holds.
};
QNFV_MESSAGE(trace_page, lines, seen, lost)

/// Ends the site in order. From the operator only.
struct shutdown_site {};
QNFV_SIGNAL(shutdown_site)

/// The NODE interface: one per site, the supervisor of its roles.
using node_actor = actor_of<
  // A peer or an operator introduces itself; the answer lists the roles it may use.
  // Errors: not_allowed (another name than proved), stale_epoch, bad_config (another topology),
  // unknown_site.
  caf::result<joined>(join),
  caf::result<void>(heartbeat),
  caf::result<void>(peer_reached), caf::result<void>(peer_lost),
  caf::result<void>(tick),
  caf::result<site_status>(site_status_query),
  // Asks every joined peer; one that does not answer within a heartbeat timeout is left out.
  caf::result<lab_status>(lab_status_query),
  caf::result<trace_page>(trace_query),
  // Errors: not_allowed.
  caf::result<accepted>(shutdown_site)>;

} // namespace qnfv
