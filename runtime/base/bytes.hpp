#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

using bytes = std::vector<uint8_t>;

/// Bytes that somebody else owns.
class byte_view {
public:
  byte_view() = default;
  byte_view(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  byte_view(const bytes& x) : data_(x.data()), size_(x.size()) {}
  template <size_t N>
  byte_view(const std::array<uint8_t, N>& x) : data_(x.data()), size_(N) {}
  explicit byte_view(std::string_view x)
    : data_(reinterpret_cast<const uint8_t*>(x.data())), size_(x.size()) {}

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const uint8_t* begin() const { return data_; }
  const uint8_t* end() const { return data_ + size_; }
  uint8_t operator[](size_t i) const { return data_[i]; }
  /// The part [offset, offset + n), cut at the end of the view.
  byte_view part(size_t offset, size_t n = SIZE_MAX) const {
    offset = offset < size_ ? offset : size_;
    return {data_ + offset, n < size_ - offset ? n : size_ - offset};
  }

private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/// Lower-case hexadecimal digits.
std::string to_hex(byte_view);

/// Nothing if `text` is not an even number of hexadecimal digits.
std::optional<bytes> from_hex(std::string_view text);

/// Compares in a time that depends on the lengths only.
bool equal_constant_time(byte_view, byte_view);

void store_be32(uint8_t* to, uint32_t value);
void store_be64(uint8_t* to, uint64_t value);
uint32_t load_be32(const uint8_t* from);
uint64_t load_be64(const uint8_t* from);

} // namespace qnfv
