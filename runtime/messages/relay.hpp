#pragma once

// Conversation: keys for two sites that share no fibre, carried over trusted nodes (Aguado et al.,
// section III.A, Fig. 6; the numbers are the figure's steps). What crosses hosts are ids, keys
// XORed with a pad that is used once, and one-time tags: never a key bit.
//
//   co/trusted_node --reserve_keys--> co/key_pool                      1  pads of hop 1
//   co/trusted_node --relay_keys----> n1/trusted_node                  2
//   n1/trusted_node --claim_keys----> n1/key_pool                      3  the same pads
//   n1/trusted_node --reserve_keys--> n1/key_pool                      4  keys of hop 2
//   n1/trusted_node --relay_keys----> dc3/trusted_node                 5
//   dc3/trusted_node --claim_keys---> dc3/key_pool; --key_block-->     6  the end keys; its ACK
//   n1/trusted_node --wrapped_keys--> co/trusted_node                  7  (the answer to 2)
//   co/trusted_node --key_block-----> co/key_pool                      8
//
//   origin --announce_session--> far end      which session of the virtual link runs, over which
//   paths any --drop_relay-----------> the next site      this one failed: its pads die now

#include "runtime/base/disjoint_paths.hpp"
#include "runtime/messages/keys.hpp"

namespace qnfv {

/// One try to bring one share of one block along one path. Random: never seen before.
using relay_id = uuid<struct relay_tag>;

/// The sites of a path at most: 8 hops.
constexpr size_t relay_sites_max = 9;

/// What is carried, and along which sites. The same at each of them.
struct relay_route {
  relay_id id;
  block_id block;     ///< Of the virtual link.
  uint32_t share = 0; ///< Which of the announced paths; the block is the XOR of all its shares.
  site_path path;     ///< The origin first, the far end last.
};
QNFV_FIELDS(relay_route, id, block, share, path)

/// "co/dc3 session 2 keys 64+64"
inline std::string name_of(const relay_route& x) {
  return x.block.link.value + " session " + std::to_string(x.block.session) + " keys "
         + std::to_string(x.block.first) + "+" + std::to_string(x.block.count);
}

/// "I drew these keys of our link for this route: `route.block.count` pads and one for a tag." From
/// path[hop - 1] to path[hop].
struct relay_keys {
  relay_route route;
  uint32_t hop = 1;
  std::vector<key_id> keys;

  friend std::string to_string(const relay_keys& x) {
    return "relay_keys(" + name_of(x.route) + ", share " + std::to_string(x.route.share) + ", "
           + to_string(x.route.path) + ", hop " + std::to_string(x.hop) + ")";
  }
};
QNFV_MESSAGE(relay_keys, route, hop, keys)

/// How many unused keys a hop had left.
struct hop_stock {
  link_id link;
  uint64_t keys = 0;
};
QNFV_FIELDS(hop_stock, link, keys)

/// The answer to relay_keys, sent when its sender has wiped what it knew. With `code` none: the end
/// keys, each XORed with a pad of the hop; empty from the far end, which is an end key's home. The
/// tag covers all of it and the whole route (actors/trusted_node/relay_step.hpp).
struct wrapped_keys {
  relay_id id;
  ec code = ec::none;
  std::string reason;
  uint32_t failed_hop = 0;  ///< 1 for path[0] - path[1], and so on.
  std::vector<key_id> next; ///< Keys of the hop after this one.
  bytes wrapped;
  one_time_tag tag{};
  std::vector<hop_stock> stocks; ///< Of the hops beyond; what path choice goes by.

  friend std::string to_string(const wrapped_keys& x) {
    return "wrapped_keys(" + std::to_string(x.wrapped.size()) + " B"
           + (x.code == ec::none ? "" : ", " + to_string(x.code) + ": " + x.reason) + ")";
  }
};
QNFV_MESSAGE(wrapped_keys, id, code, reason, failed_hop, next, wrapped, tag, stocks)

/// "This relay has failed with me: forget it, and spend its pads." Idempotent.
struct drop_relay {
  relay_id id;
  std::vector<key_id> keys; ///< Of the link between the two, as in relay_keys.

  friend std::string to_string(const drop_relay& x) {
    return "drop_relay(" + std::to_string(x.keys.size()) + " keys)";
  }
};
QNFV_MESSAGE(drop_relay, id, keys)

/// The origin to the far end, site to site: only blocks of this session over exactly these paths
/// are taken. At a start and after each change of paths (`opens`), and again every now and then.
struct announce_session {
  link_id link;
  uint32_t session = 0;
  bool opens = false;
  std::vector<site_path> paths;
};
QNFV_MESSAGE(announce_session, link, session, opens, paths)

struct session_announced {
  link_id link;
  bool taken = false; ///< False: the far end has seen as high a session number; take a higher one.
  uint32_t session = 0;    ///< The highest that its pool has seen.
  uint64_t ready = 0;      ///< Of its pool.
  uint64_t mismatches = 0; ///< Blocks whose two copies differed: somebody on the paths lied.
};
QNFV_MESSAGE(session_announced, link, taken, session, ready, mismatches)

/// Keys of one link that relays for one virtual link have spent at the site that drew them.
struct relay_spending {
  link_id virtual_link;
  link_id hop;
  uint64_t keys = 0;
};
QNFV_FIELDS(relay_spending, virtual_link, hop, keys)

/// A virtual link as its origin sees it. Counters since the actor's start.
struct virtual_link_status {
  link_id link;
  site_id a; ///< The origin.
  site_id b;
  uint32_t session = 0;            ///< 0: none is open.
  std::vector<site_path> paths;    ///< In use; each carries one share.
  std::vector<site_id> exposed_to; ///< Trusted nodes of this session, in path order.
  bool each_sees_keys = true;      ///< False: every one of them sees a share, none a key.
  uint64_t stock = 0;              ///< Ready or about to be, at the origin.
  uint64_t keys_low = 0;
  uint64_t keys_high = 0;
  uint32_t under_way = 0;   ///< Blocks.
  uint64_t relays_done = 0; ///< Blocks that went into both pools.
  uint64_t relays_failed = 0;
  uint64_t keys_relayed = 0;
  std::string last_reason; ///< Of the last failure.
  std::string trouble;     ///< Why nothing is relayed now; empty: all is well.
};
QNFV_FIELDS(virtual_link_status, link, a, b, session, paths, exposed_to, each_sees_keys, stock,
            keys_low, keys_high, under_way, relays_done, relays_failed, keys_relayed, last_reason,
            trouble)

struct relay_status_query {};
QNFV_SIGNAL(relay_status_query)

struct relay_status {
  site_id site;
  std::vector<virtual_link_status> links; ///< Those that begin here.
  std::vector<relay_spending> spent;      ///< Drawn here.
};
QNFV_MESSAGE(relay_status, site, links, spent)

/// The TRUSTED NODE interface: one per site that relays, begins or ends a virtual link.
using trusted_node_actor = actor_of<
    // From the neighbour that the path names only. Whatever goes wrong comes back as a code in the
    // answer; errors: not_allowed (another sender than the path says), invalid_argument (no path,
    // no such virtual link, wrong keys).
    caf::result<wrapped_keys>(relay_keys), caf::result<accepted>(drop_relay),
    // Errors: not_allowed, unknown_link, invalid_argument.
    caf::result<session_announced>(announce_session), caf::result<relay_status>(relay_status_query),
    caf::result<void>(peer_up), caf::result<void>(peer_down), caf::result<void>(tick)>;

} // namespace qnfv
