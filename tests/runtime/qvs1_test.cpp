// Vectors: QVS1's reference vectors were made with another implementation (Python "cryptography");
// the others are of RFC 5869, RFC 8439, FIPS 180-4, and the paper's own relay example.

#include "runtime/crypto/hkdf.hpp"
#include "runtime/crypto/one_time.hpp"
#include "runtime/crypto/qvs1.hpp"
#include "runtime/crypto/sha256.hpp"

#include <catch2/catch.hpp>

#include <numeric>

using namespace qnfv;

namespace {

qvs1::header reference_header(uint64_t size) {
  qvs1::header h;
  h.segment_log2 = 12;
  h.key.value = *parse_uuid("550e8400-e29b-41d4-a716-446655440000");
  std::iota(h.salt.begin(), h.salt.end(), uint8_t{0xa0});
  std::iota(h.stream.value.begin(), h.stream.value.end(), uint8_t{0x10});
  h.plaintext_bytes = size;
  return h;
}

secret reference_key() {
  bytes raw(32);
  std::iota(raw.begin(), raw.end(), uint8_t{0});
  return secret{raw};
}

bytes seal_all(const qvs1::cipher& c, byte_view plain) {
  auto raw = c.raw_header();
  bytes out(raw.begin(), raw.end());
  auto frames = qvs1::frame_count(plain.size(), c.head().segment_log2);
  for (uint64_t i = 0; i < frames; ++i) {
    auto frame = c.seal_frame(i, i + 1 == frames,
                              plain.part(i * c.head().segment_bytes(), c.head().segment_bytes()));
    REQUIRE(frame);
    out.insert(out.end(), frame->begin(), frame->end());
  }
  return out;
}

std::string hex_of(const sha256_digest& x) {
  return to_hex(x);
}

} // namespace

TEST_CASE("QVS1 seals the reference's short stream byte for byte") {
  std::string text = "hello qnfv";
  auto c = qvs1::cipher::seal(reference_key(), reference_header(text.size()));
  REQUIRE(c);
  auto raw = c->raw_header();
  CHECK(to_hex(byte_view{raw}.part(0, 64))
        == "51565331010c0000550e8400e29b41d4a716446655440000"
           "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf000000000000000a"
           "101112131415161718191a1b1c1d1e1f");
  CHECK(to_hex(c->derived_key()) == "92d532f91c7ba7a85cc6030ffb41827f0583bb4d5669da0314499da0513219ba");
  CHECK(to_hex(c->nonce_prefix()) == "471778fd760687");
  CHECK(to_hex(c->commitment()) == "09d6a97ffa297ca38ec8afd4409fddc94504a8fe0b49dad72d48c1d2092fd9eb");
  auto all = seal_all(*c, byte_view{std::string_view{text}});
  CHECK(to_hex(byte_view{all}.part(96)) == "92419d968d042e31f5351c721e3de31738a489e9c40e0f0342f8");
  CHECK(all.size() == 122);
  CHECK(qvs1::stream_bytes(text.size(), 12) == 122);
  CHECK(hex_of(sha256::of(all)) == "11033481ee12265b3e9bf237605d4ec5540bbca9f054911557335236325eb51a");
}

TEST_CASE("QVS1 seals the reference's stream of two frames byte for byte") {
  bytes plain(5000);
  for (size_t i = 0; i < plain.size(); ++i)
    plain[i] = static_cast<uint8_t>(i % 251);
  auto c = qvs1::cipher::seal(reference_key(), reference_header(plain.size()));
  auto all = seal_all(*c, plain);
  CHECK(all.size() == 5128);
  CHECK(hex_of(sha256::of(all)) == "ef8a2edaeac32b0f1b7a85c1858d572146d4d262a64121cb0c45e585d26db044");
}

TEST_CASE("QVS1 seals the reference's empty stream byte for byte") {
  auto c = qvs1::cipher::seal(reference_key(), reference_header(0));
  CHECK(to_hex(c->derived_key()) == "d3df367d063525676ac688c4dbbb2552e3a7e2bfae63b90d39b68a52ee876cb8");
  CHECK(to_hex(c->nonce_prefix()) == "c9957270e66dd7");
  CHECK(to_hex(c->commitment()) == "665a31281d72e9081f9c546105c193580203b425768266adc5d872354e52adeb");
  auto all = seal_all(*c, {});
  CHECK(to_hex(byte_view{all}.part(96)) == "48afaa3356a8e8a93209c8f947baf9fd");
  CHECK(hex_of(sha256::of(all)) == "fd608f847a630df1e46f840f44d045ab57967b15e3edd18ba9dc65e877a0d516");
}

TEST_CASE("what QVS1 seals it opens, and nothing else") {
  bytes plain(9000, 7);
  auto sealing = qvs1::cipher::seal(reference_key(), reference_header(plain.size()));
  auto all = seal_all(*sealing, plain);
  auto c = qvs1::cipher::open(reference_key(), byte_view{all}.part(0, 96));
  REQUIRE(c);
  CHECK(c->head().plaintext_bytes == 9000);
  auto frame = byte_view{all}.part(96, 4112);
  CHECK(*c->open_frame(0, false, frame) == bytes(4096, 7));
  // Another place, another end mark, a flipped bit anywhere: each is refused.
  CHECK_FALSE(c->open_frame(1, false, frame));
  CHECK_FALSE(c->open_frame(0, true, frame));
  for (size_t at : {size_t{0}, size_t{2000}, size_t{4095}, size_t{4096}, size_t{4111}}) {
    bytes bad(frame.begin(), frame.end());
    bad[at] ^= 1;
    auto opened = c->open_frame(0, false, bad);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ec::stream_corrupt);
  }
  for (size_t n : {0, 1, 15, 16, 4111})
    CHECK_FALSE(c->open_frame(0, false, frame.part(0, n)));
}

TEST_CASE("QVS1 refuses a header of which any bit changed") {
  auto c = qvs1::cipher::seal(reference_key(), reference_header(10));
  auto raw = c->raw_header();
  for (size_t bit = 0; bit < 8 * raw.size(); ++bit) {
    auto bad = raw;
    bad[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    CHECK_FALSE(qvs1::cipher::open(reference_key(), bad));
  }
  for (size_t n = 0; n < raw.size(); ++n)
    CHECK_FALSE(qvs1::cipher::open(reference_key(), byte_view{raw}.part(0, n)));
  CHECK_FALSE(qvs1::cipher::open(secret{bytes(32, 1)}, raw));
  CHECK_FALSE(qvs1::cipher::open(secret{bytes(31, 1)}, raw));
}

TEST_CASE("QVS1 refuses to seal what could not be opened") {
  auto c = qvs1::cipher::seal(reference_key(), reference_header(10));
  CHECK_FALSE(c->seal_frame(0, false, bytes(10)));       // Not full and not last.
  CHECK_FALSE(c->seal_frame(0, true, bytes(5000)));      // Too large.
  CHECK_FALSE(c->seal_frame(1, true, bytes{}));          // An empty frame after the first.
  CHECK_FALSE(c->seal_frame(UINT32_MAX, true, bytes(1))); // Too many frames.
  auto h = reference_header(10);
  h.segment_log2 = 25;
  CHECK_FALSE(qvs1::cipher::seal(reference_key(), h));
}

TEST_CASE("HKDF-SHA256 gives RFC 5869's first test case") {
  auto salt = *from_hex("000102030405060708090a0b0c");
  auto info = *from_hex("f0f1f2f3f4f5f6f7f8f9");
  CHECK(to_hex(hkdf_sha256(bytes(22, 0x0b), salt, info, 42).view())
        == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  CHECK(to_hex(hkdf_sha256(bytes(22, 0x0b), {}, {}, 42).view())
        == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("the one-time MAC gives RFC 8439's Poly1305 vector") {
  auto key = *from_hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
  std::string text = "Cryptographic Forum Research Group";
  auto tag = one_time_mac(key, byte_view{std::string_view{text}});
  REQUIRE(tag);
  CHECK(to_hex(*tag) == "a8061dc1305136c6c22b8baf0c0127a9");
  CHECK_FALSE(one_time_mac(bytes(31), {}));
}

TEST_CASE("the paper's relay example: key1 XOR enc = key2") {
  auto key1 = *from_hex("063c394625fb316d899e849265ca04b25fbd3eaf12cf51a48871f9c7a548ae40");
  auto enc = *from_hex("07098e88af3dcc5f0c558d0b751028553031c6e613146196ae7b11cb4cb43bc9");
  auto key2 = one_time_pad(key1, enc);
  REQUIRE(key2);
  CHECK(to_hex(*key2) == "0135b7ce8ac6fd3285cb099910da2ce76f8cf84901db3032260ae80ce9fc9589");
  CHECK_FALSE(one_time_pad(bytes(31), bytes(32)));
}

TEST_CASE("SHA-256 gives FIPS 180-4's vector, in one piece and in several") {
  std::string abc = "abc";
  auto expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(hex_of(sha256::of(byte_view{std::string_view{abc}})) == expected);
  sha256 h;
  h.update(byte_view{std::string_view{"a"}});
  sha256 copy{h};
  h.update(byte_view{std::string_view{"bc"}});
  CHECK(hex_of(h.finish()) == expected);
  copy.update(byte_view{std::string_view{"bc"}});
  CHECK(hex_of(copy.finish()) == expected);
}
