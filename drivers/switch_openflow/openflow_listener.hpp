#pragma once

// The door of an OpenFlow controller: a TCP port at which switches knock.

#include "drivers/openflow/connection.hpp"

namespace qnfv {

struct openflow_listener_settings {
  std::string listen = "127.0.0.1:6633"; ///< Numeric; port 0: any free one.
  /// OpenFlow 1.0 over TCP proves nobody's name: whoever reaches the port can say that it is the
  /// switch. Only for a management network that ends at the switch.
  bool beyond_loopback = false;
  wire_tap tap;
};

class openflow_listener {
public:
  using taker = std::function<void(std::shared_ptr<openflow_connection>)>;
  virtual ~openflow_listener() = default;
  /// "127.0.0.1:6633", with the port that was really taken.
  virtual std::string address() const = 0;
  /// From now on `take` gets the connections, on a thread of the io_context; what comes before the
  /// first taker waits. Any thread.
  virtual void serve(taker take) = 0;
  /// Closes the port; open connections stay. Any thread; repeating changes nothing.
  virtual void stop() = 0;
};

/// The io_context must outlive the listener.
/// Errors: bad_config (no address, or one beyond loopback), site_unreachable (cannot listen there).
result<std::shared_ptr<openflow_listener>> listen_openflow(boost::asio::io_context&,
                                                           const openflow_listener_settings&);

} // namespace qnfv
