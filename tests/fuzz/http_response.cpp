// A server's bytes at the HTTP client. The first byte says in what pieces they come.

#include "drivers/http/response_parser.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <boost/asio/buffer.hpp>

#include <optional>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

constexpr size_t window_bytes = 8192, body_max = 1u << 20;

struct answer {
  uint16_t status = 0;
  secret body;
};

/// As the client reads: the first answer, if it is whole.
std::optional<answer> read(byte_view in, size_t piece) {
  http_response_parser parser;
  parser.eager(true);
  parser.header_limit(window_bytes);
  parser.body_limit(body_max);
  bytes window;
  while (!parser.is_done()) {
    auto part = in.part(0, std::min(piece, window_bytes - window.size()));
    boost::system::error_code error;
    if (part.empty()) {
      if (!parser.is_header_done())
        return std::nullopt;
      parser.put_eof(error);
      if (error || !parser.is_done())
        return std::nullopt;
      break;
    }
    in = in.part(part.size());
    window.insert(window.end(), part.begin(), part.end());
    auto n = parser.take(boost::asio::const_buffer{window.data(), window.size()}, error);
    window.erase(window.begin(), window.begin() + static_cast<long>(n));
    if (error && error != boost::beast::http::error::need_more)
      return std::nullopt;
  }
  return answer{parser.status, parser.take_body()};
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  size_t piece = 1 + in.byte();
  auto all = in.rest();
  auto x = bounded(size, of_bytes, [&] { return read(all, 4096); });
  auto y = bounded(size, of_bytes, [&] { return read(all, piece); });
  hold(size > window_bytes || bool{x} == bool{y}, "the pieces of an answer do not decide whether it is one");
  if (!x || !y)
    return 0;
  hold(x->status == y->status && equal_constant_time(x->body.view(), y->body.view()),
       "the pieces of an answer do not matter");
  hold(x->body.size() <= all.size(), "no body is longer than what came");
  return 0;
}
