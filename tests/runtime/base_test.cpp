#include "runtime/base/base64.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/base/error.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/units.hpp"
#include "runtime/base/utf8.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace qnfv;
using namespace std::chrono_literals;

TEST_CASE("every error code has a name of its own") {
  std::set<std::string> names;
  for (uint8_t i = 0; i < ec_count; ++i)
    names.insert(to_string(static_cast<ec>(i)));
  CHECK(names.size() == ec_count);
  CHECK(to_string(static_cast<ec>(ec_count)) == "?");
}

TEST_CASE("hexadecimal text reads back, and nothing else reads") {
  bytes raw{0x00, 0x7f, 0xff};
  CHECK(to_hex(raw) == "007fff");
  CHECK(from_hex("007FfF") == raw);
  CHECK_FALSE(from_hex("0"));
  CHECK_FALSE(from_hex("0g"));
}

TEST_CASE("a view is cut at its end") {
  bytes raw{1, 2, 3};
  CHECK(byte_view{raw}.part(1).size() == 2);
  CHECK(byte_view{raw}.part(2, 5).size() == 1);
  CHECK(byte_view{raw}.part(9, 1).empty());
}

TEST_CASE("big-endian numbers read back") {
  uint8_t raw[8];
  store_be64(raw, 0x0102030405060708ull);
  CHECK(raw[0] == 1);
  CHECK(load_be64(raw) == 0x0102030405060708ull);
  store_be32(raw, 0xfffefdfcu);
  CHECK(load_be32(raw) == 0xfffefdfcu);
}

TEST_CASE("a key id names its link, session, allocator and counter") {
  link_id link{"bob1/alice2"};
  auto id = make_key_id(link, 7, link_end::alice, 123456789);
  CHECK(session_of(id) == 7);
  CHECK(allocator_of(id) == link_end::alice);
  CHECK(counter_of(id) == 123456789);
  CHECK(belongs_to(id, link));
  CHECK_FALSE(belongs_to(id, link_id{"bob1/alice3"}));
  CHECK(parse_uuid(to_string(id)) == id.value);
}

TEST_CASE("only a UUID reads as a UUID") {
  CHECK(parse_uuid("550e8400-e29b-41d4-a716-446655440000"));
  CHECK_FALSE(parse_uuid("550e8400-e29b-41d4-a716-44665544000"));
  CHECK_FALSE(parse_uuid("550e8400xe29b-41d4-a716-446655440000"));
  CHECK_FALSE(parse_uuid("550e8400-e29b-41d4-a716-44665544000g"));
}

TEST_CASE("a name is safe as a file name") {
  CHECK(valid_name("centos-ovs_1.2"));
  CHECK_FALSE(valid_name(""));
  CHECK_FALSE(valid_name(".."));
  CHECK_FALSE(valid_name("-rf"));
  CHECK_FALSE(valid_name("a/b"));
  CHECK_FALSE(valid_name(std::string("a\0b", 3)));
  CHECK_FALSE(valid_name(std::string(65, 'a')));
}

TEST_CASE("a duration needs a unit") {
  CHECK(parse_duration("24h") == duration{24h});
  CHECK(parse_duration("1.5m") == duration{90s});
  CHECK(parse_duration("250ms") == duration{250ms});
  CHECK(parse_duration("30d") == duration{720h});
  for (auto* bad : {"", "24", "h", "-1s", "1 s", "1y", "nan s", "infs", "1e99d", "0x10s "})
    CHECK_FALSE(parse_duration(bad));
}

TEST_CASE("sizes and times print as a person would say them") {
  CHECK(format_bytes(999) == "999 B");
  CHECK(format_bytes(769'000'000) == "769 MB");
  CHECK(format_bytes(15'925'000'000) == "15.9 GB");
  CHECK(format_duration(250ms) == "250 ms");
  CHECK(format_duration(1265s) == "21.1 min");
}

TEST_CASE("base64 has one spelling for each byte string") {
  // RFC 4648, section 10.
  const std::pair<const char*, const char*> vectors[] = {
    {"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (auto& [plain, coded] : vectors) {
    auto text = to_base64(byte_view{std::string_view{plain}});
    CHECK(std::string(text.view().begin(), text.view().end()) == coded);
    auto back = from_base64(coded);
    REQUIRE(back);
    CHECK(std::string(back->view().begin(), back->view().end()) == plain);
  }
  for (auto* bad : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8=Zm8=", "====", "Z===", "Zm9v\n", "Zm_v",
                    "Zm-v", " Zm9v"})
    CHECK_FALSE(from_base64(bad));
}

TEST_CASE("what is no UTF-8 is told, and repaired byte by byte") {
  // Markus Kuhn's "UTF-8 decoder capability and stress test": borders, overlong forms, surrogates.
  for (auto* good : {"", "a", "größer", "\u07FF\u0800\uFFFD", "\U00010000\U0010FFFF", "\xED\x9F\xBF"}) {
    CHECK(is_utf8(good));
    CHECK(as_utf8(good) == good);
  }
  const std::pair<const char*, size_t> bad[] = {
    {"\x80", 1},         {"\xC3", 1},         {"\xE2\x82", 2},         {"\xF0\x9F\x98", 3},
    {"\xFE\xFF", 2},     {"\xC0\xAF", 2},     {"\xE0\x80\xAF", 3},     {"\xF0\x80\x80\xAF", 4},
    {"\xED\xA0\x80", 3}, {"\xED\xB0\x80", 3}, {"\xF4\x90\x80\x80", 4}, {"\xF8\x88\x80\x80\x80", 5}};
  for (auto& [text, bytes] : bad) {
    CHECK_FALSE(is_utf8(text));
    std::string repaired;
    for (size_t i = 0; i < bytes; ++i)
      repaired += "\uFFFD";
    CHECK(as_utf8(text) == repaired);
    CHECK(as_utf8("é" + std::string{text} + "x") == "é" + repaired + "x");
  }
}
