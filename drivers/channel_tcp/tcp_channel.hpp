#pragma once

#include "runtime/messages/channels.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>

namespace qnfv {

using tcp_strand = boost::asio::strand<boost::asio::io_context::executor_type>;
/// A socket whose handlers run one after the other.
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, tcp_strand>;

/// A byte channel over a connected socket.
std::shared_ptr<byte_channel> make_tcp_channel(std::shared_ptr<tcp_socket> socket);

} // namespace qnfv
