#pragma once

// What an HTTPS server hands to its handler, and what it takes back.

#include "runtime/base/secret.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace qnfv {

/// How much both ends prove.
enum class http_security : uint8_t {
  mutual_tls, ///< A certificate of the authority, at both ends.
  server_tls, ///< One of the server; the client may have a password.
  plain,      ///< No TLS: for loopback, or a network that ends at a device.
};

/// The names in a certificate that was verified in the handshake. A name with a NUL inside is left
/// out: it must not pass for its first half.
struct caller_names {
  std::string common_name;       ///< Empty unless the subject has exactly one.
  std::vector<std::string> dns;  ///< Subject alternative names, in their order.
  std::vector<std::string> uris; ///< A site of a lab: "qnfv:site:NAME".
};

struct http_request {
  std::string method; ///< As sent: "GET".
  std::string target; ///< As sent, not decoded: "/api/v1/keys/dc2/enc_keys?number=2".
  std::string content_type;
  secret authorization;      ///< As sent: "Basic ..."; empty: nobody says who asks.
  std::string if_none_match; ///< As sent.
  std::string body;
  caller_names caller; ///< Nobody, unless certificates are asked for.
};

struct http_response {
  uint16_t status = 200; ///< 200 to 599.
  std::string content_type = "application/json";
  /// May hold keys: it goes from here to the cipher without a copy in ordinary memory.
  secret body;
  /// Beside Content-Type, Content-Length and Connection.
  std::vector<std::pair<std::string, std::string>> headers;
};

using http_reply = std::function<void(http_response)>;
using http_handler = std::function<void(http_request, http_reply)>;

} // namespace qnfv
