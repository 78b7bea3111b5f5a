#include "runtime/base/base64.hpp"

#include <array>

namespace qnfv {

namespace {

constexpr std::string_view alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> make_values() {
  std::array<int8_t, 256> out{};
  for (auto& x : out)
    x = -1;
  for (size_t i = 0; i < alphabet.size(); ++i)
    out[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  return out;
}

constexpr auto values = make_values();

} // namespace

secret to_base64(byte_view x) {
  secret out{base64_size(x.size())};
  write_base64(x, out.data());
  return out;
}

void write_base64(byte_view x, uint8_t* to) {
  for (size_t i = 0; i < x.size(); i += 3) {
    auto n = x.size() - i;
    uint32_t bits = uint32_t{x[i]} << 16;
    if (n > 1)
      bits |= uint32_t{x[i + 1]} << 8;
    if (n > 2)
      bits |= x[i + 2];
    *to++ = static_cast<uint8_t>(alphabet[bits >> 18]);
    *to++ = static_cast<uint8_t>(alphabet[bits >> 12 & 63]);
    *to++ = n > 1 ? static_cast<uint8_t>(alphabet[bits >> 6 & 63]) : uint8_t{'='};
    *to++ = n > 2 ? static_cast<uint8_t>(alphabet[bits & 63]) : uint8_t{'='};
  }
}

std::optional<secret> from_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
    ++padding;
  secret out{text.size() / 4 * 3 - padding};
  size_t at = 0;
  for (size_t i = 0; i < text.size(); i += 4) {
    auto last = i + 4 == text.size();
    uint32_t bits = 0;
    for (size_t k = 0; k < 4; ++k) {
      auto padded = last && k >= 4 - padding;
      auto value = values[static_cast<uint8_t>(text[i + k])];
      if (!padded && value < 0)
        return std::nullopt;
      bits = bits << 6 | (padded ? 0u : static_cast<uint32_t>(value));
    }
    size_t n = last ? 3 - padding : 3;
    for (size_t k = 0; k < n; ++k)
      out.data()[at++] = static_cast<uint8_t>(bits >> (16 - 8 * k));
    if ((bits & ((1u << (8 * (3 - n))) - 1)) != 0)
      return std::nullopt; // Bits that no byte takes up: a second spelling of the same.
  }
  return out;
}

} // namespace qnfv
