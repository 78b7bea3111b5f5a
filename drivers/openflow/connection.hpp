#pragma once

// One OpenFlow connection: whole messages in, whole messages out, over TCP. Used by both ends.

#include "drivers/openflow/codec.hpp"
#include "runtime/base/units.hpp"
#include "runtime/tracing/wire_tap.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>

#include <functional>
#include <memory>

namespace qnfv {

using openflow_strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using openflow_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, openflow_strand>;

/// A peer that does not read so many bytes of ours is cut off.
constexpr size_t openflow_unsent_bytes_max = 1u << 20;

class openflow_connection {
public:
  /// At least one message. Nothing more is read until read_on().
  using taker = std::function<void(std::vector<bytes>)>;
  using ender = std::function<void(std::string why)>;

  explicit openflow_connection(openflow_socket, wire_tap = {});
  /// As close().
  ~openflow_connection();
  openflow_connection(const openflow_connection&) = delete;
  openflow_connection& operator=(const openflow_connection&) = delete;

  // All on any thread. Callbacks come from threads of the io_context, one after the other.

  /// Begins to read. `ended` is called once, unless close() comes first: the peer closed, the
  /// connection broke, or what came is not OpenFlow.
  void start(taker take, ender ended);
  void read_on();
  void send(bytes message);
  /// Sends what waits, and closes. No callback begins after it has returned to their strand.
  void close();
  /// "127.0.0.1:40612"
  const std::string& peer() const { return peer_; }

private:
  class core;
  std::shared_ptr<core> core_;
  std::string peer_;
};

/// Opens a connection. `then` is called once, on a thread of the io_context; errors: site_unreachable.
void dial_openflow(boost::asio::io_context&, const boost::asio::ip::tcp::endpoint&,
                   duration timeout,
                   std::function<void(result<std::shared_ptr<openflow_connection>>)> then,
                   wire_tap = {});

/// Numeric, "127.0.0.1:6633". Errors: bad_config.
result<boost::asio::ip::tcp::endpoint> parse_openflow_endpoint(const std::string&);
std::string to_text(const boost::asio::ip::tcp::endpoint&);

} // namespace qnfv
