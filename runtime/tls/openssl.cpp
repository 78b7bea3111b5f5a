#include "runtime/tls/openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace qnfv::tls_detail {

std::string openssl_failure(const std::string& what) {
  char text[256] = "unknown reason";
  if (auto code = ERR_peek_last_error(); code != 0) {
    auto* reason = ERR_reason_error_string(code);
    if (reason)
      std::snprintf(text, sizeof text, "%s", reason);
    else
      ERR_error_string_n(code, text, sizeof text);
  }
  ERR_clear_error();
  return what + ": " + text;
}

namespace {

result<bio_ptr> open_file(const std::string& file) {
  errno = 0;
  bio_ptr out{BIO_new_file(file.c_str(), "r")};
  if (out)
    return out;
  auto reason = errno;
  ERR_clear_error();
  return {ec::bad_config, file + ": " + (reason ? std::strerror(reason) : "cannot be read")};
}

} // namespace

result<certificate_ptr> load_certificate(const std::string& file) {
  auto in = open_file(file);
  if (!in)
    return in.error();
  certificate_ptr out{PEM_read_bio_X509(in->get(), nullptr, nullptr, nullptr)};
  ERR_clear_error();
  if (!out)
    return {ec::bad_config, file + ": is not a PEM certificate"};
  return out;
}

result<key_ptr> load_key(const std::string& file) {
  auto in = open_file(file);
  if (!in)
    return in.error();
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    return {ec::bad_config, file + ": " + std::strerror(errno)};
  if ((info.st_mode & 077) != 0)
    return {ec::bad_config, file
                                + ": others than its owner may read this private key; "
                                  "run: chmod 0400 "
                                + file};
  // An encrypted key must not make a server ask on the terminal.
  auto no_password = [](char*, int, int, void*) { return -1; };
  key_ptr out{PEM_read_bio_PrivateKey(in->get(), nullptr, no_password, nullptr)};
  ERR_clear_error();
  if (!out)
    return {ec::bad_config, file + ": is not an unencrypted PEM private key"};
  return out;
}

status check_issued(X509* ca, X509* certificate) {
  owned<X509_STORE, X509_STORE_free> store{X509_STORE_new()};
  owned<X509_STORE_CTX, X509_STORE_CTX_free> check{X509_STORE_CTX_new()};
  if (!store || !check || X509_STORE_add_cert(store.get(), ca) != 1
      || X509_STORE_CTX_init(check.get(), store.get(), certificate, nullptr) != 1)
    return {ec::internal, openssl_failure("verification cannot start")};
  if (X509_verify_cert(check.get()) == 1)
    return done{};
  auto code = X509_STORE_CTX_get_error(check.get());
  ERR_clear_error();
  return {ec::bad_config, X509_verify_cert_error_string(code)};
}

} // namespace qnfv::tls_detail
