#pragma once

// The bytes between two gateways, with or without TLS: both prove or at least say who they are.
// Not thread-safe; the gateway's thread only.

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace qnfv {

class peer_stream {
public:
  using tcp_socket = boost::asio::ip::tcp::socket;
  using error_code = boost::system::error_code;

  virtual ~peer_stream() = default;

  /// Once, after the socket is connected. Answers with the peer's name.
  virtual void handshake(bool as_client, std::function<void(result<std::string>)> answer) = 0;
  virtual void read_some(boost::asio::mutable_buffer to,
                         std::function<void(error_code, size_t)> answer) = 0;
  /// Writes all of it.
  virtual void write(boost::asio::const_buffer from, std::function<void(error_code)> answer) = 0;
  virtual tcp_socket& socket() = 0;
};

/// Nobody proves anything: each end says "qnfv/1 NAME" in a line of 32 bytes. For loopback only.
std::unique_ptr<peer_stream> make_plain_stream(peer_stream::tcp_socket, const site_id& own_name);

std::unique_ptr<peer_stream> make_tls_stream(peer_stream::tcp_socket,
                                             std::shared_ptr<boost::asio::ssl::context>);

} // namespace qnfv
