#pragma once

// The TCP port of a switch that speaks SCPI: lines in, answers out.

#include "drivers/scpi/codec.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/units.hpp"
#include "runtime/tracing/wire_tap.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace qnfv {

struct scpi_port_settings {
  std::string listen = "127.0.0.1:5025"; ///< Numeric; port 0: any free one.
  /// The protocol has no authentication: whoever reaches the port turns the switch.
  bool beyond_loopback = false;
  size_t connections_max = 16; ///< More are accepted and closed at once.
  duration idle_timeout = std::chrono::minutes{10};
  /// For the last answers, once the client has ended its side.
  duration farewell_timeout = std::chrono::seconds{5};
  wire_tap tap;
};

/// One client's. Belongs to whoever serves.
struct scpi_session {
  std::vector<scpi_error> errors;
};

class scpi_port {
public:
  /// An empty answer: nothing is said. The next line of the session comes after it.
  using reply = std::function<void(std::string answer)>;
  using taker = std::function<void(std::shared_ptr<scpi_session>, std::string line, reply)>;

  /// Listens when it returns; the io_context must outlive the port. Errors: bad_config (no address,
  /// or one beyond loopback), site_unreachable (cannot listen there).
  static result<std::shared_ptr<scpi_port>> open(boost::asio::io_context&,
                                                 const scpi_port_settings&);
  ~scpi_port();
  scpi_port(const scpi_port&) = delete;
  scpi_port& operator=(const scpi_port&) = delete;

  /// "127.0.0.1:5025", with the port that was really taken.
  std::string address() const;
  size_t connections() const; ///< Open now.
  /// From now on `take` gets the lines, on a thread of the io_context; a line longer than
  /// scpi_line_max arrives as its first scpi_line_max + 1 bytes. Ends with the next serve(), or
  /// with leave() of the number that it returns. Either closes all connections, and while nobody
  /// serves new ones are closed at once. Any thread.
  uint64_t serve(taker take);
  void leave(uint64_t number);
  /// Closes port and connections. Any thread; repeating changes nothing.
  void stop();

private:
  class core;
  explicit scpi_port(std::shared_ptr<core>);
  std::shared_ptr<core> core_;
};

} // namespace qnfv
