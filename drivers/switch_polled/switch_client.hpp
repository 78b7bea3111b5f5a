#pragma once

#include "runtime/messages/paths.hpp"

#include <functional>
#include <vector>

namespace qnfv {

struct switch_identity {
  std::string model; ///< "Polatis I-OST-24x24"
  uint16_t size = 0; ///< N of N x N.
};

enum class port_state : uint8_t { enabled, disabled, failed };

/// One switch, asked over a protocol in which it only answers. One question at a time; the answer
/// comes once, on any thread, also after the client is gone. Connects when asked, again if the
/// connection broke.
///
/// Errors of all: site_unreachable (nothing reached the switch), maybe_executed (asked, and no
/// answer in time), device_failed (it refuses, fails or does not know what was asked), not_allowed
/// (it does not take our password).
class switch_client {
public:
  template <class T>
  using taker = std::function<void(result<T>)>;

  virtual ~switch_client() = default;
  virtual void identify(taker<switch_identity>) = 0;
  virtual void read(taker<std::vector<cross_connection>>) = 0;
  /// Also: busy, invalid_argument.
  virtual void join(cross_connection, taker<done>) = 0;
  virtual void part(cross_connection, taker<done>) = 0;
  /// Of the ports 1 to 2 `size`, in order.
  virtual void read_ports(uint16_t size, taker<std::vector<port_state>>) = 0;
  /// Words of the switch that meant nothing. Any thread.
  virtual uint64_t ignored() const = 0;
};

} // namespace qnfv
