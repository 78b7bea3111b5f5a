// The datagrams of IDQ3P, with vectors: a response captured from a device, and three that were
// computed by an independent implementation around Key1 of the paper's capture (Fig. 12).

#include "drivers/idq3p/codec.hpp"
#include "runtime/system/random.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace qnfv;

namespace {

const char* key1 = "063c394625fb316d899e849265ca04b25fbd3eaf12cf51a48871f9c7a548ae40";
const std::string zeros20(20, '0');

const std::string new_key_request = "000000000000000000200100000001" + zeros20 + "34e11920";
const std::string peer_request = "000100000007000000200200000001" + zeros20 + "8d921591";
const std::string key_response = "0101000000070000002001000000"
                                 "00"
                                 + std::string{key1} + "01" + zeros20 + "47a0a4d8";
const std::string captured_refusal = "0100000000000000002002000000"
                                     "04"
                                     + std::string(64, '0') + "01" + zeros20 + "0f29d223";

bytes raw(const std::string& hex) {
  auto x = from_hex(hex);
  REQUIRE(x);
  return *x;
}

/// The datagram with one byte changed and a CRC that fits again.
bytes changed(const std::string& hex, size_t at, uint8_t value) {
  auto x = raw(hex);
  x[at] = value;
  store_be32(x.data() + x.size() - 4, crc32_bzip2({x.data(), x.size() - 4}));
  return x;
}

/// The datagram with some bits of one byte damaged.
bytes flipped(const std::string& hex, size_t at) {
  auto x = raw(hex);
  x[at] ^= 0xa5;
  return x;
}

idq3p_problem problem_of_request(const bytes& x) {
  idq3p_request ignored;
  return decode(x, ignored);
}

idq3p_problem problem_of_response(const bytes& x) {
  idq3p_response ignored;
  return decode(x, ignored);
}

} // namespace

TEST_CASE("the CRC is CRC-32/BZIP2, not zlib's") {
  CHECK(crc32_bzip2(byte_view{std::string_view{"123456789"}}) == 0xFC891918);
  CHECK(crc32_bzip2({}) == 0);
}

TEST_CASE("the request for a new key") {
  idq3p_request x;
  x.request = 1;
  CHECK(to_hex(encode(x)) == new_key_request);
  idq3p_request y;
  CHECK(decode(raw(new_key_request), y) == idq3p_problem::none);
  CHECK(y == x);
  CHECK(y.id.is_new());
}

TEST_CASE("the peer's request for the same key") {
  idq3p_request x;
  x.id = {1, 7};
  x.request = 2;
  CHECK(to_hex(encode(x)) == peer_request);
  idq3p_request y;
  CHECK(decode(raw(peer_request), y) == idq3p_problem::none);
  CHECK(y == x);
}

TEST_CASE("the response with a key") {
  idq3p_response x;
  CHECK(decode(raw(key_response), x) == idq3p_problem::none);
  CHECK(x.id == idq3p_id{1, 7});
  CHECK(x.request == 1);
  CHECK(x.status == idq3p_status::ok);
  CHECK(x.device == 1);
  CHECK(to_hex(x.key.view()) == key1);
  CHECK(to_hex(encode(x).view()) == key_response);
}

TEST_CASE("a refusal captured from a device") {
  idq3p_response x;
  CHECK(decode(raw(captured_refusal), x) == idq3p_problem::none);
  CHECK(x.status == idq3p_status::invalid_request);
  CHECK(x.request == 2);
  CHECK(x.id.is_new());
  CHECK(x.key.empty());
  CHECK(to_hex(encode(x).view()) == captured_refusal);
}

TEST_CASE("a short key stands at the front, and nothing of its rest is sent") {
  idq3p_response x;
  x.id = {1, 1};
  x.key_bytes = 16;
  x.key = secret{raw(key1)};
  auto datagram = encode(x);
  CHECK(to_hex(datagram.view().part(15, 32))
        == std::string{key1}.substr(0, 32) + std::string(32, '0'));
  idq3p_response y;
  CHECK(decode(datagram.view(), y) == idq3p_problem::none);
  CHECK(to_hex(y.key.view()) == std::string{key1}.substr(0, 32));
}

TEST_CASE("what is no request says why") {
  for (size_t n : {0, 1, 28, 30, 62})
    CHECK(problem_of_request(bytes(n)) == idq3p_problem::size);
  CHECK(problem_of_request(changed(peer_request, 0, 1)) == idq3p_problem::type);
  CHECK(problem_of_request(changed(peer_request, 0, 2)) == idq3p_problem::type);
  for (size_t at = 1; at < 29; ++at)
    CHECK(problem_of_request(flipped(peer_request, at)) == idq3p_problem::crc);
  for (int length : {0, 33, 255})
    CHECK(problem_of_request(changed(peer_request, 9, uint8_t(length)))
          == idq3p_problem::key_length);
  for (int length : {1, 16, 32})
    CHECK(problem_of_request(changed(peer_request, 9, uint8_t(length))) == idq3p_problem::none);
  for (int device : {0, 13, 255})
    CHECK(problem_of_request(changed(peer_request, 14, uint8_t(device))) == idq3p_problem::device);
  CHECK(problem_of_request(changed(peer_request, 14, 12)) == idq3p_problem::none);
  CHECK(problem_of_request(changed(peer_request, 20, 1)) == idq3p_problem::none); // reserved
}

TEST_CASE("a damaged request can still be told what it asked") {
  idq3p_request x;
  CHECK(decode(changed(peer_request, 9, 33), x) == idq3p_problem::key_length);
  CHECK(x.request == 2);
  CHECK(x.key_bytes == 33);
  CHECK(x.id == idq3p_id{1, 7});
}

TEST_CASE("what is no response says why") {
  for (size_t n : {0, 29, 61, 63})
    CHECK(problem_of_response(bytes(n)) == idq3p_problem::size);
  CHECK(problem_of_response(changed(key_response, 0, 0)) == idq3p_problem::type);
  for (size_t at = 1; at < 62; ++at)
    CHECK(problem_of_response(flipped(key_response, at)) == idq3p_problem::crc);
  CHECK(problem_of_response(changed(key_response, 14, 5)) == idq3p_problem::status);
  for (int length : {0, 33, 255})
    CHECK(problem_of_response(changed(key_response, 9, uint8_t(length)))
          == idq3p_problem::key_length);
  for (int device : {0, 13})
    CHECK(problem_of_response(changed(key_response, 47, uint8_t(device))) == idq3p_problem::device);
  CHECK(problem_of_response(changed(captured_refusal, 9, 99)) == idq3p_problem::none);
}

TEST_CASE("a response answers one request only") {
  idq3p_request asked;
  asked.id = {1, 7};
  asked.request = 1;
  idq3p_response x;
  REQUIRE(decode(raw(key_response), x) == idq3p_problem::none);
  CHECK(answers(x, asked));
  auto other = asked;
  other.id = {};
  CHECK(answers(x, other)); // A new key may have any id,
  x.id = {};
  CHECK_FALSE(answers(x, other)); // but none is no id.
  x.id = {1, 7};
  other = asked;
  other.id = {1, 8};
  CHECK_FALSE(answers(x, other));
  other = asked;
  other.request = 2;
  CHECK_FALSE(answers(x, other));
  other = asked;
  other.device = 2;
  CHECK_FALSE(answers(x, other));
  other = asked;
  other.key_bytes = 16;
  CHECK_FALSE(answers(x, other));
}

TEST_CASE("both ends compute the same 64-bit name") {
  link_id link{"bob1/alice1"};
  auto bob = make_key_id(link, 1, link_end::bob, 7);
  auto alice = make_key_id(link, 0xffffffff, link_end::alice, 0x7fffffff);
  CHECK(to_string(*idq3p_id_of(bob)) == "0000000100000007");
  CHECK(to_string(*idq3p_id_of(alice)) == "ffffffffffffffff");
  for (auto& x : {bob, alice})
    CHECK(key_id_of(link, *idq3p_id_of(x)) == x);
  CHECK_FALSE(idq3p_id_of(make_key_id(link, 1, link_end::bob, uint64_t{1} << 31)));
  CHECK(parse_idq3p_id("0000000100000007") == idq3p_id{1, 7});
  for (auto* bad : {"", "000000010000000", "00000001000000071", "00000001000000AB",
                    "0x00000100000007", "000000010000000g"})
    CHECK_FALSE(parse_idq3p_id(bad));
}

TEST_CASE("100000 mutated datagrams are judged, and only a fitting CRC passes") {
  auto random = make_seeded_random(5323);
  const std::string seeds[] = {new_key_request, peer_request, key_response, captured_refusal};
  std::map<std::string, int> seen;
  for (int i = 0; i < 100000; ++i) {
    auto x = raw(seeds[random->next() % 4]);
    for (auto n = random->next() % 4; n > 0; --n)
      x[random->next() % x.size()] = static_cast<uint8_t>(random->next());
    auto what = random->next() % 8;
    if (what == 0)
      x.resize(random->next() % 80);
    if (what == 1 && x.size() > 4)
      store_be32(x.data() + x.size() - 4, crc32_bzip2({x.data(), x.size() - 4}));
    auto fits =
      x.size() > 4 && load_be32(x.data() + x.size() - 4) == crc32_bzip2({x.data(), x.size() - 4});
    idq3p_request request;
    idq3p_response response;
    auto first = decode(x, request);
    auto second = decode(x, response);
    ++seen[to_string(first) + "/" + to_string(second)];
    if ((first == idq3p_problem::none || second == idq3p_problem::none) && !fits)
      FAIL("passed with a wrong CRC: " << to_hex(x));
    if (first == idq3p_problem::none
        && to_hex(encode(request)).substr(0, 30) != to_hex(x).substr(0, 30))
      FAIL("read differently than written: " << to_hex(x));
    if (second == idq3p_problem::none && response.key.size() > 32)
      FAIL("a key of " << response.key.size());
  }
  CHECK(seen.size() > 8);
}

TEST_CASE("of a datagram everybody may see all but the key, and what tells of it") {
  auto hidden = [](size_t bytes) { return to_hex(qnfv::bytes(bytes, masked_byte)); };
  auto request = to_hex(show_idq3p(raw(peer_request)).value);
  CHECK(request == peer_request);
  auto response = to_hex(show_idq3p(raw(key_response)).value);
  CHECK(response == key_response.substr(0, 30) + hidden(32) + "01" + zeros20 + hidden(4));
  CHECK(to_hex(show_idq3p(changed(peer_request, 20, 7)).value).substr(38, 6) == "00" + hidden(1) + "00");
  CHECK(to_hex(show_idq3p(changed(key_response, 50, 7)).value).substr(98, 6) == "00" + hidden(1) + "00");
  for (auto size : {0u, 1u, 28u, 30u, 61u, 63u, 2000u}) {
    auto shown = show_idq3p(bytes(size, 1)).value;
    CHECK(shown == bytes(size, masked_byte));
  }
  // The size of one and the type of the other.
  CHECK(to_hex(show_idq3p(changed(key_response, 0, 0)).value) == hidden(62));
  CHECK(to_hex(show_idq3p(changed(peer_request, 0, 1)).value) == hidden(29));
}
