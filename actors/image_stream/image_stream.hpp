#pragma once

#include "actors/image_stream/pump.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/system/actor.hpp"

#include <deque>
#include <map>
#include <optional>

namespace qnfv {

struct image_stream_config {
  key_pool_actor key_pool;
  channel_actor channel;
  site_id orchestrator;            ///< Whose images arrive here.
  uint8_t segment_log2 = 20;       ///< Of the streams that this site sends.
  uint32_t segments_in_flight = 4; ///< In memory, per transfer.
  uint32_t transfers_max = 8;
  uint32_t channel_idle_ms = 10000;
  uint32_t request_timeout_ms = 2000;
  uint32_t channel_timeout_ms = 15000; ///< For the channel driver to answer; above its own deadlines.
  uint32_t ended_kept = 64;        ///< Outcomes, for a question that comes late.
};

/// One transfer at this end of it.
struct stream_entry {
  bool sends = false;
  site_id site;               ///< The other end.
  trace_context trace;
  open_stream outgoing;       ///< If it sends.
  key_grant grant;            ///< Until the cipher is made.
  std::shared_ptr<byte_channel> channel;
  std::shared_ptr<byte_sink> sink;
  std::shared_ptr<qnfv::pump> pump;
  uint64_t watched_bytes = 0; ///< What the pump had moved at the last look, and since when.
  time_point watched_since{};
  time_point began{};
  std::optional<pump_finished> end;
  double seconds = 0;
  std::vector<caf::typed_response_promise<stream_sent>> sent_promises;
  std::vector<caf::typed_response_promise<stream_received>> received_promises;

  /// The actor ends: so do its pumps.
  ~stream_entry() {
    if (pump)
      pump->cancel({ec::cancelled, "the site's image_stream ended"});
  }
};

struct image_stream_state {
  static inline const char* name = "image_stream";
  image_stream_config config;
  std::map<transfer_id, stream_entry> streams;
  std::deque<transfer_id> ended; ///< Oldest first.
};

/// IMAGE STREAM: the transfers of one site, in both directions. Gets the key from the site's pool
/// and a channel from its driver, then lets a pump do the work.
image_stream_actor::behavior_type
image_stream(stateful<image_stream_actor, image_stream_state>* self, image_stream_config config);

} // namespace qnfv
