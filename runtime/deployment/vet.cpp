#include "runtime/deployment/vet.hpp"

#include "runtime/base/ids.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace qnfv {

namespace {

enum operation : uint8_t {
  server_handshake,
  client_handshake,
  direct_message,
  routed_message,
  monitor,
  down,
  heartbeat,
};

constexpr size_t header_size = 32;
constexpr uint8_t named_receiver = 0x01;
/// caf::atom("default")
constexpr uint64_t default_atom = 0x00003e9aab9bac79;
constexpr uint32_t handshake_max_bytes = 1u << 16;
/// CAF's client greets at once and once more when it has chosen the connection.
constexpr uint32_t client_handshakes_max = 2;
/// A reply, an event and its trace context need three; a bound keeps the scan short.
constexpr size_t type_names_max_bytes = 1024;

failure refused(std::string why) {
  return {ec::not_allowed, std::move(why)};
}

bool may_cross(std::string_view type) {
  return type.substr(0, 6) == "qnfv::" || type == "@error";
}

/// CAF's length prefix: 7 bits a byte, lowest first, the top bit says that more follow.
std::optional<uint32_t> take_length(byte_view& in) {
  uint32_t out = 0;
  for (uint32_t shift = 0; shift < 28 && !in.empty(); shift += 7) {
    auto x = in[0];
    in = in.part(1);
    out |= static_cast<uint32_t>(x & 0x7f) << shift;
    if ((x & 0x80) == 0)
      return out;
  }
  return std::nullopt;
}

/// True if the payload is a message of our own types, an error, or empty.
bool is_our_message(byte_view payload) {
  auto forwarding = take_length(payload);
  if (!forwarding || *forwarding != 0)
    return false;
  if (payload.size() < 2 || payload[0] != 0 || payload[1] != 0)
    return false;
  payload = payload.part(2);
  auto size = take_length(payload);
  if (!size || *size > payload.size() || *size > type_names_max_bytes)
    return false;
  std::string_view names(reinterpret_cast<const char*>(payload.data()), *size);
  if (names.substr(0, 3) != "@<>")
    return false;
  names.remove_prefix(3);
  while (!names.empty()) {
    if (names[0] != '+')
      return false;
    names.remove_prefix(1);
    auto end = std::min(names.find('+'), names.size());
    if (!may_cross(names.substr(0, end)))
      return false;
    names.remove_prefix(end);
  }
  return true;
}

} // namespace

node_bytes make_node_bytes(uint32_t process, std::string_view site) {
  node_bytes out{};
  store_be64(out.data(), default_atom);
  store_be32(out.data() + 8, process);
  std::copy_n(site.begin(), std::min(site.size(), max_site_name), out.begin() + 12);
  return out;
}

status frame_vetter::judge_header(const uint8_t* header) const {
  auto what = header[0];
  auto size = load_be32(header + 4);
  if (what == routed_message || what > heartbeat)
    return refused("a frame with operation " + std::to_string(what));
  if (size > settings_.payload_max_bytes)
    return refused("a frame of " + std::to_string(size) + " bytes");
  if ((size == 0) != (what == heartbeat))
    return refused("operation " + std::to_string(what) + " with a payload of "
                   + std::to_string(size) + " bytes");
  if (what == server_handshake || what == client_handshake) {
    if ((what == server_handshake) != settings_.peer_is_server)
      return refused("a handshake of the wrong side");
    if (handshakes_ >= (settings_.peer_is_server ? 1 : client_handshakes_max))
      return refused("one handshake too many");
    if (size > handshake_max_bytes)
      return refused("a handshake of " + std::to_string(size) + " bytes");
  } else if (handshakes_ == 0) {
    return refused("operation " + std::to_string(what) + " before the handshake");
  }
  return done{};
}

status frame_vetter::take_handshake(byte_view payload) {
  if (payload.size() < peer_node_.size())
    return refused("a handshake without a node id");
  node_bytes node;
  std::copy_n(payload.begin(), node.size(), node.begin());
  // All but the process number, which is the peer's own choice.
  if (node != make_node_bytes(load_be32(node.data() + 8), settings_.peer))
    return refused("a node id of another site than " + settings_.peer + ", which it proved to be");
  if (handshakes_ > 0 && node != peer_node_)
    return refused("a second node id");
  peer_node_ = node;
  ++handshakes_;
  return done{};
}

status frame_vetter::check_nodes(byte_view payload, bool exact) const {
  auto size = 2 * peer_node_.size();
  if (exact ? payload.size() != size : payload.size() < size)
    return refused("a monitor or down frame of a wrong size");
  if (!std::equal(peer_node_.begin(), peer_node_.end(), payload.begin())
      || !std::equal(settings_.own_node.begin(), settings_.own_node.end(),
                     payload.begin() + peer_node_.size()))
    return refused("a monitor or down frame for other nodes than the two that are connected");
  return done{};
}

result<bool> frame_vetter::judge(byte_view frame) {
  auto payload = frame.part(header_size);
  status ok = done{};
  switch (frame[0]) {
  case server_handshake:
  case client_handshake:
    ok = take_handshake(payload);
    break;
  case monitor:
  case down:
    ok = check_nodes(payload, frame[0] == monitor);
    break;
  case direct_message:
    return (frame[3] & named_receiver) == 0 && is_our_message(payload);
  default:
    break; // A heartbeat.
  }
  if (!ok)
    return ok.error();
  return true;
}

status frame_vetter::feed(byte_view in, bytes& out) {
  held_.insert(held_.end(), in.begin(), in.end());
  byte_view rest{held_};
  status verdict = done{};
  while (verdict && rest.size() >= header_size) {
    // Before its payload arrives: a refused frame is never stored.
    verdict = judge_header(rest.data());
    if (!verdict)
      break;
    auto size = header_size + load_be32(rest.data() + 4);
    if (rest.size() < size)
      break;
    auto frame = rest.part(0, size);
    auto passes = judge(frame);
    if (!passes) {
      verdict = passes.error();
    } else if (*passes) {
      out.insert(out.end(), frame.begin(), frame.end());
      ++passed_;
    } else {
      ++dropped_;
    }
    rest = rest.part(size);
  }
  held_.erase(held_.begin(), held_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  return verdict;
}

} // namespace qnfv
