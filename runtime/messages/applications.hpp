#pragma once

// Conversation: applications ask the key server of their site for keys that they share with
// applications of other sites. ETSI GS QKD 014 calls an application SAE and a key server KME. All
// of it is local: an application and its key server are at one site.
//
//   etsi014 --application_status_query--> key_server
//   etsi014 --draw_keys-----------------> key_server --reserve_keys--> key_pool  (master, first)
//   etsi014 --fetch_keys----------------> key_server --claim_keys----> key_pool  (slave, by id)
//
// The key pool answers the driver itself: the key server only says yes or no.

#include "runtime/messages/keys.hpp"

namespace qnfv {

/// The names that a caller's certificate proves, of the kind that the site's identity rule counts.
using proven_names = std::vector<std::string>;

/// What may be drawn for `slave`.
struct application_status_query {
  proven_names caller;
  std::string slave;
};
QNFV_MESSAGE(application_status_query, caller, slave)

struct application_status {
  site_id source; ///< This key server,
  site_id target; ///< and the slave's.
  std::string master;
  std::string slave;
  uint32_t key_size_bits = key_bits; ///< If nobody says how long a key shall be.
  uint64_t stored_keys = 0;          ///< Of key_size_bits, to be had now.
  uint64_t stored_keys_max = 0;
  uint32_t keys_per_request_max = 0;
  uint32_t key_size_bits_max = 0;
  uint32_t key_size_bits_min = 0;
  uint32_t additional_slaves_max = 0; ///< 0: a key is for one slave.
};
QNFV_MESSAGE(application_status, source, target, master, slave, key_size_bits, stored_keys,
             stored_keys_max, keys_per_request_max, key_size_bits_max, key_size_bits_min,
             additional_slaves_max)

/// `number` fresh keys for the caller and its slaves, who fetch them by their ids.
struct draw_keys {
  proven_names caller;
  std::string slave;
  std::vector<std::string> additional_slaves; ///< Of the slave's site.
  uint32_t number = 1;
  uint32_t size_bits = key_bits;
  request_id request;
};
QNFV_MESSAGE(draw_keys, caller, slave, additional_slaves, number, size_bits, request)

/// The keys that `master` drew for the caller: all of them or none.
struct fetch_keys {
  proven_names caller;
  std::string master;
  std::vector<key_id> keys;
};
QNFV_MESSAGE(fetch_keys, caller, master, keys)

/// The KEY SERVER interface: one per site. To all three, not_allowed means that the caller is no
/// application of this site.
using key_server_actor = actor_of<
    // Errors: not_allowed, invalid_argument (no keys are shared with this slave).
    caf::result<application_status>(application_status_query),
    // Errors: not_allowed, invalid_argument, and those of reserve_keys.
    caf::result<key_grants>(draw_keys),
    // Errors: not_allowed (also: a key is held for somebody else), invalid_argument, unknown_key,
    // and those of claim_keys.
    caf::result<key_grants>(fetch_keys)>;

/// A driver in whose protocol applications reach the key server. It only asks.
using key_service_actor = actor_of<caf::result<void>(tick), caf::result<void>(continuation)>;

} // namespace qnfv
