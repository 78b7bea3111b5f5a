#include "actors/key_pool/quality_gate.hpp"
#include "runtime/system/random.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>

using namespace qnfv;

namespace {

quality_gate gate(size_t remembered = 1u << 16) {
  return quality_gate{secret{bytes(32, 9)}, remembered};
}

bytes random_bytes(random_source& random, size_t n) {
  bytes out(n);
  random.fill(out.data(), out.size());
  return out;
}

/// Judges a good block and remembers it.
void take(quality_gate& g, const bytes& block) {
  auto judged = g.judge(secret{block});
  REQUIRE(judged);
  g.remember(*judged);
}

std::string refused(const bytes& x) {
  auto ok = gate().judge(secret{x});
  REQUIRE_FALSE(ok);
  CHECK(ok.error().code == ec::device_failed);
  return ok.error().text;
}

} // namespace

TEST_CASE("random blocks of every size pass") {
  auto random = make_seeded_random(5);
  auto g = gate();
  for (size_t keys : {3, 4, 8, 16, 63, 64, 65, 397, 2372})
    for (size_t round = 0; round < 200000 / (keys + 100); ++round) {
      auto ok = g.judge(secret{random_bytes(*random, 32 * keys)});
      INFO(keys << " keys: " << (ok ? "" : ok.error().text));
      REQUIRE(ok);
    }
}

TEST_CASE("what is visibly not random is refused, and the text says why") {
  auto random = make_seeded_random(6);
  for (size_t n : {96, 2048, 64000}) {
    CHECK(refused(bytes(n, 0)).find("ones") != std::string::npos);
    CHECK(refused(bytes(n, 0x55)).find("changes") != std::string::npos);
    CHECK(refused(bytes(n, 0xcc)).find("values") != std::string::npos);
  }
  bytes counter(4096);
  for (size_t i = 0; i < counter.size(); ++i)
    counter[i] = static_cast<uint8_t>(i);
  CHECK(refused(counter).find("values") != std::string::npos); // Too even.
  // A detector that clicks a little too often on one side.
  auto biased = random_bytes(*random, 64000);
  for (size_t i = 0; i < biased.size(); i += 16)
    biased[i] |= 0x0f;
  CHECK(refused(biased).find("ones") != std::string::npos);
  auto text = random_bytes(*random, 4096);
  for (auto& x : text)
    x = static_cast<uint8_t>("0123456789abcdef"[x % 16]);
  CHECK_FALSE(gate().judge(secret{text}));
}

TEST_CASE("keys that were delivered before are refused") {
  auto random = make_seeded_random(7);
  auto block = random_bytes(*random, 320);
  auto g = gate();
  REQUIRE(g.judge(secret{block}));
  CHECK(g.judge(secret{block})); // Judging alone remembers nothing.
  take(g, block);
  auto again = g.judge(secret{block});
  REQUIRE_FALSE(again);
  CHECK(again.error().text == "key 0 of the block was delivered before");
  // One of them among new ones.
  auto other = random_bytes(*random, 320);
  std::copy_n(block.begin() + 64, 32, other.begin() + 96);
  CHECK(g.judge(secret{other}).error().text == "key 3 of the block was delivered before");
  // The same key twice in one block.
  auto twice = random_bytes(*random, 320);
  std::copy_n(twice.begin(), 32, twice.begin() + 288);
  CHECK(gate().judge(secret{twice}).error().text == "key 9 of the block was delivered before");
}

TEST_CASE("its memory is bounded") {
  auto random = make_seeded_random(8);
  auto g = gate(15);
  auto first = random_bytes(*random, 320);
  take(g, first);
  take(g, random_bytes(*random, 160));
  CHECK_FALSE(g.judge(secret{first}));
  take(g, random_bytes(*random, 320));
  CHECK(g.judge(secret{first}));
}
