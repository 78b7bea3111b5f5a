#pragma once

// What a peer's bytes must look like before CAF sees them. CAF 0.17.6 trusts its peers: an empty
// handshake crashes it, a length of 4 GiB is allocated, a monitor or down frame may speak for
// another node, and an exit message or the spawn server obey anyone. So each frame is judged first.
//
// A frame (BASP, the protocol of CAF 0.17) is a header of 32 bytes and a payload:
//
//   byte 0     operation   0 server handshake, 1 client handshake, 2 message, 3 routed message,
//                          4 monitor, 5 down, 6 heartbeat
//   byte 3     flags       1: the receiver is given by name
//   bytes 4-7  payload length, big endian; then three numbers of 8 bytes
//
// Handshakes begin with the sender's node id; monitor and down frames with the sender's and the
// receiver's. A message begins with the count of forwarding actors, two zero bytes, and the names
// of its types: "@<>+qnfv::join+qnfv::trace_context".
//
// Pure: bytes in, verdict out.

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

#include <array>
#include <string>

namespace qnfv {

/// A node id as CAF writes it: the atom "default", a process number, and 20 bytes that CAF fills
/// with a hash of the host and we with the site's name (deployment/node_id).
using node_bytes = std::array<uint8_t, 32>;

node_bytes make_node_bytes(uint32_t process, std::string_view site);

struct vet_settings {
  /// The name that the peer's certificate proved: its node id must carry it.
  std::string peer;
  /// True if the peer accepted the connection and so opens with the server's handshake.
  bool peer_is_server = false;
  node_bytes own_node{};
  uint32_t payload_max_bytes = 1u << 20;
};

/// Judges one direction of one connection.
class frame_vetter {
public:
  explicit frame_vetter(vet_settings settings) : settings_(std::move(settings)) {}

  /// Takes the next bytes and appends the frames that may pass to `out`. Holds back at most one
  /// frame. Error not_allowed: the connection must be closed, and nothing more be fed; frames that
  /// came before the bad one are in `out`.
  ///
  /// Dropped without closing, since honest peers send them: messages to actors by name (CAF's spawn
  /// and config servers), and messages with anything but our own types and errors (exit, link).
  status feed(byte_view in, bytes& out);

  /// True after the peer's handshake.
  bool introduced() const { return handshakes_ > 0; }
  const node_bytes& peer_node() const { return peer_node_; }
  uint64_t passed() const { return passed_; }
  uint64_t dropped() const { return dropped_; }

private:
  status judge_header(const uint8_t* header) const;
  /// True: passes. False: is dropped.
  result<bool> judge(byte_view frame);
  status take_handshake(byte_view payload);
  status check_nodes(byte_view payload, bool exact) const;

  vet_settings settings_;
  bytes held_; ///< The beginning of a frame.
  node_bytes peer_node_{};
  uint32_t handshakes_ = 0;
  uint64_t passed_ = 0;
  uint64_t dropped_ = 0;
};

} // namespace qnfv
