#pragma once

#include "runtime/config/topology.hpp"

namespace qnfv {

/// One option of "limits": its name in the file and its field.
struct limit_option {
  const char* name;
  uint32_t limits_config::* field;
};

#define QNFV_LIMIT(x) limit_option{#x, &limits_config::x}
inline const limit_option limit_options[] = {
  QNFV_LIMIT(heartbeat_ms),       QNFV_LIMIT(heartbeats_missed),  QNFV_LIMIT(request_timeout_ms),
  QNFV_LIMIT(offer_timeout_ms),   QNFV_LIMIT(install_timeout_s),  QNFV_LIMIT(channel_idle_ms),
  QNFV_LIMIT(connect_timeout_ms), QNFV_LIMIT(key_wait_s),         QNFV_LIMIT(key_retry_ms),
  QNFV_LIMIT(segment_log2),       QNFV_LIMIT(segments_in_flight), QNFV_LIMIT(transfers_max),
  QNFV_LIMIT(parked_channels_max), QNFV_LIMIT(pool_keys_max),     QNFV_LIMIT(reconcile_s),
  QNFV_LIMIT(orders_max),         QNFV_LIMIT(io_threads),         QNFV_LIMIT(trace_events),
  QNFV_LIMIT(trace_file_mb),      QNFV_LIMIT(restarts_max),       QNFV_LIMIT(restart_window_s),
  QNFV_LIMIT(mailbox_max),        QNFV_LIMIT(trace_wire_bytes),
};
#undef QNFV_LIMIT

} // namespace qnfv
