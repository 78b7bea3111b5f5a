#pragma once

// OpenFlow 1.0 (wire version 1) with the circuit switch addendum v0.3: how a controller tells an
// optical switch what to join. Big endian; every message starts with
//
//   offset length
//        0      1   version    1
//        1      1   type       see openflow_type
//        2      2   length     of the whole message
//        4      4   xid        an answer or error repeats it
//
// The switch dials, the controller listens (TCP 6633). Then both say HELLO; the controller asks
// FEATURES_REQUEST and learns the circuit ports; it orders with CFLOW_MOD, which has no positive
// answer, so a BARRIER_REQUEST follows: its reply says that all before it is done.
//
// FEATURES_REPLY, 32 bytes and ports          CFLOW_MOD, 24 bytes and arrays
//        8      8   datapath id                      8      2   command
//       16      4   buffers                         10      2   hard timeout, s; 0: none
//       20      1   tables                          12      4   0
//       21      1   circuit ports (addendum)        16      2   wildcards: a bit that is 0 says that
//       22      2   0                                           this array is there
//       24      4   capabilities                    18      2   n: elements of each array
//       28      4   actions                         20      4   0
//       32     48   each packet port                24          in_port[n], out_port[n]: 2 bytes each
//        .   72+8b  each circuit port                           in_tport[n], out_tport[n]: 8 bytes
//                                                               in_wport[n], out_wport[n]: 16 bytes
// A circuit port, b bandwidth words                             actions
//        0      2   number, from 1
//        2      6   hardware address                CPORT_STATUS, 16 bytes and a circuit port
//        8     16   name, NUL at the end                8      1   reason
//       24      4   config                              9      7   0
//       28      4   state: bit 0 no light
//       32   4x4    current, advertised,            ERROR, 12 bytes and the message it is about
//                   supported, peer features            8      2   type
//       48      4   TDM granularity                    10      2   code
//       52      2   kinds: bit 15 fibre, 14 wave       12          64 bytes of it, or all if shorter
//       54      2   peer's port, 0: unknown
//       56      8   peer's datapath id              A TDM port: port 2, first slot 2, signal 4
//       64      2   b                               A wave port: port 2, 0 6, wavelengths 8 (bitmap)
//       66      6   0
//       72     8b   bandwidth bitmaps
//
// The addendum does not say whether arrays of 2-byte ports are padded to 8 bytes. All three readings
// are understood (no padding, each array, the end of both), because a port is never 0; which one is
// sent is the sender's choice. Padding and reserved fields are written as 0 and not looked at.
//
// Pure: bytes in, verdict out. Any bytes give a value or an error (invalid_argument), in memory that
// grows with their number only.

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/shown.hpp"

#include <deque>

namespace qnfv {

constexpr uint8_t openflow_version = 1;
constexpr uint16_t openflow_port = 6633;
constexpr size_t openflow_header_bytes = 8;
constexpr size_t openflow_message_bytes_max = 0xFFFF;
constexpr size_t openflow_error_data_bytes = 64;

enum class openflow_type : uint8_t {
  hello = 0,
  error = 1,
  echo_request = 2,
  echo_reply = 3,
  vendor = 4,
  features_request = 5,
  features_reply = 6,
  get_config_request = 7,
  get_config_reply = 8,
  set_config = 9,
  barrier_request = 18,
  barrier_reply = 19,
  cport_status = 0xFE,
  cflow_mod = 0xFF,
};

struct openflow_header {
  uint8_t version = openflow_version;
  openflow_type type = openflow_type::hello; ///< Any value of its byte.
  uint16_t length = 0;
  uint32_t xid = 0;
};

namespace openflow {
// Features of a port; kinds of switching; bandwidth words.
constexpr uint32_t any_fibre = 1u << 20; ///< Addendum, "X": whatever the fibre carries.
constexpr uint32_t no_light = 1;         ///< State: LINK_DOWN.
constexpr uint16_t fibre_switching = 1u << 15;
constexpr uint64_t fibre_switch = 1;
// Wildcards of a CFLOW_MOD.
constexpr uint16_t no_in_port = 1, no_out_port = 2, no_in_tdm = 4, no_out_tdm = 8, no_in_wave = 16,
                   no_out_wave = 32;
constexpr uint16_t fibre_form = no_in_tdm | no_out_tdm | no_in_wave | no_out_wave; // 0x003C
// Errors: type, codes.
constexpr uint16_t bad_request = 1;
constexpr uint16_t bad_version = 0, bad_type = 1, not_permitted = 5, bad_length = 6;
constexpr uint16_t circuit_failed = 0xFFFF; ///< Addendum: CFLOW_MOD_FAILED.
constexpr uint16_t overlap = 1, mismatch = 2;
} // namespace openflow

struct openflow_cport {
  uint16_t port = 0;
  std::array<uint8_t, 6> address{};
  std::string name; ///< At most 15 bytes are sent.
  uint32_t config = 0;
  uint32_t state = 0;
  uint32_t current = 0;
  uint32_t advertised = 0;
  uint32_t supported = 0;
  uint32_t peer = 0;
  uint32_t tdm_granularity = 0;
  uint16_t kinds = 0;
  uint16_t peer_port = 0;
  uint64_t peer_datapath = 0;
  std::vector<uint64_t> bandwidth;
};

struct openflow_features {
  uint64_t datapath = 0;
  uint32_t buffers = 0;
  uint8_t tables = 0;
  uint32_t capabilities = 0;
  uint32_t actions = 0;
  uint16_t packet_ports = 0; ///< How many were told; none is ever sent.
  std::vector<openflow_cport> cports;
};

enum class circuit_command : uint16_t {
  add = 0,
  modify = 1,
  modify_strict = 2,
  remove = 3,
  remove_strict = 4,
  drop = 0xFFFF, ///< Terminate the circuit.
};

struct tdm_port {
  uint16_t port = 0;
  uint16_t first_slot = 0;
  uint32_t signal = 0;
};

struct wave_port {
  uint16_t port = 0;
  uint64_t wavelengths = 0;
};

/// Of each kind of port that is used there are n elements; `count` is n also where none is used.
struct openflow_cflow_mod {
  circuit_command command = circuit_command::add; ///< Any value of its two bytes.
  uint16_t hard_timeout_s = 0;
  uint16_t wildcards = openflow::fibre_form;
  uint16_t count = 0;
  std::vector<uint16_t> in_ports, out_ports;
  std::vector<tdm_port> in_tdm, out_tdm;
  std::vector<wave_port> in_wave, out_wave;
  bytes actions;
};

/// How arrays of 2-byte ports are sent.
enum class port_padding : uint8_t { none, each_array, end };

enum class cport_reason : uint8_t { add = 0, remove = 1, modify = 2, less = 254, changed = 255 };

struct openflow_cport_status {
  cport_reason reason = cport_reason::modify; ///< Any value of its byte.
  openflow_cport port;
};

struct openflow_error {
  uint16_t type = 0;
  uint16_t code = 0;
  bytes about; ///< The first bytes of the message that it is about.
};

struct openflow_config {
  uint16_t flags = 0;
  uint16_t miss_send_bytes = 0;
};

// -- writing
// --------------------------------------------------------------------------------------

/// A message that is its header: hello, requests of features, config and barriers, barrier replies.
bytes encode(openflow_type, uint32_t xid, byte_view body = {});
bytes encode(uint32_t xid, const openflow_features&);
bytes encode(uint32_t xid, const openflow_cflow_mod&, port_padding = port_padding::none);
bytes encode(uint32_t xid, const openflow_cport_status&);
/// Of `about` as much is sent as a receiver can expect.
bytes encode(uint32_t xid, const openflow_error&);
/// `type`: set_config or get_config_reply.
bytes encode(openflow_type type, uint32_t xid, const openflow_config&);

// -- reading
// --------------------------------------------------------------------------------------
// `message` is one whole message, as a splitter gives it. Of another type, or of a length that its
// type cannot have: invalid_argument.

/// Of at least 8 bytes. Errors: fewer, or a length field that is not the length.
result<openflow_header> read_header(byte_view message);
result<openflow_features> read_features(byte_view message);
result<openflow_cflow_mod> read_cflow_mod(byte_view message);
result<openflow_cport_status> read_cport_status(byte_view message);
result<openflow_error> read_error(byte_view message);
result<openflow_config> read_config(byte_view message);

/// "CFLOW_MOD", "type 77".
std::string to_string(openflow_type);
/// "CFLOW_MOD_FAILED: OVERLAP", "error type 3 code 9".
std::string to_string(const openflow_error&);
/// "00:00:00:00:00:00:05:1e", as OpenDaylight writes it.
std::string datapath_text(uint64_t);
/// The same, or hexadecimal digits without colons. Errors: bad_config.
result<uint64_t> parse_datapath(const std::string&);

/// What everybody may see of one whole message: its header, and the rest of those types whose fields
/// are known. Others carry what somebody put there.
shown_bytes show_openflow(byte_view message);

/// Cuts a byte stream into messages. Never holds more than one message that is not whole.
class openflow_splitter {
public:
  explicit openflow_splitter(size_t message_bytes_max = openflow_message_bytes_max)
      : limit_(message_bytes_max) {}

  /// Errors (the stream cannot be followed any further): a length below that of a header, or above
  /// the limit. Whole messages that came before are still there.
  status add(byte_view piece);
  /// The next whole message.
  std::optional<bytes> next();
  size_t held() const { return partial_.size(); }

private:
  size_t limit_;
  bytes partial_;
  std::deque<bytes> whole_;
  bool broken_ = false;
};

} // namespace qnfv
