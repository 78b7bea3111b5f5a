#include "runtime/tls/context.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/tls/openssl.hpp"

#include <openssl/ssl.h>

#include <string_view>

namespace qnfv {

using namespace tls_detail;

namespace {

constexpr std::string_view name_prefix = "qnfv:site:";

/// The site in the subject alternative names; empty if there is none or more than one.
std::string site_in(X509* certificate) {
  owned<GENERAL_NAMES, GENERAL_NAMES_free> names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::string out;
  if (!names)
    return out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    auto* x = sk_GENERAL_NAME_value(names.get(), i);
    if (x->type != GEN_URI)
      continue;
    auto* uri = x->d.uniformResourceIdentifier;
    // By length: a name with a NUL inside must not pass for its first half.
    std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                          static_cast<size_t>(ASN1_STRING_length(uri)));
    if (text.substr(0, name_prefix.size()) != name_prefix)
      continue;
    text.remove_prefix(name_prefix.size());
    if (!out.empty() || !valid_name(text) || text.size() > max_site_name)
      return {};
    out = std::string(text);
  }
  return out;
}

} // namespace

result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const tls_files& files) {
  auto ca = load_certificate(files.ca);
  if (!ca)
    return ca.error();
  auto certificate = load_certificate(files.certificate);
  if (!certificate)
    return certificate.error();
  auto key = load_key(files.key);
  if (!key)
    return key.error();
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    openssl_failure({});
    return {ec::bad_config, files.key + ": is not the key of " + files.certificate};
  }
  if (auto ok = check_issued(ca->get(), certificate->get()); !ok)
    return {ec::bad_config,
            files.certificate + ": " + ok.error().text + " (authority: " + files.ca + ")"};
  namespace ssl = boost::asio::ssl;
  auto out = std::make_shared<ssl::context>(ssl::context::tls);
  auto* context = out->native_handle();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(context, 1);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1
      || SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1
      || SSL_CTX_set_num_tickets(context, 0) != 1
      || X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca->get()) != 1
      || SSL_CTX_use_certificate(context, certificate->get()) != 1
      || SSL_CTX_use_PrivateKey(context, key->get()) != 1)
    return {ec::bad_config, openssl_failure(files.certificate)};
  return out;
}

result<std::string> peer_name(SSL* ssl) {
  certificate_ptr certificate{SSL_get1_peer_certificate(ssl)};
  if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK)
    return {ec::not_allowed, "the peer showed no certificate of this lab"};
  auto name = site_in(certificate.get());
  if (name.empty())
    return {ec::not_allowed, "the peer's certificate names no site"};
  return name;
}

result<std::string> certificate_name(const std::string& file) {
  auto certificate = load_certificate(file);
  if (!certificate)
    return certificate.error();
  auto name = site_in(certificate->get());
  if (name.empty())
    return {ec::bad_config, file + ": names no site"};
  return name;
}

} // namespace qnfv
