#include "runtime/crypto/one_time.hpp"

#include <openssl/evp.h>

#include <cstdlib>

namespace qnfv {

result<std::array<uint8_t, 16>> one_time_mac(byte_view key, byte_view message) {
  if (key.size() != 32)
    return {ec::invalid_argument, "a one-time MAC takes a key of 32 bytes"};
  auto* algorithm = EVP_MAC_fetch(nullptr, "POLY1305", nullptr);
  auto* context = EVP_MAC_CTX_new(algorithm);
  EVP_MAC_free(algorithm);
  std::array<uint8_t, 16> out{};
  size_t written = 0;
  auto ok = EVP_MAC_init(context, key.data(), key.size(), nullptr) == 1
            && EVP_MAC_update(context, message.data(), message.size()) == 1
            && EVP_MAC_final(context, out.data(), &written, out.size()) == 1;
  EVP_MAC_CTX_free(context);
  if (!ok || written != out.size())
    std::abort(); // No Poly1305 or no memory.
  return out;
}

result<bytes> one_time_pad(byte_view pad, byte_view message) {
  if (pad.size() != message.size())
    return {ec::invalid_argument, "a pad of " + std::to_string(pad.size()) + " bytes for a message of "
                                    + std::to_string(message.size())};
  bytes out(message.size());
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = pad[i] ^ message[i];
  return out;
}

} // namespace qnfv
