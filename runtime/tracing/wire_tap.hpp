#pragma once

// How drivers show what they send and receive: events beside the messages, of which `qnfv trace export
// --format pcapng` makes packets (tools/traces/packets.hpp). No key bits: a driver shows only what its
// protocol's mask let through.

#include "runtime/base/shown.hpp"
#include "runtime/clock/clock.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace qnfv {

class recorder;

/// Its pieces are whole datagrams; those of all others flow.
inline bool in_datagrams(std::string_view protocol) {
  return protocol == "idq3p";
}

/// Between whom: "127.0.0.1:6633", "[::1]:40612".
struct wire_ends {
  std::string protocol; ///< "http", "openflow", "scpi", or "idq3p".
  std::string here;
  std::string there;
};

class wire_tap {
public:
  wire_tap() = default; ///< Nobody looks.
  /// At most `bytes_max` of a piece are kept. Nobody looks if there is no recorder, or nothing is.
  wire_tap(std::shared_ptr<recorder>, std::shared_ptr<const clock>, size_t bytes_max);

  /// To be asked before a piece is masked.
  explicit operator bool() const { return recorder_ != nullptr; }

  /// The event belongs to what the calling thread works for. What does not fit one event becomes
  /// several, each a piece by itself; of a datagram just the first bytes are kept.
  void sent(const wire_ends&, const shown_bytes&) const;
  void received(const wire_ends&, const shown_bytes&) const;

private:
  void record(const char* how, const std::string& protocol, const std::string& from,
              const std::string& to, const shown_bytes&) const;

  std::shared_ptr<recorder> recorder_;
  std::shared_ptr<const clock> clock_;
  size_t bytes_max_ = 0;
};

} // namespace qnfv
