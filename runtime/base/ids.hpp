#pragma once

#include "runtime/base/bytes.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qnfv {

/// What a name may look like wherever users write one: 1 to 64 of a-z A-Z 0-9 . _ -, starting with
/// a letter or digit. So a name is always a safe file name and a safe container name.
bool valid_name(std::string_view);

/// A name that cannot be confused with a name of another kind.
template <class Tag>
struct name_id {
  std::string value;

  name_id() = default;
  explicit name_id(std::string x) : value(std::move(x)) {}

  bool empty() const { return value.empty(); }
  friend bool operator==(const name_id& a, const name_id& b) { return a.value == b.value; }
  friend bool operator!=(const name_id& a, const name_id& b) { return a.value != b.value; }
  friend bool operator<(const name_id& a, const name_id& b) { return a.value < b.value; }
  friend std::string to_string(const name_id& x) { return x.value; }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, name_id& x) {
    return f(x.value);
  }
};

/// 16 bytes, printed as a UUID.
template <class Tag>
struct uuid {
  std::array<uint8_t, 16> value{};

  friend bool operator==(const uuid& a, const uuid& b) { return a.value == b.value; }
  friend bool operator!=(const uuid& a, const uuid& b) { return a.value != b.value; }
  friend bool operator<(const uuid& a, const uuid& b) { return a.value < b.value; }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, uuid& x) {
    return f(x.value);
  }
};

std::string uuid_text(const std::array<uint8_t, 16>&);
std::optional<std::array<uint8_t, 16>> parse_uuid(std::string_view);

template <class Tag>
std::string to_string(const uuid<Tag>& x) {
  return uuid_text(x.value);
}

/// A site of the topology: the orchestrator's, a data centre, a trusted node. At most 20 bytes, so
/// that it fits the host part of a CAF node id.
using site_id = name_id<struct site_tag>;
constexpr size_t max_site_name = 20;
/// A QKD device, "bob1" or "alice2".
using device_id = name_id<struct device_tag>;
/// One Alice-Bob pair, written "bob1/alice2".
using link_id = name_id<struct link_tag>;
/// An optical circuit switch, "polatis1".
using switch_id = name_id<struct switch_tag>;
/// A port's number as printed on the switch, from 1. An N x N switch has ingress ports 1..N and egress
/// ports N+1..2N.
using port_number = uint16_t;
/// An image in the orchestrator's catalogue.
using image_id = name_id<struct image_tag>;
/// One delivery that a user asked for, "order-17".
using order_id = name_id<struct order_tag>;
/// One VNF instance at a data centre.
using vnf_id = name_id<struct vnf_tag>;

/// One stream of one image; also the stream id of its QVS1 header.
using transfer_id = uuid<struct transfer_tag>;

/// Names one key for ever. Never derived from a clock or from randomness alone:
///
///   bytes 0-3   link      the first 4 bytes of SHA-256 of the link's name
///   bytes 4-7   session   big endian; grows at every start of the link, remembered by both ends
///   byte  8     allocator 0: Bob's end hands it out, 1: Alice's
///   bytes 9-15  counter   big endian, within the session
using key_id = uuid<struct key_tag>;

enum class link_end : uint8_t { bob = 0, alice = 1 };
std::string to_string(link_end);

key_id make_key_id(const link_id&, uint32_t session, link_end allocator, uint64_t counter);
uint32_t session_of(const key_id&);
link_end allocator_of(const key_id&);
uint64_t counter_of(const key_id&);
/// For hash tables: session and counter tell the keys of a link apart.
struct key_id_hash {
  size_t operator()(const key_id& id) const {
    return std::hash<uint64_t>{}(counter_of(id) ^ uint64_t{session_of(id)} << 40);
  }
};
/// True if `id` was made for `link`.
bool belongs_to(const key_id& id, const link_id& link);

} // namespace qnfv
