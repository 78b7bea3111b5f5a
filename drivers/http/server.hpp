#pragma once

// An HTTPS server for small bodies: HTTP/1.0 and 1.1 over TLS 1.2 or 1.3, keep-alive, and a client
// certificate of the authority is a must (without one the handshake fails). Other ends know less:
// http_security.
//
//   wrong              answer          then
//   not HTTP           400             closed
//   body too large     413             closed
//   header too large   431             closed
//   too slow           none            closed
//
// These answers have the body {"message": "..."}. A slow client costs its own connection only.
// A request that says which trace it belongs to (runtime/tracing/w3c.hpp) is handled in its context.

#include "drivers/http/http.hpp"
#include "drivers/http/tracing.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/units.hpp"
#include "runtime/tls/context.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace qnfv {

struct http_server_settings {
  std::string listen = "127.0.0.1:7301"; ///< Numeric; port 0: any free one.
  http_security security = http_security::mutual_tls;
  tls_files tls; ///< Not looked at if `plain`.
  /// Without TLS everybody on the way reads passwords: it must be asked for.
  bool plain_beyond_loopback = false;
  http_tracing tracing;
  size_t body_limit_bytes = 1u << 20;
  uint32_t header_limit_bytes = 8192; ///< Request line and header fields.
  size_t connections_max = 256;       ///< More are accepted and closed at once.

  duration handshake_timeout = std::chrono::seconds{10};
  duration header_timeout = std::chrono::seconds{10}; ///< From the first byte to the empty line.
  duration body_timeout = std::chrono::seconds{10};   ///< For a body, and to take the answer.
  duration answer_timeout = std::chrono::seconds{60}; ///< What the handler has.
  duration idle_timeout = std::chrono::seconds{60};   ///< Between two requests.
};

class http_server {
public:
  /// Listens when it returns. Errors: bad_config (TLS files, or an address that is none or a bound
  /// of zero), site_unreachable (cannot listen there).
  ///
  /// `handler` is called on threads of the io_context, several at a time, for one request of a
  /// connection at a time. It must not block or throw. Its reply may be called on any thread, at
  /// once or later; the second call and one that comes too late do nothing, and without one the
  /// connection is closed after `answer_timeout`. A status or header that is not HTTP becomes 500.
  ///
  /// The io_context must outlive the server and must not end while a reply is being called.
  static result<std::shared_ptr<http_server>> start(boost::asio::io_context&,
                                                    const http_server_settings&,
                                                    http_handler handler);
  /// As stop().
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  uint16_t port() const;
  size_t connections() const; ///< Open now.

  /// When it returns nobody listens on the port and no new call of the handler begins. One that is
  /// running on another thread goes on: a handler owns what it uses. The connections are closed.
  /// Any thread; repeating changes nothing.
  void stop();

private:
  class core;
  explicit http_server(std::shared_ptr<core>);

  std::shared_ptr<core> core_;
};

} // namespace qnfv
