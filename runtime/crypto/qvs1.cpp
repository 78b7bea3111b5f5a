#include "runtime/crypto/qvs1.hpp"

#include "runtime/crypto/hkdf.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace qnfv::qvs1 {

namespace {

constexpr size_t fixed_bytes = 64;
constexpr size_t okm_bytes = 71;
constexpr uint64_t frames_max = UINT32_MAX - uint64_t{1};

struct free_context {
  void operator()(EVP_CIPHER_CTX* x) const { EVP_CIPHER_CTX_free(x); }
};

/// One per thread: a context is not for two threads, and making one costs more than a small frame.
EVP_CIPHER_CTX* context_of_thread() {
  static thread_local std::unique_ptr<EVP_CIPHER_CTX, free_context> context{EVP_CIPHER_CTX_new()};
  if (!context)
    std::abort();
  return context.get();
}

std::array<uint8_t, fixed_bytes> fixed_part(const header& h) {
  std::array<uint8_t, fixed_bytes> out{};
  std::memcpy(out.data(), "QVS1", 4);
  out[4] = 1;
  out[5] = h.segment_log2;
  std::copy(h.key.value.begin(), h.key.value.end(), out.begin() + 8);
  std::copy(h.salt.begin(), h.salt.end(), out.begin() + 24);
  store_be64(out.data() + 40, h.plaintext_bytes);
  std::copy(h.stream.value.begin(), h.stream.value.end(), out.begin() + 48);
  return out;
}

secret derive(const secret& key, byte_view fixed, byte_view salt) {
  static const std::string label = "qnfv-stream-v1";
  bytes info(label.begin(), label.end());
  info.insert(info.end(), fixed.begin(), fixed.end());
  return hkdf_sha256(key.view(), salt, info, okm_bytes);
}

} // namespace

failure refuse(fault what, uint64_t frame) {
  static const char* texts[] = {"bad header",    "another key than the sender's", "bad frame ",
                                "truncated after frame ", "data after the last frame",
                                "not as long as announced", "too many frames"};
  std::string text = texts[static_cast<size_t>(what)];
  if (what == fault::bad_frame || what == fault::truncated)
    text += std::to_string(frame);
  return {ec::stream_corrupt, "the stream is refused: " + text};
}

uint64_t frame_count(uint64_t plaintext_bytes, uint8_t segment_log2) {
  auto segment = uint64_t{1} << segment_log2;
  return std::max<uint64_t>(1, plaintext_bytes / segment + (plaintext_bytes % segment ? 1 : 0));
}

uint64_t stream_bytes(uint64_t plaintext_bytes, uint8_t segment_log2) {
  return header_bytes + plaintext_bytes + tag_bytes * frame_count(plaintext_bytes, segment_log2);
}

result<header> parse_header(byte_view raw) {
  if (raw.size() < fixed_bytes || std::memcmp(raw.data(), "QVS1", 4) != 0 || raw[4] != 1
      || raw[5] < segment_log2_min || raw[5] > segment_log2_max || raw[6] != 0 || raw[7] != 0)
    return refuse(fault::bad_header);
  header h;
  h.segment_log2 = raw[5];
  std::memcpy(h.key.value.data(), raw.data() + 8, 16);
  std::memcpy(h.salt.data(), raw.data() + 24, 16);
  h.plaintext_bytes = load_be64(raw.data() + 40);
  std::memcpy(h.stream.value.data(), raw.data() + 48, 16);
  return h;
}

result<cipher> cipher::seal(const secret& key, const header& h) {
  if (key.size() != 32)
    return {ec::invalid_argument, "a stream takes a key of 32 bytes"};
  if (h.segment_log2 < segment_log2_min || h.segment_log2 > segment_log2_max)
    return {ec::invalid_argument, "segments have 2^12 to 2^24 bytes"};
  auto fixed = fixed_part(h);
  auto okm = derive(key, fixed, h.salt);
  std::array<uint8_t, header_bytes> raw;
  std::copy(fixed.begin(), fixed.end(), raw.begin());
  std::memcpy(raw.data() + fixed_bytes, okm.view().data() + 39, 32);
  return cipher{h, std::move(okm), raw};
}

result<cipher> cipher::open(const secret& key, byte_view raw_header) {
  if (raw_header.size() != header_bytes)
    return refuse(fault::bad_header);
  auto h = parse_header(raw_header);
  if (!h)
    return h.error();
  if (key.size() != 32)
    return refuse(fault::key_mismatch);
  auto okm = derive(key, raw_header.part(0, fixed_bytes), h->salt);
  if (!equal_constant_time(okm.view().part(39, 32), raw_header.part(fixed_bytes, 32)))
    return refuse(fault::key_mismatch);
  std::array<uint8_t, header_bytes> raw;
  std::copy(raw_header.begin(), raw_header.end(), raw.begin());
  return cipher{*h, std::move(okm), raw};
}

std::array<uint8_t, 12> cipher::nonce(uint64_t i, bool last) const {
  std::array<uint8_t, 12> out;
  auto prefix = nonce_prefix();
  std::copy(prefix.begin(), prefix.end(), out.begin());
  store_be32(out.data() + 7, static_cast<uint32_t>(i));
  out[11] = last ? 1 : 0;
  return out;
}

result<bytes> cipher::seal_frame(uint64_t i, bool last, byte_view segment) const {
  if (i > frames_max)
    return refuse(fault::too_many_frames);
  if (segment.size() > head_.segment_bytes() || (!last && segment.size() != head_.segment_bytes())
      || (last && segment.empty() && i > 0))
    return {ec::invalid_argument, "a segment of " + std::to_string(segment.size()) + " bytes"};
  bytes out(segment.size() + tag_bytes);
  auto* context = context_of_thread();
  auto iv = nonce(i, last);
  int n = 0;
  auto ok = EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nullptr, derived_key().data(), iv.data()) == 1
            && (segment.empty()
                || EVP_EncryptUpdate(context, out.data(), &n, segment.data(),
                                     static_cast<int>(segment.size())) == 1)
            && EVP_EncryptFinal_ex(context, out.data() + n, &n) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, tag_bytes,
                                   out.data() + segment.size()) == 1;
  EVP_CIPHER_CTX_reset(context);
  if (!ok)
    return {ec::internal, "the cipher failed"};
  return out;
}

result<bytes> cipher::open_frame(uint64_t i, bool last, byte_view frame) const {
  if (i > frames_max)
    return refuse(fault::too_many_frames);
  if (frame.size() < tag_bytes || frame.size() > head_.segment_bytes() + tag_bytes
      || (last && frame.size() == tag_bytes && i > 0)
      || (!last && frame.size() != head_.segment_bytes() + tag_bytes))
    return refuse(fault::bad_frame, i);
  auto size = frame.size() - tag_bytes;
  bytes out(size);
  auto* context = context_of_thread();
  auto iv = nonce(i, last);
  int n = 0;
  auto ok = EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nullptr, derived_key().data(), iv.data()) == 1
            && (size == 0
                || EVP_DecryptUpdate(context, out.data(), &n, frame.data(),
                                     static_cast<int>(size)) == 1)
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, tag_bytes,
                                   const_cast<uint8_t*>(frame.data()) + size) == 1
            && EVP_DecryptFinal_ex(context, out.data() + n, &n) == 1;
  EVP_CIPHER_CTX_reset(context);
  if (!ok)
    return refuse(fault::bad_frame, i);
  return out;
}

} // namespace qnfv::qvs1
