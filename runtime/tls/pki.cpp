#include "runtime/tls/pki.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/tls/openssl.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace qnfv {

using namespace tls_detail;

namespace {

constexpr long clock_skew_s = 300;
constexpr long ca_lifetime_s = 10L * 365 * 24 * 3600;
constexpr mode_t key_mode = 0400;
constexpr mode_t certificate_mode = 0444;
constexpr size_t max_identity = 255;

failure crypto_failed(const std::string& what) {
  return {ec::internal, openssl_failure(what)};
}

failure file_failed(const std::string& path) {
  return {errno == EEXIST ? ec::already_exists : ec::storage_failed,
          path + ": " + std::strerror(errno)};
}

bool write_all(int fd, byte_view content) {
  for (size_t at = 0; at < content.size();) {
    auto n = ::write(fd, content.data() + at, content.size() - at);
    if (n < 0 && errno != EINTR)
      return false;
    at += n > 0 ? static_cast<size_t>(n) : 0;
  }
  return ::fsync(fd) == 0;
}

/// Whole or not at all, and never over an existing file unless told so. runtime/storage cannot
/// serve here: its files are 0600 and it replaces.
status write_file(const std::string& path, mode_t mode, byte_view content, bool replace) {
  auto fresh = path + ".new";
  ::unlink(fresh.c_str());
  int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0)
    return file_failed(fresh);
  bool written = write_all(fd, content);
  written = ::close(fd) == 0 && written;
  // link() fails where rename() would overwrite.
  if (written && replace && ::rename(fresh.c_str(), path.c_str()) == 0)
    return done{};
  if (written && !replace && ::link(fresh.c_str(), path.c_str()) == 0) {
    ::unlink(fresh.c_str());
    return done{};
  }
  auto why = file_failed(path);
  ::unlink(fresh.c_str());
  return why;
}

/// PEM text in memory that is wiped when it goes.
class pem {
public:
  pem() : bio_(BIO_new(BIO_s_secmem())) {}
  BIO* get() { return bio_.get(); }
  byte_view view() {
    char* data = nullptr;
    auto n = BIO_get_mem_data(bio_.get(), &data);
    return {reinterpret_cast<uint8_t*>(data), n > 0 ? static_cast<size_t>(n) : 0};
  }

private:
  bio_ptr bio_;
};

status write_key(const std::string& path, EVP_PKEY* key, bool replace) {
  pem text;
  if (PEM_write_bio_PKCS8PrivateKey(text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return crypto_failed("cannot write a private key");
  return write_file(path, key_mode, text.view(), replace);
}

status write_certificate(const std::string& path, X509* certificate, bool replace) {
  pem text;
  if (PEM_write_bio_X509(text.get(), certificate) != 1)
    return crypto_failed("cannot write a certificate");
  return write_file(path, certificate_mode, text.view(), replace);
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  owned<X509_EXTENSION, X509_EXTENSION_free> x{
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
  return x && X509_add_ext(certificate, x.get(), -1) == 1;
}

/// 126 random bits, positive: RFC 5280, 4.1.2.2 allows 20 bytes.
bool set_random_serial(X509* certificate) {
  uint8_t bits[16];
  if (RAND_bytes(bits, sizeof bits) != 1)
    return false;
  bits[0] = static_cast<uint8_t>((bits[0] & 0x7f) | 0x40);
  owned<BIGNUM, BN_free> number{BN_bin2bn(bits, sizeof bits, nullptr)};
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

/// A certificate without issuer and signature.
certificate_ptr draft(const std::string& common_name, EVP_PKEY* key, long lifetime_s) {
  certificate_ptr x{X509_new()};
  if (!x || X509_set_version(x.get(), X509_VERSION_3) != 1 || !set_random_serial(x.get())
      || !X509_gmtime_adj(X509_getm_notBefore(x.get()), -clock_skew_s)
      || !X509_gmtime_adj(X509_getm_notAfter(x.get()), lifetime_s)
      || X509_set_pubkey(x.get(), key) != 1
      || X509_NAME_add_entry_by_txt(X509_get_subject_name(x.get()), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const uint8_t*>(common_name.c_str()), -1, -1,
                                    0)
             != 1)
    return nullptr;
  return x;
}

certificate_ptr make_ca(EVP_PKEY* key) {
  auto x = draft("qnfv lab authority", key, ca_lifetime_s);
  if (!x || X509_set_issuer_name(x.get(), X509_get_subject_name(x.get())) != 1
      || !add_extension(x.get(), x.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
      || !add_extension(x.get(), x.get(), NID_key_usage, "critical,keyCertSign,cRLSign")
      || !add_extension(x.get(), x.get(), NID_subject_key_identifier, "hash")
      || X509_sign(x.get(), key, EVP_sha256()) == 0)
    return nullptr;
  return x;
}

/// What a certificate says of its owner.
struct subject {
  std::string common_name;
  std::string usage;
  std::string alternative_names; ///< In OpenSSL's words; nothing in it comes unchecked from outside.
};

certificate_ptr make_leaf(const subject& who, EVP_PKEY* key, X509* ca, EVP_PKEY* ca_key,
                          long lifetime_s) {
  auto x = draft(who.common_name, key, lifetime_s);
  if (!x || X509_set_issuer_name(x.get(), X509_get_subject_name(ca)) != 1
      || !add_extension(x.get(), ca, NID_basic_constraints, "critical,CA:FALSE")
      || !add_extension(x.get(), ca, NID_key_usage, "critical,digitalSignature")
      || !add_extension(x.get(), ca, NID_ext_key_usage, who.usage)
      || !add_extension(x.get(), ca, NID_subject_key_identifier, "hash")
      || !add_extension(x.get(), ca, NID_authority_key_identifier, "keyid:always")
      || !add_extension(x.get(), ca, NID_subject_alt_name, who.alternative_names)
      || X509_sign(x.get(), ca_key, EVP_sha256()) == 0)
    return nullptr;
  return x;
}

bool made_of(const std::string& x, const char* allowed) {
  return std::all_of(x.begin(), x.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || (c != '\0' && std::strchr(allowed, c));
  });
}

bool is_ip_address(const std::string& x) {
  owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> address{a2i_IPADDRESS(x.c_str())};
  ERR_clear_error();
  return address != nullptr;
}

result<subject> site_subject(const std::string& name, const std::vector<std::string>& hosts) {
  subject out{name, "clientAuth,serverAuth", "URI:qnfv:site:" + name + ",DNS:" + name};
  for (auto& host : hosts) {
    auto is_ip = is_ip_address(host);
    if (!is_ip && (host.empty() || host.size() > max_identity || !made_of(host, ".-")))
      return {ec::invalid_argument, "\"" + host + "\" is no host name or IP address"};
    if (host != name)
      out.alternative_names += (is_ip ? ",IP:" : ",DNS:") + host;
  }
  return out;
}

result<subject> application_subject(const std::string& name, const std::string& identity) {
  auto is_uri = identity.find(':') != std::string::npos;
  if (!made_of(identity, "._:/@~+-") || identity.empty() || identity.size() > max_identity
      || (!is_uri && !valid_name(identity)) || identity.rfind("qnfv:site:", 0) == 0)
    return {ec::invalid_argument, "\"" + identity + "\" is no name of an application: a name or a URI"};
  auto& plain = is_uri ? name : identity;
  return subject{plain, "clientAuth",
                 "URI:" + (is_uri ? identity : "qnfv:application:" + identity) + ",DNS:" + plain};
}

status issue(const std::string& folder, const std::string& name, const subject& who,
             const pki_options& options) {
  auto ca = load_certificate(folder + "/ca.pem");
  if (!ca)
    return {ec::bad_config, ca.error().text + " (run: qnfv pki init " + folder + ")"};
  auto ca_key = load_key(folder + "/ca.key");
  if (!ca_key)
    return ca_key.error();
  if (X509_check_private_key(ca->get(), ca_key->get()) != 1)
    return {ec::bad_config, openssl_failure(folder + "/ca.key: does not belong to ca.pem")};
  auto stem = folder + "/" + name;
  std::error_code error;
  if (!options.renew)
    for (auto* suffix : {".key", ".pem"})
      if (std::filesystem::exists(stem + suffix, error))
        return {ec::already_exists, stem + suffix + ": exists; renewing replaces it"};
  key_ptr key{EVP_EC_gen("P-256")};
  if (!key)
    return crypto_failed("cannot make a key");
  auto lifetime_s = std::chrono::duration_cast<std::chrono::seconds>(options.lifetime).count();
  auto certificate = make_leaf(who, key.get(), ca->get(), ca_key->get(), lifetime_s);
  if (!certificate)
    return crypto_failed("cannot make a certificate");
  if (auto ok = write_key(stem + ".key", key.get(), options.renew); !ok)
    return ok;
  return write_certificate(stem + ".pem", certificate.get(), options.renew);
}

} // namespace

status pki_init(const std::string& folder) {
  std::error_code error;
  if (std::filesystem::create_directories(folder, error))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error)
    return {ec::storage_failed, folder + ": " + error.message()};
  for (auto* file : {"/ca.key", "/ca.pem"})
    if (std::filesystem::exists(folder + file, error))
      return {ec::already_exists, folder + file + ": there is an authority already"};
  key_ptr key{EVP_EC_gen("P-256")};
  if (!key)
    return crypto_failed("cannot make a key");
  auto certificate = make_ca(key.get());
  if (!certificate)
    return crypto_failed("cannot make the authority's certificate");
  if (auto ok = write_key(folder + "/ca.key", key.get(), false); !ok)
    return ok;
  return write_certificate(folder + "/ca.pem", certificate.get(), false);
}

status pki_issue(const std::string& folder, const std::string& name, const pki_options& options) {
  if (!valid_name(name) || name.size() > max_site_name || name == "ca")
    return {ec::invalid_argument, "\"" + name
                                      + "\" is no site name: 1 to 20 of a-z A-Z 0-9 . _ -, "
                                        "first a letter or digit, and not \"ca\""};
  auto who = site_subject(name, options.hosts);
  return who ? issue(folder, name, *who, options) : who.error();
}

status pki_issue_application(const std::string& folder, const std::string& name,
                             const std::string& identity, const pki_options& options) {
  if (!valid_name(name) || name == "ca" || name == "operator")
    return {ec::invalid_argument, "\"" + name
                                      + "\" is no application's name: 1 to 64 of a-z A-Z 0-9 . _ -, "
                                        "first a letter or digit, not \"ca\" or \"operator\""};
  auto who = application_subject(name, identity);
  return who ? issue(folder, name, *who, options) : who.error();
}

} // namespace qnfv
