#include "runtime/base/bytes.hpp"

namespace qnfv {

std::string to_hex(byte_view x) {
  static const char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * x.size());
  for (auto b : x) {
    out += digits[b >> 4];
    out += digits[b & 15];
  }
  return out;
}

namespace {

int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

} // namespace

std::optional<bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0)
    return std::nullopt;
  bytes out;
  out.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    auto high = digit(text[i]);
    auto low = digit(text[i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    out.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return out;
}

bool equal_constant_time(byte_view a, byte_view b) {
  if (a.size() != b.size())
    return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference = difference | (a[i] ^ b[i]);
  return difference == 0;
}

void store_be32(uint8_t* to, uint32_t value) {
  for (int i = 3; i >= 0; --i, value >>= 8)
    to[i] = static_cast<uint8_t>(value);
}

void store_be64(uint8_t* to, uint64_t value) {
  for (int i = 7; i >= 0; --i, value >>= 8)
    to[i] = static_cast<uint8_t>(value);
}

uint32_t load_be32(const uint8_t* from) {
  uint32_t out = 0;
  for (int i = 0; i < 4; ++i)
    out = out << 8 | from[i];
  return out;
}

uint64_t load_be64(const uint8_t* from) {
  uint64_t out = 0;
  for (int i = 0; i < 8; ++i)
    out = out << 8 | from[i];
  return out;
}

} // namespace qnfv
