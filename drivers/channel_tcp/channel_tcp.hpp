#pragma once

#include "runtime/messages/channels.hpp"
#include "runtime/system/actor.hpp"

#include <functional>
#include <map>
#include <memory>

namespace qnfv {

/// The data port of one site. A connection starts with a preface (preface.hpp). Connections and
/// expectations wait for each other; whoever comes first is parked, at most `parked_max`, until
/// the deadline. Any thread.
class tcp_listener {
public:
  using taker = std::function<void(result<channel_opened>)>;
  virtual ~tcp_listener() = default;
  /// "127.0.0.1:7201", with the port that was really taken.
  virtual std::string address() const = 0;
  virtual void expect(const expect_channel&, taker) = 0;
  /// Tells the other end what the caller works for.
  virtual void open(const open_channel&, duration connect_timeout, taker) = 0;
  /// Closes the door and everything parked; open channels stay.
  virtual void stop() = 0;
};

struct tcp_listener_settings {
  uint32_t parked_max = 64;
  uint32_t parked_deadline_ms = 10000;
  uint32_t preface_deadline_ms = 5000; ///< For a connection's first bytes.
};

/// Failure: bad_config (address), site_unreachable (cannot listen there).
result<std::shared_ptr<tcp_listener>> listen_on(std::shared_ptr<io_pool> io, const std::string& address,
                                                tcp_listener_settings settings = {});

struct channel_tcp_config {
  std::shared_ptr<tcp_listener> listener;
  uint32_t connect_timeout_ms = 3000;
};

struct channel_tcp_state {
  static inline const char* name = "channel";
  channel_tcp_config config;
};

/// The CHANNEL driver over TCP (the paper's "Socket"). The bytes protect themselves: no TLS here.
channel_actor::behavior_type channel_tcp(stateful<channel_actor, channel_tcp_state>* self,
                                         channel_tcp_config config);

} // namespace qnfv
