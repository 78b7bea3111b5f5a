#include "tools/traces/exports.hpp"
#include "tools/traces/packets.hpp"

#include <algorithm>

namespace qnfv {

namespace {

// pcapng, draft-ietf-opsawg-pcapng: little endian, blocks of multiples of 4 bytes.
constexpr uint32_t section_header = 0x0A0D0D0A;
constexpr uint32_t interface_description = 1;
constexpr uint32_t enhanced_packet = 6;
constexpr uint16_t option_end = 0;
constexpr uint16_t option_comment = 1;
constexpr uint16_t option_if_name = 2;
constexpr uint16_t option_if_tsresol = 9;
constexpr uint16_t option_shb_userappl = 4;
// Link types of tcpdump.org.
constexpr uint16_t link_raw_ip = 101;
constexpr uint16_t link_upper_pdu = 252;
// Tags of Wireshark's exported PDUs (epan/exported_pdu.h): big endian.
constexpr uint16_t tag_end = 0;
constexpr uint16_t tag_dissector = 12;
constexpr uint16_t tag_protocol_column = 33;

void put16(std::string& to, uint32_t x) {
  to += static_cast<char>(x & 0xFF);
  to += static_cast<char>(x >> 8 & 0xFF);
}

void put32(std::string& to, uint64_t x) {
  put16(to, static_cast<uint32_t>(x & 0xFFFF));
  put16(to, static_cast<uint32_t>(x >> 16 & 0xFFFF));
}

void pad(std::string& to) {
  to.append((4 - to.size() % 4) % 4, '\0');
}

void put_option(std::string& to, uint16_t code, const std::string& value) {
  auto size = std::min<size_t>(value.size(), 0xFFFF);
  put16(to, code);
  put16(to, static_cast<uint32_t>(size));
  to.append(value, 0, size);
  pad(to);
}

void put_tag(std::string& to, uint16_t tag, std::string value) {
  pad(value);
  for (auto x : {tag, static_cast<uint16_t>(value.size())}) {
    to += static_cast<char>(x >> 8);
    to += static_cast<char>(x & 0xFF);
  }
  to += value;
}

std::string block(uint32_t type, const std::string& body) {
  std::string out;
  put32(out, type);
  put32(out, body.size() + 12);
  out += body;
  put32(out, body.size() + 12);
  return out;
}

std::string interface(uint16_t link_type, const std::string& name) {
  std::string body;
  put16(body, link_type);
  put16(body, 0);
  put32(body, 0); // No limit of length.
  put_option(body, option_if_name, name);
  put_option(body, option_if_tsresol, std::string(1, 9)); // Nanoseconds.
  put_option(body, option_end, {});
  return block(interface_description, body);
}

std::string packet(uint32_t where, int64_t unix_ns, const std::string& content, uint64_t original_bytes,
                   const std::string& comment) {
  std::string body;
  put32(body, where);
  put32(body, static_cast<uint64_t>(unix_ns) >> 32);
  put32(body, static_cast<uint64_t>(unix_ns));
  put32(body, content.size());
  put32(body, original_bytes);
  body += content;
  pad(body);
  put_option(body, option_comment, comment);
  put_option(body, option_end, {});
  return block(enhanced_packet, body);
}

/// The event as JSON behind tags that say so; the protocol column holds the message's name.
std::string as_pdu(const trace_event& x) {
  std::string out;
  put_tag(out, tag_dissector, "json");
  put_tag(out, tag_protocol_column, x.message.empty() ? to_string(x.kind) : x.message);
  put_tag(out, tag_end, {});
  return out + to_json(x);
}

std::string comment_of(const trace_event& x) {
  return to_string(x.kind) + " " + x.message + "  " + x.from + (x.to == x.from ? "" : " -> " + x.to);
}

} // namespace

std::string to_pcapng(trace_log log) {
  log.sort();
  // By time, as a capture is: what is on a connection keeps its order.
  std::stable_sort(log.events.begin(), log.events.end(),
                   [](auto& a, auto& b) { return a.unix_ns < b.unix_ns; });
  std::string head;
  put32(head, 0x1A2B3C4D); // Says that this file is little endian.
  put16(head, 1);
  put16(head, 0);
  put32(head, UINT32_MAX); // The section's length is not given.
  put32(head, UINT32_MAX);
  put_option(head, option_shb_userappl, "qnfv");
  put_option(head, option_end, {});
  auto out = block(section_header, head) + interface(link_upper_pdu, "messages")
             + interface(link_raw_ip, "wire");
  packet_maker packets{log.events};
  for (auto& x : log.events) {
    if (!wire_piece_of(x)) {
      auto pdu = as_pdu(x);
      out += packet(0, x.unix_ns, pdu, pdu.size(), comment_of(x));
    } else if (auto ip = packets.make(x)) {
      out += packet(1, x.unix_ns, ip->content, ip->original_bytes, comment_of(x));
    }
  }
  return out;
}

} // namespace qnfv
