#pragma once

#include "runtime/messages/channels.hpp"
#include "runtime/system/actor.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace qnfv {

/// The data network of sites in one process. Any thread.
class memory_network {
public:
  /// Calls back when `n` bytes have passed the line; at once by default. A simulation lets virtual
  /// time pass.
  using pace_function = std::function<void(size_t n, std::function<void()> then)>;
  /// Sees, and may change, every piece of bytes on its way.
  using tap_function = std::function<void(bytes&)>;

  void set_pace(pace_function x) { pace_ = std::move(x); }
  void set_tap(tap_function x) { tap_ = std::move(x); }

  /// Breaks every channel from or to `site`, now.
  void cut(const site_id& site);

  /// Bytes a channel holds between writer and reader; then the writer waits.
  static constexpr size_t buffer_bytes = 4u << 20;

  class pipe;
  using taker = std::function<void(result<channel_opened>)>;

private:
  friend class memory_line;
  friend struct memory_door;
  std::mutex mutex_;
  pace_function pace_;
  tap_function tap_;
  std::multimap<site_id, std::weak_ptr<pipe>> pipes_;
  struct meeting {
    channel_token token{};
    std::shared_ptr<pipe> parked; ///< Came first,
    trace_context opener;         ///< for this,
    taker expecting;              ///< or was expected first.
  };
  std::map<std::pair<site_id, transfer_id>, meeting> meetings_;
};

struct channel_memory_config {
  std::shared_ptr<memory_network> network;
  uint32_t parked_deadline_ms = 10000; ///< Of a connection, or an expectation, that nobody meets.
};

struct channel_memory_state {
  static inline const char* name = "channel";
  channel_memory_config config;
  uint64_t asked = 0;
  std::map<uint64_t, caf::typed_response_promise<channel_opened>> waiting;
};

/// The CHANNEL driver of simulations and tests: bytes go through memory.
channel_actor::behavior_type
channel_memory(stateful<channel_actor, channel_memory_state>* self, channel_memory_config config);

} // namespace qnfv
