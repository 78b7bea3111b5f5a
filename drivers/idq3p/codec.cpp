#include "drivers/idq3p/codec.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace qnfv {

namespace {

constexpr uint8_t request_type = 0;
constexpr uint8_t response_type = 1;
constexpr size_t crc_bytes = 4;

void store_le32(uint8_t* to, uint32_t x) {
  for (int i = 0; i < 4; ++i)
    to[i] = static_cast<uint8_t>(x >> (8 * i));
}

uint32_t load_le32(const uint8_t* from) {
  return uint32_t{from[0]} | uint32_t{from[1]} << 8 | uint32_t{from[2]} << 16
         | uint32_t{from[3]} << 24;
}

constexpr std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> out{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t x = i << 24;
    for (int bit = 0; bit < 8; ++bit)
      x = x << 1 ^ ((x & 0x80000000u) != 0 ? 0x04C11DB7u : 0u);
    out[i] = x;
  }
  return out;
}

constexpr auto crc_table = make_crc_table();

template <class Datagram>
void store_head(uint8_t* to, uint8_t type, const Datagram& x) {
  to[0] = type;
  store_le32(to + 1, x.id.high);
  store_le32(to + 5, x.id.low);
  to[9] = x.key_bytes;
  store_le32(to + 10, x.request);
}

template <class Datagram>
void load_head(const uint8_t* from, Datagram& x) {
  x.id = {load_le32(from + 1), load_le32(from + 5)};
  x.key_bytes = from[9];
  x.request = load_le32(from + 10);
}

void store_crc(uint8_t* datagram, size_t size) {
  auto at = size - crc_bytes;
  store_be32(datagram + at, crc32_bzip2({datagram, at}));
}

bool good_crc(byte_view x) {
  auto at = x.size() - crc_bytes;
  return load_be32(x.data() + at) == crc32_bzip2(x.part(0, at));
}

bool good_device(uint8_t x) {
  return x >= 1 && x <= idq3p_devices_max;
}

} // namespace

std::string to_string(const idq3p_id& x) {
  std::array<uint8_t, 8> raw;
  store_be32(raw.data(), x.high);
  store_be32(raw.data() + 4, x.low);
  return to_hex(raw);
}

std::optional<idq3p_id> parse_idq3p_id(std::string_view text) {
  auto raw = from_hex(text);
  if (!raw || raw->size() != 8)
    return std::nullopt;
  idq3p_id out{load_be32(raw->data()), load_be32(raw->data() + 4)};
  return to_string(out) == text ? std::optional{out} : std::nullopt;
}

std::optional<idq3p_id> idq3p_id_of(const key_id& x) {
  auto counter = counter_of(x);
  if (counter >> 31 != 0)
    return std::nullopt;
  auto allocator = allocator_of(x) == link_end::alice ? 0x80000000u : 0u;
  return idq3p_id{session_of(x), allocator | static_cast<uint32_t>(counter)};
}

key_id key_id_of(const link_id& link, const idq3p_id& x) {
  auto allocator = (x.low & 0x80000000u) != 0 ? link_end::alice : link_end::bob;
  return make_key_id(link, x.high, allocator, x.low & 0x7fffffffu);
}

std::string to_string(idq3p_status x) {
  static const char* names[] = {"ok", "no more keys", "unknown key", "wrong key length",
                                "invalid request"};
  auto i = static_cast<size_t>(x);
  return i < std::size(names) ? names[i] : "?";
}

std::string to_string(idq3p_problem x) {
  static const char* names[] = {"none", "size", "type", "crc", "key length", "device", "status"};
  static_assert(std::size(names) == static_cast<size_t>(idq3p_problem::status) + 1,
                "name every problem");
  return names[static_cast<size_t>(x)];
}

std::array<uint8_t, idq3p_request_bytes> encode(const idq3p_request& x) {
  std::array<uint8_t, idq3p_request_bytes> out{};
  store_head(out.data(), request_type, x);
  out[14] = x.device;
  store_crc(out.data(), out.size());
  return out;
}

secret encode(const idq3p_response& x) {
  secret out{idq3p_response_bytes};
  auto* to = out.data();
  store_head(to, response_type, x);
  to[14] = static_cast<uint8_t>(x.status);
  auto n = std::min<size_t>({x.key.size(), x.key_bytes, idq3p_key_bytes_max});
  if (n > 0)
    std::memcpy(to + 15, x.key.view().data(), n);
  to[47] = x.device;
  store_crc(to, out.size());
  return out;
}

idq3p_problem decode(byte_view x, idq3p_request& out) {
  if (x.size() != idq3p_request_bytes)
    return idq3p_problem::size;
  if (x[0] != request_type)
    return idq3p_problem::type;
  load_head(x.data(), out);
  out.device = x[14];
  if (!good_crc(x))
    return idq3p_problem::crc;
  if (out.key_bytes == 0 || out.key_bytes > idq3p_key_bytes_max)
    return idq3p_problem::key_length;
  return good_device(out.device) ? idq3p_problem::none : idq3p_problem::device;
}

idq3p_problem decode(byte_view x, idq3p_response& out) {
  if (x.size() != idq3p_response_bytes)
    return idq3p_problem::size;
  if (x[0] != response_type)
    return idq3p_problem::type;
  if (!good_crc(x))
    return idq3p_problem::crc;
  if (x[14] > static_cast<uint8_t>(idq3p_status::invalid_request))
    return idq3p_problem::status;
  auto status = static_cast<idq3p_status>(x[14]);
  auto key_bytes = x[9];
  // A refusal may repeat the very length that it refuses.
  if (status == idq3p_status::ok && (key_bytes == 0 || key_bytes > idq3p_key_bytes_max))
    return idq3p_problem::key_length;
  if (status == idq3p_status::ok && !good_device(x[47]))
    return idq3p_problem::device;
  load_head(x.data(), out);
  out.status = status;
  out.device = x[47];
  out.key = status == idq3p_status::ok ? secret{x.part(15, key_bytes)} : secret{};
  return idq3p_problem::none;
}

bool answers(const idq3p_response& x, const idq3p_request& asked) {
  if (x.request != asked.request || x.device != asked.device)
    return false;
  if (!asked.id.is_new() && x.id != asked.id)
    return false;
  return x.status != idq3p_status::ok
         || (!x.id.is_new() && x.key_bytes == asked.key_bytes && x.key.size() == asked.key_bytes);
}

shown_bytes show_idq3p(byte_view x) {
  shown_bytes out{bytes(x.size(), masked_byte)};
  auto show = [&](size_t at, size_t n) { std::copy_n(x.data() + at, n, out.value.data() + at); };
  auto show_zeros = [&](size_t at, size_t n) {
    for (auto i = at; i < at + n; ++i)
      out.value[i] = x[i] == 0 ? 0 : masked_byte;
  };
  constexpr size_t status_at = 14; // Of a request: its device.
  if (x.size() == idq3p_request_bytes && x[0] == request_type) {
    show(0, status_at + 1);
    show_zeros(15, 10);
    show(25, crc_bytes);
  } else if (x.size() == idq3p_response_bytes && x[0] == response_type) {
    show(0, status_at + 1);
    show(47, 1);
    show_zeros(48, 10);
  }
  return out;
}

uint32_t crc32_bzip2(byte_view x) {
  uint32_t out = 0xFFFFFFFF;
  for (auto byte : x)
    out = out << 8 ^ crc_table[out >> 24 ^ byte];
  return ~out;
}

} // namespace qnfv
