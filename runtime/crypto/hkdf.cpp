#include "runtime/crypto/hkdf.hpp"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <cstdlib>

namespace qnfv {

secret hkdf_sha256(byte_view key, byte_view salt, byte_view info, size_t size) {
  secret out{size};
  auto* algorithm = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  auto* context = EVP_KDF_CTX_new(algorithm);
  EVP_KDF_free(algorithm);
  char digest[] = "SHA256";
  auto octets = [](const char* name, byte_view x) {
    // OpenSSL wants a mutable pointer and does not write; an empty value needs one too.
    static uint8_t nothing;
    auto* data = x.empty() ? &nothing : const_cast<uint8_t*>(x.data());
    return OSSL_PARAM_construct_octet_string(name, data, x.size());
  };
  OSSL_PARAM params[] = {
    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
    octets(OSSL_KDF_PARAM_KEY, key),
    octets(OSSL_KDF_PARAM_SALT, salt),
    octets(OSSL_KDF_PARAM_INFO, info),
    OSSL_PARAM_construct_end(),
  };
  auto ok = EVP_KDF_derive(context, out.data(), size, params);
  EVP_KDF_CTX_free(context);
  if (ok != 1)
    std::abort(); // Bad size: a bug. Or no memory.
  return out;
}

} // namespace qnfv
