#pragma once

// IDQ3P: how an encryptor asks the key server of a Clavis2 for a key. One UDP datagram each way,
// packed, integers little endian (as the vendor's x86 software sends them), port 5323.
//
//   offset length
//        0      1   datagram type   0 request, 1 response
//        1      4   key id, upper 32 bits   both 0 in a request: "a new key"
//        5      4   key id, lower 32 bits
//        9      1   key length      bytes, 1 to 32
//       10      4   request id      comes back in the response
//   request, 29 bytes               response, 62 bytes
//       14      1   device 1..12        14      1   error status
//       15     10   reserved, 0         15     32   key, the first `key length` bytes of it
//       25      4   CRC                 47      1   device
//                                       48     10   reserved, 0
//                                       58      4   CRC
//
// The CRC (CRC-32/BZIP2: polynomial 04C11DB7, not reflected) covers all bytes before it and stands
// most significant byte first. It is no authentication, and there is none: the protocol belongs on
// a cable between two boxes of one rack. Reserved bytes are written as 0 and not looked at.
//
// Pure: bytes in, verdict out.

#include "runtime/base/ids.hpp"
#include "runtime/base/secret.hpp"
#include "runtime/base/shown.hpp"

#include <array>
#include <optional>
#include <string>

namespace qnfv {

constexpr size_t idq3p_request_bytes = 29;
constexpr size_t idq3p_response_bytes = 62;
constexpr uint8_t idq3p_key_bytes_max = 32;
constexpr uint8_t idq3p_devices_max = 12;
constexpr uint16_t idq3p_port = 5323;

/// Names a key of one link. Both 0: none yet.
struct idq3p_id {
  uint32_t high = 0;
  uint32_t low = 0;

  bool is_new() const { return high == 0 && low == 0; }
  friend bool operator==(const idq3p_id& a, const idq3p_id& b) {
    return a.high == b.high && a.low == b.low;
  }
  friend bool operator!=(const idq3p_id& a, const idq3p_id& b) { return !(a == b); }
};

/// 16 lower-case hexadecimal digits, the upper word first.
std::string to_string(const idq3p_id&);
/// Nothing if `text` is not what to_string writes.
std::optional<idq3p_id> parse_idq3p_id(std::string_view text);

/// Our name of a key in 64 bits, so that both ends compute it without talking: the upper word is
/// the session (from 1, so no key is "a new key"), the lower word has the allocator in its highest
/// bit (0: Bob's end) and the counter in the other 31. Nothing for a counter of more bits.
std::optional<idq3p_id> idq3p_id_of(const key_id&);
key_id key_id_of(const link_id&, const idq3p_id&);

enum class idq3p_status : uint8_t {
  ok = 0,
  no_more_keys = 1,
  unknown_key = 2,
  wrong_key_length = 3,
  invalid_request = 4,
};
std::string to_string(idq3p_status);

struct idq3p_request {
  idq3p_id id;
  uint8_t key_bytes = idq3p_key_bytes_max;
  uint32_t request = 0;
  uint8_t device = 1;

  friend bool operator==(const idq3p_request& a, const idq3p_request& b) {
    return a.id == b.id && a.key_bytes == b.key_bytes && a.request == b.request
           && a.device == b.device;
  }
};

struct idq3p_response {
  idq3p_id id;
  uint8_t key_bytes = idq3p_key_bytes_max; ///< As asked for.
  uint32_t request = 0;
  idq3p_status status = idq3p_status::ok;
  secret key; ///< `key_bytes` of it if the status is ok, else empty.
  uint8_t device = 1;
};

/// Why a datagram is not what it should be; the first that applies.
enum class idq3p_problem : uint8_t { none, size, type, crc, key_length, device, status };
std::string to_string(idq3p_problem);

std::array<uint8_t, idq3p_request_bytes> encode(const idq3p_request&);
secret encode(const idq3p_response&);

/// Fills `out` unless the size or type is wrong: whoever answers must know what to send back.
idq3p_problem decode(byte_view datagram, idq3p_request& out);
/// Fills `out` only if there is no problem.
idq3p_problem decode(byte_view datagram, idq3p_response& out);

/// What an honest server has to send back: same request id and device, the id asked for or, for a
/// new key, some id, and with a key the length asked for.
bool answers(const idq3p_response&, const idq3p_request&);

/// What everybody may see of a datagram: of one of the two sizes and types all but the key, the CRC of a
/// response, which tells of the key, and reserved bytes that are not 0. Of others the length.
shown_bytes show_idq3p(byte_view datagram);

uint32_t crc32_bzip2(byte_view);

} // namespace qnfv
