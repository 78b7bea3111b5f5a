#pragma once

// A connection to a switch that speaks SCPI: a line out, a line back.

#include "runtime/base/result.hpp"
#include "runtime/base/units.hpp"
#include "runtime/tracing/wire_tap.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace qnfv {

struct scpi_client_settings {
  std::string server; ///< "HOST:PORT"; HOST may be a name that is looked up.
  duration connect_timeout = std::chrono::seconds{3};
  duration answer_timeout = std::chrono::seconds{5}; ///< From ask() to the line.
  wire_tap tap;
};

class scpi_client {
public:
  /// Is this line the answer? One that is not is counted and ignored.
  using taster = std::function<bool(const std::string& line)>;
  using taker = std::function<void(status)>;

  /// Connects with the first question. Errors: bad_config. The io_context must outlive the client.
  static result<std::shared_ptr<scpi_client>> make(boost::asio::io_context&,
                                                   const scpi_client_settings&);
  /// A question that waits is answered cancelled.
  ~scpi_client();
  scpi_client(const scpi_client&) = delete;
  scpi_client& operator=(const scpi_client&) = delete;

  /// Sends one line (without its end); `then` is called once, on a thread of the io_context, when
  /// `fits` took a line. One question at a time. After an error the connection is a new one, so
  /// that no answer is taken for another's. Errors:
  ///   busy              another question has no answer yet
  ///   site_unreachable  no connection: not sent
  ///   maybe_executed    sent, and no answer in time
  void ask(std::string line, taster fits, taker then);

  uint64_t ignored() const; ///< Lines that were no answers.

private:
  class core;
  explicit scpi_client(std::shared_ptr<core>);
  std::shared_ptr<core> core_;
};

} // namespace qnfv
