#pragma once

#include "drivers/idq3p/recent_answers.hpp"
#include "drivers/idq3p/udp_port.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/system/actor.hpp"

#include <set>

namespace qnfv {

struct idq3p_server_config {
  link_id link;
  site_id peer;            ///< The other end of the link.
  key_pool_actor key_pool; ///< Of this site.
  std::shared_ptr<idq3p_udp_port> port;
  uint32_t pool_timeout_ms = 4000; ///< Clients give up after 5 s.
  uint32_t recent_max = 256;       ///< Answers kept for a repeated request,
  uint32_t recent_s = 10;          ///< and for how long.
};

struct idq3p_server_state {
  static inline const char* name = "idq3p";
  idq3p_server_config config;
  std::unique_ptr<recent_answers> recent;
  std::set<idq3p_asker> asking; ///< Questions that the pool is being asked.
  bool expiry_due = false;
};

using idq3p_server_actor = actor_of<caf::result<void>(peer_up), caf::result<void>(peer_down),
                                    caf::result<void>(tick), caf::result<void>(continuation)>;

/// The IDQ3P key server of one end of one link: what the encryptors beside it ask for keys, as they
/// would ask a Clavis2. A new key is reserved at this end's pool for {"idq3p@THIS SITE",
/// "idq3p@PEER"}, the other end's server claims it by its id, in the length that it was made with.
///
///   status               when
///   1 no more keys       the pool is empty, or cannot hand out now (the peer is away): ask later
///   2 unknown key        never reserved for IDQ3P, or handed out before
///   3 wrong key length   not 1 to 32 bytes, or not the length that this key was made with. If it
///   was
///                        claimed for that, the key is spent
///   4 invalid request    device not 1 to 12; with `answer_damaged` also a wrong CRC
///
/// A key is handed out once. But UDP loses answers, so a request that is repeated to the letter
/// from the same address within `recent_s` gets the same datagram; every other one gets another key
/// or 2.
idq3p_server_actor::behavior_type
idq3p_server(stateful<idq3p_server_actor, idq3p_server_state>* self, idq3p_server_config config);

} // namespace qnfv
