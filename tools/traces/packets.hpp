#pragma once

// What drivers saw on the wire, as IP packets: the payload is real, the headers follow from the
// endpoints.

#include "tools/traces/log.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace qnfv {

/// A piece that a driver sent or received.
struct wire_piece {
  bool sent = false;
  uint64_t bytes = 0; ///< More than `content` has if it was cut when it was recorded.
  std::string content;
};
/// Nothing if the event is none: a note from one endpoint to another, "sent 29 B 0001...".
std::optional<wire_piece> wire_piece_of(const trace_event&);
/// What is left are messages and notes of actors.
void let_go_of_pieces(trace_log&);

struct ip_packet {
  std::string content;         ///< From the IP header.
  uint64_t original_bytes = 0; ///< More than that if the payload was cut when it was recorded.
};

class packet_maker {
public:
  /// Looks through all events first: where one end recorded what it sent, the other end's record of the
  /// same is left out.
  explicit packet_maker(const std::vector<trace_event>&);

  /// The packets of one direction must come in their order. Nothing for a record that is left out, or
  /// if the endpoints are no numeric addresses.
  std::optional<ip_packet> make(const trace_event&);

private:
  using direction = std::pair<std::string, std::string>; ///< From, to.

  std::set<direction> senders_; ///< Directions whose sending end was recorded.
  std::map<direction, uint32_t> next_; ///< TCP sequence numbers.
};

} // namespace qnfv
