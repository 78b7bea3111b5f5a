#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace qnfv {

/// Where randomness comes from. Any thread.
class random_source {
public:
  virtual ~random_source() = default;
  virtual void fill(uint8_t* to, size_t n) = 0;

  uint64_t next();
  /// Uniform in [0, 1).
  double uniform();
  template <class Array>
  Array bytes_of() {
    Array out{};
    fill(out.data(), out.size());
    return out;
  }
};

/// The operating system's generator through OpenSSL.
std::shared_ptr<random_source> make_system_random();

/// Repeatable: for simulations and tests only, never for keys of a real lab.
std::shared_ptr<random_source> make_seeded_random(uint64_t seed);

} // namespace qnfv
