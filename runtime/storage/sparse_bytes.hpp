#pragma once

#include "runtime/base/bytes.hpp"

#include <array>
#include <memory>
#include <vector>

namespace qnfv {

/// The content of a file in memory. Pages of zeros take none, as those that a file system never wrote.
class sparse_bytes {
public:
  sparse_bytes() = default;
  explicit sparse_bytes(byte_view all) { write(0, all); }

  size_t size() const { return size_; }
  /// New bytes are zero.
  void grow(size_t size);
  /// At most `n`, fewer behind the end; returns how many.
  size_t read(size_t offset, uint8_t* to, size_t n) const;
  void write(size_t offset, byte_view);
  /// Takes `n` bytes at `offset` over from another content, which has them.
  void copy(const sparse_bytes& from, size_t offset, size_t n);
  bytes all() const;

private:
  static constexpr size_t page_bytes = 4096;
  using page = std::array<uint8_t, page_bytes>;

  size_t size_ = 0;
  std::vector<std::shared_ptr<page>> pages_; ///< Null: zeros. Several contents may share one.

  page& page_to_write(size_t number);
};

} // namespace qnfv
