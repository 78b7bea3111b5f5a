#pragma once

// A TCP connection, under TLS or not, in the shape that Asio's algorithms want. For this folder
// only.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/strand.hpp>

#include <optional>

namespace qnfv {

class http_stream {
public:
  // Concrete executors: the type-erased one costs an allocation per step.
  using executor_type = boost::asio::strand<boost::asio::io_context::executor_type>;
  using socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor_type>;
  using side = boost::asio::ssl::stream_base::handshake_type;
  using error_code = boost::system::error_code;

  /// Null: no TLS.
  http_stream(socket s, boost::asio::ssl::context* tls) : socket_(std::move(s)) {
    if (tls)
      tls_.emplace(socket_, *tls);
  }
  http_stream(const http_stream&) = delete;
  http_stream& operator=(const http_stream&) = delete;

  executor_type get_executor() { return socket_.get_executor(); }
  socket& next_layer() { return socket_; }
  /// Null without TLS.
  SSL* ssl() { return tls_ ? tls_->native_handle() : nullptr; }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& to, Handler&& then) {
    if (tls_)
      tls_->async_read_some(to, std::forward<Handler>(then));
    else
      socket_.async_read_some(to, std::forward<Handler>(then));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& from, Handler&& then) {
    if (tls_)
      tls_->async_write_some(from, std::forward<Handler>(then));
    else
      socket_.async_write_some(from, std::forward<Handler>(then));
  }

  template <class Handler>
  void async_handshake(side as, Handler&& then) {
    if (tls_)
      tls_->async_handshake(as, std::forward<Handler>(then));
    else
      nothing_to_do(std::forward<Handler>(then));
  }

  template <class Handler>
  void async_shutdown(Handler&& then) {
    if (tls_)
      tls_->async_shutdown(std::forward<Handler>(then));
    else
      nothing_to_do(std::forward<Handler>(then));
  }

private:
  template <class Handler>
  void nothing_to_do(Handler&& then) {
    boost::asio::post(get_executor(),
                      [then = std::forward<Handler>(then)]() mutable { then(error_code{}); });
  }

  socket socket_;
  std::optional<boost::asio::ssl::stream<socket&>> tls_;
};

} // namespace qnfv
