#include "drivers/http/json.hpp"
#include "drivers/http/request_parser.hpp"
#include "drivers/http/response_parser.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <string>
#include <vector>

using namespace qnfv;

namespace {

/// Gives `text` byte by byte, as a slow network does. True if it was taken whole.
template <class Parser>
bool read(Parser& parser, const std::string& text) {
  parser.eager(true);
  std::string waiting;
  for (char c : text) {
    waiting += c;
    boost::system::error_code error;
    waiting.erase(0, parser.take({waiting.data(), waiting.size()}, error));
    if (error && error != boost::beast::http::error::need_more)
      return false;
  }
  return parser.is_done() && waiting.empty();
}

const std::string chunks = "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n";

} // namespace

TEST_CASE("a chunked body that comes byte by byte is read whole, with or without a trailer") {
  auto trailer = GENERATE(as<std::string>{}, "\r\n", "Checksum: 1\r\n\r\n");
  http_request_parser request;
  CHECK(read(request, "POST / HTTP/1.1\r\n" + chunks + trailer));
  CHECK(request.request.body == "abc");
  http_response_parser response;
  CHECK(read(response, "HTTP/1.1 200 OK\r\n" + chunks + trailer));
  CHECK(response.status == 200);
  CHECK(response.take_body().size() == 3);
}

TEST_CASE("a chunked body that is none is refused, or ends nowhere") {
  for (auto* bad : {"0\r\r", "0\r\nx\r\n\r\n", "g\r\n\r\n", "1\r\nab\r\n0\r\n\r\n", "0\r\n"}) {
    INFO(bad);
    http_request_parser request;
    CHECK_FALSE(read(request, std::string("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") + bad));
  }
}

TEST_CASE("JSON that ends within a character is none, and nothing behind it is read") {
  for (auto* cut : {"{\"k\":\"y\xf3", "{\"k\":\"y\xf3n", "{\"k\":\"\xf3\x9f\x98", "{\"k\":\"\xe2\x82", "\xc3"}) {
    std::vector<char> exactly{cut, cut + std::strlen(cut) + 1};
    CHECK_FALSE(parse_object_in_place(exactly.data()));
  }
  std::string whole = "{\"k\":\"\xf0\x9f\x98\x80\"}";
  CHECK(parse_object_in_place(whole.data()));
}
