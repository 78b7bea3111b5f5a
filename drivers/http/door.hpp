#pragma once

#include "drivers/http/server.hpp"

namespace qnfv {

/// An HTTP server that outlives whoever serves it: its port and its connections stay when an actor
/// restarts. While nobody serves, requests are answered 503; so is one of which the reply is let go
/// unused, for who had it is gone.
class http_door {
public:
  /// Failures: as http_server::start.
  static result<std::shared_ptr<http_door>> open(boost::asio::io_context&,
                                                 const http_server_settings&);
  ~http_door();
  http_door(const http_door&) = delete;
  http_door& operator=(const http_door&) = delete;

  uint16_t port() const;
  /// As http_server::stop.
  void stop();

  /// From now on `handler` gets the requests, as http_server says. Ends with the next serve(), or
  /// with leave() of the number that it returns. Any thread.
  uint64_t serve(http_handler handler);
  void leave(uint64_t number);

private:
  struct lobby;
  http_door(std::shared_ptr<lobby>, std::shared_ptr<http_server>);

  std::shared_ptr<lobby> lobby_;
  std::shared_ptr<http_server> server_;
};

} // namespace qnfv
