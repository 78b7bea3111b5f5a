#include "runtime/deployment/address.hpp"

#include <charconv>

namespace qnfv {

namespace asio = boost::asio;

std::optional<asio::ip::tcp::endpoint> host_port::endpoint() const {
  boost::system::error_code error;
  auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error)
    return std::nullopt;
  return asio::ip::tcp::endpoint{address, port};
}

result<host_port> parse_host_port(const std::string& text) {
  failure bad{ec::bad_config, "\"" + text + "\" is no address: HOST:PORT, e.g. 127.0.0.1:4001"};
  auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return bad;
  host_port out;
  out.host = text.substr(0, colon);
  if (out.host.front() == '[' && out.host.back() == ']' && out.host.size() > 2)
    out.host = out.host.substr(1, out.host.size() - 2);
  else if (out.host.find_first_of(":[] ") != std::string::npos)
    return bad;
  auto* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data() + colon + 1, end, out.port);
  if (parsed.ec != std::errc{} || parsed.ptr != end)
    return bad;
  return out;
}

} // namespace qnfv
