#include "runtime/tracing/context.hpp"
#include "runtime/tracing/recorder.hpp"
#include "runtime/tracing/wire_tap.hpp"
#include "tools/traces/packets.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

const wire_ends ends{"http", "127.0.0.1:7301", "127.0.0.1:40000"};

shown_bytes shown(const std::string& x) {
  return {bytes(x.begin(), x.end())};
}

} // namespace

TEST_CASE("a piece on a wire reads back as one, with its ends and what it is for") {
  auto to = std::make_shared<recorder>("co");
  wire_tap tap{to, make_real_clock(), 512};
  REQUIRE(tap);
  {
    trace_scope scope{{{"co", 1, 1}, {"co", 1, 2}}};
    tap.sent(ends, shown("GET / HTTP/1.1\r\n"));
  }
  tap.received(ends, shown("HTTP/1.1 200 OK\r\n"));
  auto events = to->since({}, "", 100).events;
  REQUIRE(events.size() == 2);
  CHECK(events[0].message == "http");
  CHECK(events[0].trace == "co:1:1");
  CHECK(events[0].cause == "co:1:2");
  CHECK(events[0].from == ends.here);
  CHECK(events[0].to == ends.there);
  CHECK(events[1].cause.empty());
  CHECK(events[1].from == ends.there);
  CHECK(events[1].to == ends.here);
  auto sent = wire_piece_of(events[0]);
  auto received = wire_piece_of(events[1]);
  REQUIRE(sent);
  REQUIRE(received);
  CHECK(sent->sent);
  CHECK(sent->content == "GET / HTTP/1.1\r\n");
  CHECK_FALSE(received->sent);
  CHECK(received->content == "HTTP/1.1 200 OK\r\n");
}

TEST_CASE("a long piece of a stream becomes several that follow each other, as far as they are kept") {
  auto to = std::make_shared<recorder>("co");
  std::string text;
  for (int i = 0; i < 5000; ++i)
    text += static_cast<char>('a' + i % 26);
  wire_tap{to, make_real_clock(), 1000}.sent(ends, shown(text));
  std::string content;
  size_t size = 0;
  for (auto& x : to->since({}, "", 100).events) {
    auto piece = wire_piece_of(x);
    REQUIRE(piece);
    CHECK(size == content.size()); // Nothing is missing but at the end.
    content += piece->content;
    size += piece->bytes;
  }
  CHECK(size == 5000);
  CHECK(content == text.substr(0, 1000));
}

TEST_CASE("of a datagram the first bytes are kept, and its size") {
  auto to = std::make_shared<recorder>("co");
  wire_tap{to, make_real_clock(), 1000}.sent({"idq3p", "127.0.0.1:5323", "127.0.0.1:40000"}, shown(std::string(500, 'a')));
  auto events = to->since({}, "", 100).events;
  REQUIRE(events.size() == 1);
  auto piece = wire_piece_of(events[0]);
  REQUIRE(piece);
  CHECK(piece->bytes == 500);
  CHECK(piece->content.size() >= 128);
  CHECK(piece->content == std::string(piece->content.size(), 'a'));
}

TEST_CASE("nobody looks without a recorder, or if it keeps nothing") {
  CHECK_FALSE(wire_tap{});
  CHECK_FALSE(wire_tap{nullptr, make_real_clock(), 512});
  CHECK_FALSE(wire_tap{std::make_shared<recorder>("co"), make_real_clock(), 0});
}
