#include "drivers/http/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace qnfv {

namespace {

struct freer {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(GENERAL_NAMES* x) const { GENERAL_NAMES_free(x); }
};

using context_ptr = std::shared_ptr<boost::asio::ssl::context>;

/// What both ends have in common; not yet whom they trust.
result<context_ptr> common_context(const std::string& file) {
  auto out = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls);
  auto* context = out->native_handle();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(context, 1);
  // Answers hold keys: what was decrypted must not stay in OpenSSL's buffers.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT);
  // Tickets only: nothing to store, nothing to fill up.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, http_session_lifetime_s);
  static constexpr unsigned char name[] = "qnfv-http";
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1
      && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1
      && SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1
      && SSL_CTX_set_num_tickets(context, 1) == 1
      && SSL_CTX_set_session_id_context(context, name, sizeof name - 1) == 1)
    return out;
  ERR_clear_error();
  return {ec::bad_config, file + ": cannot be used for HTTP"};
}

result<context_ptr> make_context(const tls_files& files) {
  // It checks the files; what it has loaded is taken over, so that nothing is read twice.
  auto checked = make_tls_context(files);
  if (!checked)
    return checked.error();
  auto out = common_context(files.certificate);
  if (!out)
    return out;
  auto* from = (*checked)->native_handle();
  auto* context = (*out)->native_handle();
  SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(from));
  if (SSL_CTX_use_certificate(context, SSL_CTX_get0_certificate(from)) == 1
      && SSL_CTX_use_PrivateKey(context, SSL_CTX_get0_privatekey(from)) == 1)
    return out;
  ERR_clear_error();
  return {ec::bad_config, files.certificate + ": cannot be used for HTTP"};
}

/// Empty if it has a NUL inside.
std::string text_of(const ASN1_STRING* x) {
  unsigned char* utf8 = nullptr;
  auto size = ASN1_STRING_to_UTF8(&utf8, x);
  if (size < 0) {
    ERR_clear_error();
    return {};
  }
  std::string out(reinterpret_cast<char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return out.find('\0') == std::string::npos ? out : std::string{};
}

std::unique_ptr<X509, freer> verified_certificate(SSL* ssl) {
  std::unique_ptr<X509, freer> out{SSL_get1_peer_certificate(ssl)};
  if (SSL_get_verify_result(ssl) != X509_V_OK)
    out.reset();
  return out;
}

caller_names names_in(X509* certificate) {
  caller_names out;
  auto* subject = X509_get_subject_name(certificate);
  auto at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0 && X509_NAME_get_index_by_NID(subject, NID_commonName, at) < 0)
    out.common_name = text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  std::unique_ptr<GENERAL_NAMES, freer> names{static_cast<GENERAL_NAMES*>(
    X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    auto* x = sk_GENERAL_NAME_value(names.get(), i);
    if (x->type != GEN_DNS && x->type != GEN_URI)
      continue;
    auto text = text_of(x->type == GEN_DNS ? x->d.dNSName : x->d.uniformResourceIdentifier);
    if (!text.empty())
      (x->type == GEN_DNS ? out.dns : out.uris).push_back(std::move(text));
  }
  return out;
}

} // namespace

result<context_ptr> make_http_server_context(const tls_files& files, http_security security) {
  auto out = make_context(files);
  if (out && security == http_security::server_tls)
    SSL_CTX_set_verify((*out)->native_handle(), SSL_VERIFY_NONE, nullptr);
  return out;
}

result<context_ptr> make_http_client_context(const tls_files& files, http_security security) {
  if (security == http_security::mutual_tls)
    return make_context(files);
  auto out = common_context(files.ca);
  if (!out)
    return out;
  boost::system::error_code error;
  (*out)->load_verify_file(files.ca, error);
  if (error)
    return {ec::bad_config, files.ca + ": " + error.message()};
  return out;
}

result<caller_names> peer_names(SSL* ssl) {
  auto certificate = verified_certificate(ssl);
  if (!certificate)
    return {ec::not_allowed, "the peer showed no certificate of the authority"};
  return names_in(certificate.get());
}

status check_peer_is(SSL* ssl, const std::string& name) {
  auto certificate = verified_certificate(ssl);
  if (!certificate)
    return {ec::not_allowed, "the peer showed no certificate of the authority"};
  auto names = names_in(certificate.get());
  // OpenSSL reads a leading dot as "any host of this domain".
  bool is_host = !name.empty() && name.front() != '.'
                 && X509_check_host(certificate.get(), name.data(), name.size(),
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr)
                      == 1;
  bool is_address = X509_check_ip_asc(certificate.get(), name.c_str(), 0) == 1;
  ERR_clear_error();
  if (is_host || is_address
      || std::find(names.uris.begin(), names.uris.end(), name) != names.uris.end())
    return done{};
  return {ec::not_allowed,
          "the certificate is for \"" + names.common_name + "\", not for \"" + name + "\""};
}

} // namespace qnfv
