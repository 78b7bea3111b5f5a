#pragma once

// How two sites of a lab trust each other: TLS 1.3, both show a certificate of the lab's authority,
// and the name in the certificate is the name of the site.

#include "runtime/base/result.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace qnfv {

/// Paths of PEM files.
struct tls_files {
  std::string ca;
  std::string certificate;
  std::string key; ///< Readable by its owner only.
};

/// One context for both directions. All checks happen here, so that a node with bad files does not
/// start: files readable, key private and of this certificate, certificate valid today and signed
/// by the authority. Errors: bad_config, one line that names the file. No session is resumed: each
/// connection proves itself.
result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const tls_files&);

/// The name that the peer proved in its handshake. Errors: not_allowed if it showed no verified
/// certificate, or one that names no site of a lab.
result<std::string> peer_name(SSL*);

/// The site that a certificate file is for. Errors: bad_config.
result<std::string> certificate_name(const std::string& file);

} // namespace qnfv
