#include "runtime/crypto/seal.hpp"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace qnfv {

namespace {

struct free_context {
  void operator()(EVP_CIPHER_CTX* x) const { EVP_CIPHER_CTX_free(x); }
};

/// One per thread: making one costs more than sealing a key.
EVP_CIPHER_CTX* context() {
  thread_local std::unique_ptr<EVP_CIPHER_CTX, free_context> x{EVP_CIPHER_CTX_new()};
  return x.get();
}

int length(size_t n) {
  return static_cast<int>(n);
}

} // namespace

bytes seal(byte_view key, const seal_nonce& nonce, byte_view associated, byte_view plaintext) {
  auto* c = context();
  bytes out(plaintext.size() + seal_tag_bytes);
  int n = 0;
  auto ok = key.size() == 32 && c
            && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1
            && EVP_EncryptUpdate(c, nullptr, &n, associated.data(), length(associated.size())) == 1
            && EVP_EncryptUpdate(c, out.data(), &n, plaintext.data(), length(plaintext.size())) == 1
            && EVP_EncryptFinal_ex(c, out.data() + n, &n) == 1
            && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, length(seal_tag_bytes),
                                   out.data() + plaintext.size())
                 == 1;
  if (c)
    EVP_CIPHER_CTX_reset(c); // Wipes the key schedule.
  if (!ok)
    std::abort(); // Without a cipher nothing may be stored.
  return out;
}

result<secret> unseal(byte_view key, const seal_nonce& nonce, byte_view associated, byte_view sealed) {
  auto refused = failure{ec::storage_failed, "the seal does not verify"};
  if (key.size() != 32 || sealed.size() < seal_tag_bytes)
    return refused;
  auto* c = context();
  auto size = sealed.size() - seal_tag_bytes;
  secret out{size};
  int n = 0;
  auto tag = sealed.part(size);
  auto ok = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1
            && EVP_DecryptUpdate(c, nullptr, &n, associated.data(), length(associated.size())) == 1
            && EVP_DecryptUpdate(c, out.data(), &n, sealed.data(), length(size)) == 1
            && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, length(seal_tag_bytes),
                                   const_cast<uint8_t*>(tag.data()))
                 == 1
            && EVP_DecryptFinal_ex(c, out.data() + n, &n) == 1;
  if (c)
    EVP_CIPHER_CTX_reset(c);
  if (!ok) {
    out.wipe();
    return refused;
  }
  return out;
}

} // namespace qnfv
