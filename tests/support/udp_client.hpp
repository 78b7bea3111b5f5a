#pragma once

// A UDP client that does exactly what it is told, and waits for it.

#include "runtime/base/bytes.hpp"
#include "runtime/base/units.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <optional>
#include <string>

namespace qnfv::test {

class udp_client {
public:
  /// To "127.0.0.1:PORT".
  explicit udp_client(const std::string& server)
      : socket_(io_, boost::asio::ip::udp::v4()),
        to_(boost::asio::ip::make_address(server.substr(0, server.rfind(':'))),
            static_cast<uint16_t>(std::stoul(server.substr(server.rfind(':') + 1)))) {
    socket_.connect(to_);
  }

  void send(byte_view x) { socket_.send(boost::asio::buffer(x.data(), x.size())); }

  /// Nothing if none comes.
  std::optional<bytes> receive(duration timeout = std::chrono::seconds{10}) {
    bytes buffer(2048);
    std::optional<size_t> got;
    socket_.async_receive(boost::asio::buffer(buffer),
                          [&](boost::system::error_code error, size_t n) {
                            if (!error)
                              got = n;
                          });
    io_.restart();
    io_.run_for(timeout);
    if (!io_.stopped()) {
      socket_.cancel();
      io_.run();
    }
    if (!got)
      return std::nullopt;
    buffer.resize(*got);
    return buffer;
  }

  std::optional<bytes> ask(byte_view x) {
    send(x);
    return receive();
  }

private:
  boost::asio::io_context io_;
  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint to_;
};

} // namespace qnfv::test
