#pragma once

// TLS for HTTP: other programs speak it too, and connections come and go. So unlike the lab's own
// connections (runtime/tls) it allows TLS 1.2 and resumes sessions by tickets.

#include "drivers/http/http.hpp"
#include "runtime/base/result.hpp"
#include "runtime/tls/context.hpp"

namespace qnfv {

/// How long a ticket replaces a handshake. In that time a certificate that expires is still
/// accepted, on a resumed connection and on one kept open.
constexpr long http_session_lifetime_s = 600;

/// Both check their files as make_tls_context does: authority, certificate, key; a client that
/// shows no certificate (server_tls) needs the authority only. The peer must show a certificate of
/// the authority, but to a server under server_tls. Errors: bad_config, one line that names the
/// file.
result<std::shared_ptr<boost::asio::ssl::context>>
make_http_server_context(const tls_files&, http_security = http_security::mutual_tls);
result<std::shared_ptr<boost::asio::ssl::context>>
make_http_client_context(const tls_files&, http_security = http_security::mutual_tls);

/// The names that the peer proved in its handshake. Errors: not_allowed if it showed no verified
/// certificate.
result<caller_names> peer_names(SSL*);

/// Not ok if the peer's verified certificate is for somebody else than `name`: a host name, an IP
/// address or a URI among its alternative names; the common name counts if it has no host name
/// among them (RFC 6125, 6.4.4). Errors: not_allowed.
status check_peer_is(SSL*, const std::string& name);

} // namespace qnfv
