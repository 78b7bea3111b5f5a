#include "actors/key_pool/quality_gate.hpp"

#include "runtime/crypto/sha256.hpp"

#include <openssl/hmac.h>

#include <array>
#include <cmath>
#include <cstdio>

namespace qnfv {

namespace {

constexpr size_t key_bytes = 32;
constexpr double limit = 6.5;
constexpr size_t whole_bytes_from = 2048;

/// How far `x` of `n` fair coins is from the middle.
double coin_score(uint64_t x, uint64_t n) {
  return (static_cast<double>(x) - static_cast<double>(n) / 2) / std::sqrt(static_cast<double>(n) / 4);
}

/// Wilson and Hilferty's approximation: chi-square with `k` degrees of freedom as a standard score.
double chi_square_score(double x, double k) {
  auto spread = 2 / (9 * k);
  return (std::cbrt(x / k) - (1 - spread)) / std::sqrt(spread);
}

template <size_t N>
double evenness_score(const std::array<uint32_t, N>& counts, uint64_t samples) {
  auto expected = static_cast<double>(samples) / N;
  double x = 0;
  for (auto n : counts)
    x += (n - expected) * (n - expected) / expected;
  return chi_square_score(x, N - 1);
}

double value_score(byte_view bits) {
  if (bits.size() >= whole_bytes_from) {
    std::array<uint32_t, 256> counts{};
    for (auto x : bits)
      ++counts[x];
    return evenness_score(counts, bits.size());
  }
  std::array<uint32_t, 16> counts{};
  for (auto x : bits) {
    ++counts[x >> 4];
    ++counts[x & 15];
  }
  return evenness_score(counts, 2 * bits.size());
}

int ones_in(unsigned x) {
  return __builtin_popcount(x);
}

status check(const char* what, double score) {
  if (std::abs(score) <= limit)
    return done{};
  char text[96];
  std::snprintf(text, sizeof text, "these bits are not random: %s, standard score %.1f", what, score);
  return {ec::device_failed, text};
}

} // namespace

uint64_t quality_gate::digest(byte_view key) const {
  uint8_t out[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  HMAC(EVP_sha256(), digest_key_.view().data(), static_cast<int>(digest_key_.size()), key.data(),
       key.size(), out, &n);
  return load_be64(out);
}

result<quality_gate::digests> quality_gate::judge(const secret& material) const {
  auto bits = material.view();
  uint64_t ones = 0, changes = 0;
  for (size_t i = 0; i < bits.size(); ++i) {
    ones += static_cast<uint64_t>(ones_in(bits[i]));
    changes += static_cast<uint64_t>(ones_in((bits[i] ^ (bits[i] >> 1)) & 0x7fu));
    if (i > 0)
      changes += ((bits[i - 1] & 1u) != (bits[i] >> 7u)) ? 1u : 0u;
  }
  auto n = 8 * bits.size();
  if (auto ok = check("share of ones", coin_score(ones, n)); !ok)
    return ok.error();
  if (auto ok = check("share of changes", coin_score(changes, n - 1)); !ok)
    return ok.error();
  if (auto ok = check("spread of values", value_score(bits)); !ok)
    return ok.error();
  digests out;
  std::unordered_set<uint64_t> own;
  for (size_t at = 0; at < bits.size(); at += key_bytes) {
    auto x = digest(bits.part(at, key_bytes));
    if (known_.count(x) > 0 || !own.insert(x).second)
      return {ec::device_failed, "key " + std::to_string(at / key_bytes)
                                   + " of the block was delivered before"};
    out.push_back(x);
  }
  return out;
}

void quality_gate::remember(const digests& block) {
  for (auto x : block) {
    if (known_.insert(x).second)
      order_.push_back(x);
    if (order_.size() > keys_remembered_) {
      known_.erase(order_.front());
      order_.pop_front();
    }
  }
}

} // namespace qnfv
