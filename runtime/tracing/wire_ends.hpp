#pragma once

#include "runtime/tracing/wire_tap.hpp"

#include <boost/system/error_code.hpp>

namespace qnfv {

/// "127.0.0.1:6633", "[::1]:40612", of an endpoint of Asio.
template <class Endpoint>
std::string endpoint_text(const Endpoint& x) {
  auto host = x.address().to_string();
  return (x.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(x.port());
}

/// Of a connected socket.
template <class Socket>
wire_ends ends_of(std::string protocol, const Socket& x) {
  boost::system::error_code ignored;
  return {std::move(protocol), endpoint_text(x.local_endpoint(ignored)), endpoint_text(x.remote_endpoint(ignored))};
}

} // namespace qnfv
