#pragma once

// Owners of OpenSSL's objects and the files they come from. For this folder only.

#include "runtime/base/result.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace qnfv::tls_detail {

template <auto Free>
struct freer {
  template <class T>
  void operator()(T* x) const {
    Free(x);
  }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, freer<Free>>;

using bio_ptr = owned<BIO, BIO_free_all>;
using key_ptr = owned<EVP_PKEY, EVP_PKEY_free>;
using certificate_ptr = owned<X509, X509_free>;

/// "what: the last thing OpenSSL complained about"; empties OpenSSL's queue.
std::string openssl_failure(const std::string& what);

/// bad_config naming the file: missing, unreadable, not PEM.
result<certificate_ptr> load_certificate(const std::string& file);
/// Also bad_config if group or others may read it.
result<key_ptr> load_key(const std::string& file);
/// Not ok if `certificate` was not signed by `ca`, or is not valid at this time; the text has no
/// file name.
status check_issued(X509* ca, X509* certificate);

} // namespace qnfv::tls_detail
