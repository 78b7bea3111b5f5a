#pragma once

// QVS1: one image as an encrypted, authenticated stream under one QKD key.
//
//   offset length
//        0      4  "QVS1"
//        4      1  suite: 1 = AES-256-GCM with HKDF-SHA256
//        5      1  log2 of the segment size, 12 to 24
//        6      2  zero
//        8     16  key id
//       24     16  salt, random per stream
//       40      8  plaintext length, big endian; all ones: unknown
//       48     16  stream id: the transfer id
//       64     32  commitment to the key
//       96         frames
//
// OKM (71 bytes) = HKDF-SHA256(ikm = the 32-byte QKD key, salt = salt,
//                              info = "qnfv-stream-v1" followed by the first 64 bytes of the header)
//   key = OKM[0..31]   nonce prefix = OKM[32..38]   commitment = OKM[39..70]
//
// Frame i = AES-256-GCM(key, nonce = prefix, i as 4 bytes big endian, 1 if last else 0; no AAD) of a
// segment, followed by the 16-byte tag. Every segment is full but the last, which has at least one
// byte unless the whole plaintext is empty. So a cut, swapped, repeated, dropped or foreign frame
// fails its tag; GCM alone does not commit to its key, so the header does.
//
// Downside: a stream cannot be read from the middle without the frames' common size, and a broken
// stream cannot be resumed under another key.

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/secret.hpp"

#include <array>

namespace qnfv::qvs1 {

constexpr size_t header_bytes = 96;
constexpr size_t tag_bytes = 16;
constexpr uint8_t segment_log2_min = 12;
constexpr uint8_t segment_log2_max = 24;
constexpr uint64_t unknown_length = UINT64_MAX;

/// Why a stream is refused.
enum class fault : uint8_t {
  bad_header,
  key_mismatch,
  bad_frame,       ///< The tag does not verify.
  truncated,       ///< The input ended before the last frame.
  trailing_data,   ///< Input goes on after the last frame.
  length_mismatch, ///< The plaintext is not as long as the header says.
  too_many_frames,
};
/// "bad frame 17" as stream_corrupt.
failure refuse(fault, uint64_t frame = 0);

struct header {
  uint8_t segment_log2 = 20;
  key_id key;
  std::array<uint8_t, 16> salt{};
  uint64_t plaintext_bytes = unknown_length;
  transfer_id stream;

  size_t segment_bytes() const { return size_t{1} << segment_log2; }
};

/// Frames of a plaintext: one per segment begun, and one for an empty plaintext.
uint64_t frame_count(uint64_t plaintext_bytes, uint8_t segment_log2);
/// Header, frames and tags.
uint64_t stream_bytes(uint64_t plaintext_bytes, uint8_t segment_log2);

/// The cipher of one stream, at either end. Frames may be sealed and opened in any order and on
/// several threads at a time.
class cipher {
public:
  /// The sending end. Failure: invalid_argument for a key that has not 32 bytes or a segment size out
  /// of range.
  static result<cipher> seal(const secret& key, const header& h);
  /// The receiving end, from the first 96 bytes of a stream. Failure: stream_corrupt.
  static result<cipher> open(const secret& key, byte_view raw_header);

  /// What the stream starts with.
  std::array<uint8_t, header_bytes> raw_header() const { return raw_; }
  const header& head() const { return head_; }

  /// Failure: invalid_argument for a segment of the wrong size, stream_corrupt beyond 2^32 - 2 frames.
  result<bytes> seal_frame(uint64_t i, bool last, byte_view segment) const;
  /// The segment. Failure: stream_corrupt; nothing of the plaintext is given out then.
  result<bytes> open_frame(uint64_t i, bool last, byte_view frame) const;

  // For vectors only.
  byte_view derived_key() const { return okm_.view().part(0, 32); }
  byte_view nonce_prefix() const { return okm_.view().part(32, 7); }
  byte_view commitment() const { return okm_.view().part(39, 32); }

private:
  cipher(header h, secret okm, std::array<uint8_t, header_bytes> raw)
    : head_(h), okm_(std::move(okm)), raw_(raw) {}
  std::array<uint8_t, 12> nonce(uint64_t i, bool last) const;

  header head_;
  secret okm_;
  std::array<uint8_t, header_bytes> raw_;
};

/// Reads the 64 fixed bytes without a key. Failure: stream_corrupt.
result<header> parse_header(byte_view raw);

} // namespace qnfv::qvs1
