#include "runtime/storage/sparse_bytes.hpp"

#include <algorithm>
#include <cstring>

namespace qnfv {

namespace {
bool is_zero(byte_view x) {
  // Each byte is like the one before it.
  return x.empty() || (*x.begin() == 0 && std::memcmp(x.data(), x.data() + 1, x.size() - 1) == 0);
}
} // namespace

sparse_bytes::page& sparse_bytes::page_to_write(size_t number) {
  auto& x = pages_[number];
  if (!x)
    x = std::make_shared<page>();
  else if (x.use_count() > 1)
    x = std::make_shared<page>(*x);
  return *x;
}

void sparse_bytes::grow(size_t size) {
  size_ = std::max(size_, size);
  pages_.resize((size_ + page_bytes - 1) / page_bytes);
}

size_t sparse_bytes::read(size_t offset, uint8_t* to, size_t n) const {
  n = offset < size_ ? std::min(n, size_ - offset) : 0;
  for (size_t done = 0; done < n;) {
    auto at = (offset + done) % page_bytes;
    auto part = std::min(page_bytes - at, n - done);
    if (auto& x = pages_[(offset + done) / page_bytes])
      std::memcpy(to + done, x->data() + at, part);
    else
      std::memset(to + done, 0, part);
    done += part;
  }
  return n;
}

void sparse_bytes::write(size_t offset, byte_view x) {
  grow(offset + x.size());
  while (!x.empty()) {
    auto at = offset % page_bytes;
    auto part = x.part(0, page_bytes - at);
    if (pages_[offset / page_bytes] || !is_zero(part))
      std::memcpy(page_to_write(offset / page_bytes).data() + at, part.data(), part.size());
    offset += part.size();
    x = x.part(part.size());
  }
}

void sparse_bytes::copy(const sparse_bytes& from, size_t offset, size_t n) {
  grow(offset + n);
  while (n > 0) {
    auto number = offset / page_bytes;
    auto at = offset % page_bytes;
    auto part = std::min(page_bytes - at, n);
    auto& theirs = from.pages_[number];
    if (part == page_bytes)
      pages_[number] = theirs;
    else if (theirs)
      std::memcpy(page_to_write(number).data() + at, theirs->data() + at, part);
    else if (pages_[number])
      std::memset(page_to_write(number).data() + at, 0, part);
    offset += part;
    n -= part;
  }
}

bytes sparse_bytes::all() const {
  bytes out(size_);
  read(0, out.data(), out.size());
  return out;
}

} // namespace qnfv
