#pragma once

#include <cstdint>
#include <cstring>

namespace qnfv {

/// Sixteen characters that are looked at together: texts hardly ever hold what must be escaped.
class sixteen {
public:
  static constexpr size_t size = 16;

  explicit sixteen(const char* from) { std::memcpy(&x_, from, size); }
  void write(char* to) const { std::memcpy(to, &x_, size); }

  template <class... Cs>
  bool has_any_of(Cs... cs) const {
    return any(((x_ == all(cs)) | ...));
  }
  bool has_control() const { return any(x_ < all(0x20)); }

private:
  using vector = uint8_t __attribute__((vector_size(size)));
  static vector all(char c) { return vector{} + static_cast<uint8_t>(c); }
  template <class Mask>
  static bool any(Mask x) {
    uint64_t words[2];
    std::memcpy(words, &x, size);
    return (words[0] | words[1]) != 0;
  }

  vector x_;
};

} // namespace qnfv
