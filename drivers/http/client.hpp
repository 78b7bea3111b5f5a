#pragma once

// An HTTPS client for one server: one connection that is kept, one request at a time. Without TLS
// or without a certificate of its own if the server is like that: http_security.

#include "drivers/http/http.hpp"
#include "drivers/http/tracing.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/units.hpp"
#include "runtime/tls/context.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace qnfv {

struct http_client_settings {
  std::string server; ///< "HOST:PORT"; HOST may be a name that is looked up.
  http_security security = http_security::mutual_tls;
  tls_files tls; ///< Not looked at if `plain`; of server_tls only the authority.
  /// Who the server must prove to be: a host name, common name or URI ("qnfv:site:dc1", see
  /// drivers/http/tls.hpp). Empty: HOST.
  std::string expected_name;
  secret authorization; ///< Of every request: "Basic ..."; empty: none.
  std::string content_type = "application/json"; ///< Of what is sent, and accepted.
  http_tracing tracing;
  duration connect_timeout = std::chrono::seconds{10}; ///< Look-up, connection and handshake.
  duration answer_timeout = std::chrono::seconds{30};  ///< From send() to the last byte.
  size_t body_limit_bytes = 1u << 20;                  ///< Of an answer; its header has 8 KiB.
  size_t queue_max = 256;                              ///< Requests that wait, and the one sent.
};

struct client_response {
  uint16_t status = 0;
  secret body; ///< Was never in ordinary memory.
};

class http_client {
public:
  using taker = std::function<void(result<client_response>)>;

  /// Connects with the first request. Errors: bad_config. The io_context must outlive the client.
  static result<std::shared_ptr<http_client>> make(boost::asio::io_context&,
                                                   const http_client_settings&);
  /// Requests that wait fail with cancelled, one that was sent with maybe_executed.
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Queues one request; a body is sent as the content type, and if the caller works for somebody the
  /// headers of runtime/tracing/w3c.hpp say for whom. Any thread. `then` is called once, on
  /// a thread of the io_context; any status of the server is a success here. Errors:
  ///   invalid_argument  method or target are not HTTP
  ///   busy              the queue is full
  ///   site_unreachable  no connection, a handshake that failed, or the wrong server: not sent
  ///   maybe_executed    sent, and no whole answer came in time
  ///   cancelled         the client went before it was sent
  /// A GET is sent a second time if a kept connection ends before the first byte of the answer;
  /// nothing else is ever repeated.
  void send(std::string method, std::string target, byte_view body, taker then);

  uint64_t connections() const; ///< Handshakes that succeeded,
  uint64_t resumed() const;     ///< and how many of them by a ticket.

private:
  class core;
  explicit http_client(std::shared_ptr<core>);

  std::shared_ptr<core> core_;
};

} // namespace qnfv
