#pragma once

// What the QKD SOURCE drivers share that draw keys from servers of another make: qkd_idq3p and
// qkd_etsi014 differ in their client only.

#include "drivers/qkd_drawn/key_server_client.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv {

struct qkd_drawn_config {
  device_id device;
  link_end end = link_end::bob;
  link_id link;
  site_id peer_site;
  qkd_source_actor peer;
  qkd_device_actor owner;
  /// A client of this end's key server, one per session. Failure: it cannot be reached like this
  /// (certificates); the session is refused.
  std::function<result<std::unique_ptr<key_server_client>>()> connect;
  /// Of this end, to be asked before keys are drawn: a server's keys are not drawn into a full
  /// pool. Null: nobody is asked.
  key_pool_actor key_pool;
  uint32_t pool_keys_enough = 0; ///< With so many unused keys it is full.
  uint32_t block_keys_max = 64;
  uint32_t gather_ms = 2000;         ///< A smaller block waits so long for more keys.
  uint32_t fetch_timeout_ms = 30000; ///< What Alice's end has to fetch a block.
  uint32_t wait_first_ms = 250;      ///< When the server has no key; doubles with each try,
  uint32_t wait_max_ms = 10000;      ///< up to this.
  uint32_t unreachable_max = 3; ///< Tries in a row without an answer; then the session is lost.
  uint32_t names_max = 16384;   ///< Remembered, so that no key is taken twice.
};

struct qkd_drawn_state {
  static inline const char* name = "qkd_drawn";
  qkd_drawn_config config;
  device_report report;
  uint32_t session = 0; ///< The last one started; 0: none yet.
  trace_context trace;  ///< Of its start: what it draws later is drawn for that, too.
  bool running = false;
  uint64_t generation = 0; ///< Of the answers and timers that count.
  std::unique_ptr<key_server_client> client;
  std::unique_ptr<name_memory> seen;
  uint64_t next_counter = 0; ///< Bob's end: of the next block. Alice's: the lowest that is taken.
  uint64_t blocks = 0;       ///< Of this session.
  uint64_t thrown_away = 0;  ///< Keys that one end only had, repeated or malformed ones.
  time_point started{};      ///< The session,
  time_point last_block{};   ///< and its last block or, before the first, the session.

  // Bob's end.
  std::vector<drawn_key> drawn; ///< Not yet in a block.
  time_point drawn_since{};     ///< The oldest of them.
  uint32_t wait_ms = 0;
  uint32_t unreachable = 0;
  // Alice's end.
  std::optional<caf::typed_response_promise<block_fetched>> asked; ///< A block is being fetched.
};

/// The QKD SOURCE driver over a key server at each end. Bob's end draws keys until they fill a
/// block or the server has no more, and tells Alice's end how they are called (drawn_block). She
/// fetches them at her server and answers which she got; these make the block, at both ends, under
/// ids of ours. Keys that only one end has are thrown away, whole blocks if fewer than 3 are left.
///
/// Phases: raw_exchange until the first block, then keys_ready. lost: a server or the other end
/// does not answer. failed: a server refuses this client. Rates are those of the last block.
qkd_source_actor::behavior_type qkd_drawn(stateful<qkd_source_actor, qkd_drawn_state>* self,
                                          qkd_drawn_config config);

} // namespace qnfv
