#include "drivers/channel_tcp/preface.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

const event_id begun{"co", 1, 3}, handled{"dc1", 2, 17};

preface some(trace_context opener = {begun, handled}) {
  preface x;
  x.transfer.value.fill(0x11);
  x.token.fill(0x22);
  x.opener = std::move(opener);
  return x;
}

} // namespace

TEST_CASE("a preface has the bytes that its header file says") {
  auto text = "51564432" + std::string(32, '1') + std::string(32, '2') + "0608" + "636f3a313a33" + "6463313a323a3137";
  CHECK(to_hex(encode(some())) == text);
}

TEST_CASE("a preface reads back, whatever its end works for") {
  auto others = parse_event_id("4bf92f3577b34da6a3ce929d0e0e4736").value();
  event_id longest{std::string(max_site_name, 's'), UINT32_MAX, UINT64_MAX};
  for (auto& x : {trace_context{}, trace_context{{}, handled}, trace_context{begun, {}}, trace_context{begun, handled},
                  trace_context{others, handled}, trace_context{longest, longest}}) {
    auto whole = encode(some(x));
    REQUIRE(preface_tail_bytes(byte_view{whole}.part(0, preface_head_bytes)) == whole.size() - preface_head_bytes);
    auto back = decode_preface(whole);
    REQUIRE(back);
    CHECK(back->transfer == some().transfer);
    CHECK(back->token == some().token);
    CHECK(back->opener.trace == x.trace);
    CHECK(back->opener.cause == x.cause);
  }
}

TEST_CASE("what is no preface is refused") {
  auto whole = encode(some());
  for (size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(decode_preface(byte_view{whole}.part(0, size)));
  auto longer = whole;
  longer.push_back('x');
  CHECK_FALSE(decode_preface(longer));
  for (size_t at : {0u, 1u, 2u, 3u, 36u, 37u}) {
    auto other = whole;
    other[at] = 0xff;
    CHECK_FALSE(decode_preface(other));
    CHECK_FALSE(preface_tail_bytes(other));
  }
  for (uint8_t bad : {0x00, 0x0a, 0x20, 0x2c, 0x2f, 0x80, 0xff}) {
    auto other = whole;
    other.back() = bad;
    CHECK_FALSE(decode_preface(other));
  }
}
