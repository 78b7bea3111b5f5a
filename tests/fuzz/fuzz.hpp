#pragma once

// What every fuzzer is made of. libFuzzer hands it any bytes; it stops at the first input for which
// a sanitizer or hold() objects, and keeps that input.

#include "runtime/base/bytes.hpp"

#include <sanitizer/allocator_interface.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unordered_map>
#include <utility>

#define QNFV_FUZZER(data, size) extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)

namespace qnfv::fuzz {

/// `what` is a sentence that is true of every input.
inline void hold(bool yes, const char* what) {
  if (yes)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The input in parts that it chooses itself.
class parts {
public:
  parts(const uint8_t* data, size_t size) : rest_(data, size) {}
  /// 0 at the end.
  uint8_t byte() {
    auto out = rest_.empty() ? uint8_t{0} : rest_[0];
    rest_ = rest_.part(1);
    return out;
  }
  byte_view take(size_t n) {
    auto out = rest_.part(0, n);
    rest_ = rest_.part(n);
    return out;
  }
  std::string_view line() {
    auto text = text_of(rest_.data(), rest_.size());
    auto end = text.find('\n');
    auto out = text.substr(0, end);
    rest_ = rest_.part(end == std::string_view::npos ? text.size() : end + 1);
    return out;
  }
  byte_view rest() const { return rest_; }
  std::string_view rest_text() const { return text_of(rest_.data(), rest_.size()); }

private:
  byte_view rest_;
};

// -- memory
struct allocation {
  /// On the thread that works only: libFuzzer has one more, whose allocations are none of ours.
  static inline thread_local bool counting = false;
  static inline size_t now = 0, peak = 0;
  /// A sanitizer does not tell the size of what is being freed.
  static inline std::unordered_map<const volatile void*, size_t> sizes;

  static void taken(const volatile void* p, size_t n) {
    if (!std::exchange(counting, false))
      return;
    sizes[p] = n;
    now += n;
    peak = std::max(now, peak);
    counting = true;
  }
  static void given_back(const volatile void* p) {
    if (!std::exchange(counting, false))
      return;
    if (auto i = sizes.find(p); i != sizes.end()) {
      now -= i->second;
      sizes.erase(i);
    }
    counting = true;
  }

  static inline const int hooked = __sanitizer_install_malloc_and_free_hooks(taken, given_back);
};

/// What a parser may allocate at a time: per byte of its input, and always (I39).
struct allowance {
  size_t per_byte;
  size_t always;
};
constexpr allowance of_bytes{4, 64u << 10};
/// RapidJSON takes 64 KiB at a time, and 16 bytes for a value of two.
constexpr allowance of_json{64, 256u << 10};

/// Does `work`, in memory that the input deserves.
template <class Work>
auto bounded(size_t input_bytes, allowance allowed, Work work) {
  hold(allocation::hooked != 0, "allocations can be counted");
  allocation::now = allocation::peak = 0;
  allocation::sizes.clear();
  allocation::counting = true;
  auto out = work();
  allocation::counting = false;
  auto limit = allowed.per_byte * input_bytes + allowed.always;
  if (allocation::peak > limit)
    std::fprintf(stderr, "%zu bytes for an input of %zu\n", allocation::peak, input_bytes);
  hold(allocation::peak <= limit, "a parser allocates in proportion to its input");
  return out;
}

} // namespace qnfv::fuzz
