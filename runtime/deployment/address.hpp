#pragma once

#include "runtime/base/result.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>

namespace qnfv {

/// "127.0.0.1:4001", "[::1]:4001", "dc1.lab:4001".
struct host_port {
  std::string host;
  uint16_t port = 0;

  /// Nothing if the host is a name that must be looked up; "localhost" is 127.0.0.1.
  std::optional<boost::asio::ip::tcp::endpoint> endpoint() const;
};

/// Errors: bad_config.
result<host_port> parse_host_port(const std::string&);

} // namespace qnfv
