#pragma once

#include "actors/trusted_node/relay_rules.hpp"
#include "actors/trusted_node/relay_states.hpp"
#include "actors/trusted_node/relay_step.hpp"
#include "runtime/system/actor.hpp"

#include <deque>

namespace qnfv {

struct trusted_node_config {
  /// A virtual link that begins here.
  struct supplied_link {
    virtual_link ends;
    uint32_t paths = 1;        ///< That share no site; each carries a share of every block.
    uint64_t keys_low = 256;   ///< Below it the pool is filled,
    uint64_t keys_high = 1024; ///< up to here.
    uint32_t keys_per_relay = 64;
  };

  site_id site;
  key_pool_actor key_pool;
  std::vector<supplied_link> supplies;
  std::vector<virtual_link> links;  ///< Of the lab.
  std::vector<path_book::hop> hops; ///< Of the lab.
  std::set<site_id> untrusted;      ///< Never passed through.
  /// The trusted nodes next to this one, and the far ends of its virtual links.
  std::map<site_id, trusted_node_actor> others;
  path_book::settings paths;
  uint32_t request_timeout_ms = 2000;
  uint32_t look_ms = 1000;       ///< How often stocks are looked at and failed paths tried again.
  uint32_t blocks_under_way = 4; ///< Per virtual link.
  uint32_t keys_per_relay_max = 127;
  uint32_t relays_max = 64;        ///< Under way here for other origins,
  uint32_t relays_per_origin = 16; ///< and for one of them.
  double keys_per_s_per_origin = 1000;
  uint32_t hop_floor = 16;  ///< Keys of a link that relays leave to others.
  uint32_t dwell_s = 30;    ///< So long a path keeps its session although it is short of keys.
  uint32_t drops_max = 256; ///< Failed relays that a site which is away shall hear of.
};

/// One relay at this site; it goes when it ends.
struct relay_entry {
  relay_route route;
  size_t at = 0; ///< This site's place in the path.
  relay_state state = relay_state::claiming;
  std::vector<key_id> pads;                          ///< Ids of `before`.
  hop_keys before;                                   ///< Of the hop to the site before.
  hop_keys after;                                    ///< Of the hop to the next site.
  caf::typed_response_promise<wrapped_keys> promise; ///< To the site before.
};

/// A block of which some shares have come; at the origin and at the far end.
struct block_gathering {
  block_id block;
  std::map<uint32_t, secret> shares;
  std::set<relay_id> relays;
  bool failed = false;
  time_point since{};
};

/// The origin's side of a virtual link.
struct supply {
  trusted_node_config::supplied_link config;
  enum class phase { closed, opening, open } is = phase::closed;
  uint32_t session = 0; ///< Of this phase.
  std::vector<site_path> paths;
  time_point opened{};
  uint64_t next_first = 0;
  uint64_t blocks = 0;                           ///< Of this session.
  bool reopen = false;                           ///< As soon as nothing is under way.
  std::map<uint64_t, block_gathering> under_way; ///< By first counter: in this order they end.
  bool pool_known = false;
  pool_status pool;        ///< Of this end, as last seen.
  uint64_t mismatches = 0; ///< Of the far end, as last heard.
  bool far_known = false;
  bool filling = true;
  time_point trouble_since{};
  bool alarmed = false;
  virtual_link_status status;
};

/// The far end's side.
struct arrival {
  virtual_link ends;
  uint32_t session = 0; ///< As announced; 0: not yet.
  std::vector<site_path> paths;
  uint64_t next_first = 0;
  std::map<uint64_t, block_gathering> gathering;
};

struct trusted_node_state {
  static inline const char* name = "trusted_node";
  trusted_node_config config;
  path_book book;
  relay_quota quota;
  std::set<site_id> up;
  std::map<link_id, pool_status> stocks; ///< Of this site's links.
  std::map<relay_id, relay_entry> relays;
  std::map<link_id, supply> supplies;
  std::map<link_id, arrival> arrivals;
  std::map<std::pair<link_id, link_id>, uint64_t> spent; ///< Per virtual link and hop.
  std::deque<std::pair<site_id, drop_relay>> drops;      ///< Not acknowledged.
};

/// The TRUSTED NODE of a site (the paper's section III.A): relays keys for others, and fills the
/// pools of the virtual links that begin or end here (actors/trusted_node/README.md).
trusted_node_actor::behavior_type
trusted_node(stateful<trusted_node_actor, trusted_node_state>* self, trusted_node_config config);

} // namespace qnfv
