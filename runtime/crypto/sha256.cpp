#include "runtime/crypto/sha256.hpp"

#include <openssl/evp.h>

#include <cstdlib>

namespace qnfv {

namespace {

/// OpenSSL fails here only without memory or without SHA-256: nothing could go on.
void must(int ok) {
  if (ok != 1)
    std::abort();
}

} // namespace

struct sha256::state {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~state() { EVP_MD_CTX_free(context); }
};

sha256::sha256() : state_(std::make_unique<state>()) {
  must(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr));
}

sha256::sha256(const sha256& other) : state_(std::make_unique<state>()) {
  must(EVP_MD_CTX_copy_ex(state_->context, other.state_->context));
}

sha256::~sha256() = default;

void sha256::update(byte_view x) {
  must(EVP_DigestUpdate(state_->context, x.data(), x.size()));
}

sha256_digest sha256::finish() {
  sha256_digest out;
  must(EVP_DigestFinal_ex(state_->context, out.data(), nullptr));
  return out;
}

sha256_digest sha256::of(byte_view x) {
  sha256 h;
  h.update(x);
  return h.finish();
}

} // namespace qnfv
