#include "runtime/config/addresses.hpp"

#include "runtime/base/ids.hpp"

#include <boost/asio/ip/address.hpp>

namespace qnfv {

std::string address_problem(const std::string& x) {
  auto colon = x.rfind(':');
  if (colon == std::string::npos)
    return "expected HOST:PORT";
  auto host = x.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    return "an IPv6 address stands in brackets: [::1]:7102";
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  if (error)
    return "\"" + host + "\" is no numeric IP address";
  auto port = x.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos
      || std::stoul(port) > 65535)
    return "\"" + port + "\" is no port";
  return {};
}

std::string server_problem(const std::string& x) {
  auto colon = x.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return "expected HOST:PORT";
  auto host = x.substr(0, colon);
  if (host.front() == '[' || !valid_name(host))
    return address_problem(x);
  return address_problem("127.0.0.1" + x.substr(colon));
}

std::string ssh_problem(const std::string& x) {
  auto at = x.find('@');
  auto user = at == std::string::npos ? std::string{"root"} : x.substr(0, at);
  auto host = at == std::string::npos ? x : x.substr(at + 1);
  if (!valid_name(user))
    return "\"" + user + "\" is no user's name";
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  if (error && !valid_name(host))
    return "\"" + host + "\" is no host: expected USER@HOST";
  return {};
}

bool plain_path(const std::string& x) {
  constexpr auto plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
  return x.size() > 1 && x.front() == '/' && x.find_first_not_of(plain) == std::string::npos
         && (x + "/").find("/../") == std::string::npos;
}

bool any_port(const std::string& address) {
  return address.size() > 2 && address.compare(address.size() - 2, 2, ":0") == 0;
}

bool on_loopback(const std::string& address) {
  return address.rfind("127.", 0) == 0 || address.rfind("[::1]", 0) == 0;
}

} // namespace qnfv
