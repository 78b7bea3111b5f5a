#include "tools/traces/packets.hpp"

#include "runtime/base/bytes.hpp"
#include "runtime/tracing/wire_tap.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace qnfv {

namespace {

constexpr uint8_t protocol_tcp = 6;
constexpr uint8_t protocol_udp = 17;
constexpr size_t ip_bytes_max = 0xFFFF;

struct endpoint {
  std::string address; ///< 4 or 16 bytes.
  uint16_t port = 0;
};

/// "127.0.0.1:5323" or "[::1]:5323".
std::optional<endpoint> parse(const std::string& text) {
  auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return std::nullopt;
  endpoint out;
  auto* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data() + colon + 1, end, out.port);
  if (parsed.ec != std::errc{} || parsed.ptr != end)
    return std::nullopt;
  auto host = text.substr(0, colon);
  out.address.resize(4);
  if (::inet_pton(AF_INET, host.c_str(), out.address.data()) == 1)
    return out;
  if (host.size() < 2 || host.front() != '[' || host.back() != ']')
    return std::nullopt;
  out.address.resize(16);
  if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), out.address.data()) != 1)
    return std::nullopt;
  return out;
}

void put16(std::string& to, size_t x) {
  to += static_cast<char>(x >> 8 & 0xFF);
  to += static_cast<char>(x & 0xFF);
}

void put32(std::string& to, uint32_t x) {
  put16(to, x >> 16);
  put16(to, x & 0xFFFF);
}

uint16_t checksum(const std::string& header) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < header.size(); i += 2)
    sum += static_cast<uint32_t>(static_cast<uint8_t>(header[i]) << 8 | static_cast<uint8_t>(header[i + 1]));
  while (sum >> 16)
    sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

std::string ip_header(const endpoint& from, const endpoint& to, uint8_t protocol, size_t behind) {
  std::string out;
  if (from.address.size() == 16) {
    put32(out, 0x60000000);
    put16(out, std::min(behind, ip_bytes_max));
    out += static_cast<char>(protocol);
    out += static_cast<char>(64); // Hops.
    return out + from.address + to.address;
  }
  put16(out, 0x4500);
  put16(out, std::min(20 + behind, ip_bytes_max));
  put32(out, 0x00004000); // Not to be fragmented.
  out += static_cast<char>(64);
  out += static_cast<char>(protocol);
  put16(out, 0);
  out += from.address + to.address;
  auto sum = checksum(out);
  out[10] = static_cast<char>(sum >> 8);
  out[11] = static_cast<char>(sum & 0xFF);
  return out;
}

} // namespace

std::optional<wire_piece> wire_piece_of(const trace_event& x) {
  if (x.kind != trace_kind::note || x.from == x.to)
    return std::nullopt;
  wire_piece out;
  out.sent = x.text.rfind("sent ", 0) == 0;
  if (!out.sent && x.text.rfind("received ", 0) != 0)
    return std::nullopt;
  auto* at = x.text.data() + x.text.find(' ') + 1;
  auto* end = x.text.data() + x.text.size();
  auto parsed = std::from_chars(at, end, out.bytes);
  constexpr std::string_view unit = " B ";
  std::string_view rest{parsed.ptr, static_cast<size_t>(end - parsed.ptr)};
  if (parsed.ec != std::errc{} || rest.substr(0, unit.size()) != unit)
    return std::nullopt;
  auto content = from_hex(rest.substr(unit.size()));
  if (!content || content->size() > out.bytes)
    return std::nullopt;
  out.content.assign(content->begin(), content->end());
  return out;
}

void let_go_of_pieces(trace_log& log) {
  log.events.erase(std::remove_if(log.events.begin(), log.events.end(),
                                  [](auto& x) { return wire_piece_of(x).has_value(); }),
                   log.events.end());
}

packet_maker::packet_maker(const std::vector<trace_event>& events) {
  for (auto& x : events)
    if (auto piece = wire_piece_of(x); piece && piece->sent)
      senders_.insert({x.from, x.to});
}

std::optional<ip_packet> packet_maker::make(const trace_event& x) {
  auto piece = wire_piece_of(x);
  auto from = parse(x.from);
  auto to = parse(x.to);
  if (!piece || !from || !to || from->address.size() != to->address.size()
      || (!piece->sent && senders_.count({x.from, x.to}) > 0))
    return std::nullopt;
  std::string transport;
  put16(transport, from->port);
  put16(transport, to->port);
  auto udp = in_datagrams(x.message);
  auto size = piece->bytes;
  if (udp) {
    put16(transport, std::min<size_t>(8 + size, ip_bytes_max));
    put16(transport, 0); // No checksum.
  } else {
    // Wireshark begins to count where it first looks, so any first number will do.
    auto& sent = next_.emplace(std::make_pair(x.from, x.to), 1).first->second;
    auto& other = next_.emplace(std::make_pair(x.to, x.from), 1).first->second;
    put32(transport, sent);
    put32(transport, other);
    put16(transport, 0x5018); // A header of 5 words; PSH and ACK.
    put16(transport, 0xFFFF);
    put32(transport, 0);
    sent += static_cast<uint32_t>(size);
  }
  auto ip = ip_header(*from, *to, udp ? protocol_udp : protocol_tcp, transport.size() + size);
  auto original = ip.size() + transport.size() + size;
  return ip_packet{ip + transport + piece->content, original};
}

} // namespace qnfv
