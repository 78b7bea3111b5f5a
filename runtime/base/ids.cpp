#include "runtime/base/ids.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace qnfv {

bool valid_name(std::string_view x) {
  if (x.empty() || x.size() > 64 || !std::isalnum(static_cast<unsigned char>(x[0])))
    return false;
  for (unsigned char c : x)
    if (!std::isalnum(c) && c != '.' && c != '_' && c != '-')
      return false;
  return true;
}

std::string uuid_text(const std::array<uint8_t, 16>& x) {
  auto hex = to_hex(x);
  for (size_t at : {8, 13, 18, 23})
    hex.insert(at, 1, '-');
  return hex;
}

std::optional<std::array<uint8_t, 16>> parse_uuid(std::string_view text) {
  if (text.size() != 36)
    return std::nullopt;
  std::string hex;
  for (size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-'))
      return std::nullopt;
    if (!dash)
      hex += text[i];
  }
  auto raw = from_hex(hex);
  if (!raw)
    return std::nullopt;
  std::array<uint8_t, 16> out;
  std::memcpy(out.data(), raw->data(), 16);
  return out;
}

std::string to_string(link_end x) {
  return x == link_end::bob ? "bob" : "alice";
}

namespace {

/// Ids are made by the thousand for one link: its digest is remembered.
const std::array<uint8_t, 4>& link_prefix(const link_id& link) {
  thread_local std::string last;
  thread_local std::array<uint8_t, 4> prefix = {0xe3, 0xb0, 0xc4, 0x42}; // Of the empty name.
  if (link.value != last) {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const uint8_t*>(link.value.data()), link.value.size(), digest);
    std::copy_n(digest, prefix.size(), prefix.begin());
    last = link.value;
  }
  return prefix;
}

} // namespace

key_id make_key_id(const link_id& link, uint32_t session, link_end allocator, uint64_t counter) {
  key_id out;
  auto prefix = link_prefix(link);
  std::memcpy(out.value.data(), prefix.data(), prefix.size());
  store_be32(out.value.data() + 4, session);
  store_be64(out.value.data() + 8, counter);
  out.value[8] = static_cast<uint8_t>(allocator);
  return out;
}

uint32_t session_of(const key_id& id) {
  return load_be32(id.value.data() + 4);
}

link_end allocator_of(const key_id& id) {
  return id.value[8] == 0 ? link_end::bob : link_end::alice;
}

uint64_t counter_of(const key_id& id) {
  return load_be64(id.value.data() + 8) & 0x00ffffffffffffffull;
}

bool belongs_to(const key_id& id, const link_id& link) {
  auto prefix = link_prefix(link);
  return std::memcmp(id.value.data(), prefix.data(), prefix.size()) == 0;
}

} // namespace qnfv
