#include "runtime/system/random.hpp"

#include <openssl/rand.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>

namespace qnfv {

uint64_t random_source::next() {
  uint64_t out;
  fill(reinterpret_cast<uint8_t*>(&out), sizeof out);
  return out;
}

double random_source::uniform() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

namespace {

class system_random : public random_source {
public:
  void fill(uint8_t* to, size_t n) override {
    // No entropy: nothing that follows could be trusted.
    if (RAND_bytes(to, static_cast<int>(n)) != 1)
      std::abort();
  }
};

class seeded_random : public random_source {
public:
  explicit seeded_random(uint64_t seed) : engine_(seed) {}
  void fill(uint8_t* to, size_t n) override {
    std::lock_guard<std::mutex> guard{mutex_};
    for (size_t i = 0; i < n; i += 8) {
      auto word = engine_();
      std::memcpy(to + i, &word, n - i < 8 ? n - i : 8);
    }
  }

private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

} // namespace

std::shared_ptr<random_source> make_system_random() {
  return std::make_shared<system_random>();
}

std::shared_ptr<random_source> make_seeded_random(uint64_t seed) {
  return std::make_shared<seeded_random>(seed);
}

} // namespace qnfv
