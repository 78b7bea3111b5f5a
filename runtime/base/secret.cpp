#include "runtime/base/secret.hpp"

#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

namespace qnfv {

namespace {

/// memcpy leaves what it copied last in vector registers, for as long as nothing else uses them.
void copy(uint8_t* to, const uint8_t* from, size_t n) {
  for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, from, sizeof word);
    __asm__ volatile("" : "+r"(word));
    std::memcpy(to, &word, sizeof word);
    to += sizeof word;
    from += sizeof word;
  }
  for (; n > 0; --n) {
    auto byte = *from++;
    __asm__ volatile("" : "+r"(byte));
    *to++ = byte;
  }
}

} // namespace

struct secret::block {
  explicit block(size_t n) : size(n) {
    // Outside the secure heap (arena full or not initialised) this is malloc; the block is wiped
    // all the same.
    data = static_cast<uint8_t*>(OPENSSL_secure_zalloc(n ? n : 1));
    if (!data)
      data = static_cast<uint8_t*>(OPENSSL_zalloc(n ? n : 1));
    if (!data)
      throw std::bad_alloc{};
  }

  ~block() {
    OPENSSL_cleanse(data, size);
    if (CRYPTO_secure_allocated(data))
      OPENSSL_secure_free(data);
    else
      OPENSSL_free(data);
  }

  block(const block&) = delete;
  block& operator=(const block&) = delete;

  uint8_t* data;
  size_t size;
};

secret::secret(size_t size) : block_(std::make_shared<block>(size)) {}

secret::secret(byte_view bits) : secret(bits.size()) {
  if (!bits.empty())
    copy(block_->data, bits.data(), bits.size());
}

size_t secret::size() const {
  return block_ ? block_->size : 0;
}

byte_view secret::view() const {
  return block_ ? byte_view{block_->data, block_->size} : byte_view{};
}

uint8_t* secret::data() {
  return block_ ? block_->data : nullptr;
}

secret secret::part(size_t offset, size_t n) const {
  assert(offset <= size() && n <= size() - offset);
  return secret{view().part(offset, n)};
}

void secret::wipe() {
  if (block_) {
    OPENSSL_cleanse(block_->data, block_->size);
    block_.reset();
  }
}

std::string to_string(const secret& x) {
  return "<secret " + std::to_string(x.size()) + " B>";
}

bool protect_secrets(size_t arena_bytes) {
  ::rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  // 1: locked; 2: allocated but not locked; 0: failed.
  return CRYPTO_secure_malloc_initialized() == 1 || CRYPTO_secure_malloc_init(arena_bytes, 32) == 1;
}

} // namespace qnfv
