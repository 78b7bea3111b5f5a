// A client's bytes at the HTTP server. The first byte says in what pieces they come.

#include "drivers/http/request_parser.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <boost/beast/core/flat_buffer.hpp>

#include <optional>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

namespace beast = boost::beast;
constexpr size_t header_max = 8192, body_max = 1u << 20;

/// As the server reads: the first request, if it is whole.
std::optional<http_request> read(byte_view in, size_t piece) {
  http_request_parser parser;
  parser.eager(true);
  parser.header_limit(header_max);
  parser.body_limit(body_max);
  beast::flat_buffer buffer{header_max + 16384};
  while (!parser.is_done()) {
    auto part = in.part(0, std::min(piece, buffer.max_size() - buffer.size()));
    if (part.empty())
      return std::nullopt;
    in = in.part(part.size());
    auto to = buffer.prepare(part.size());
    std::copy(part.begin(), part.end(), static_cast<uint8_t*>(to.data()));
    buffer.commit(part.size());
    boost::system::error_code error;
    buffer.consume(parser.take(buffer.data(), error));
    if (error && error != beast::http::error::need_more)
      return std::nullopt;
  }
  return std::move(parser.request);
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  size_t piece = 1 + in.byte();
  auto all = in.rest();
  auto x = bounded(size, of_bytes, [&] { return read(all, 4096); });
  auto y = bounded(size, of_bytes, [&] { return read(all, piece); });
  hold(size > header_max || bool{x} == bool{y}, "the pieces of a request do not decide whether it is one");
  if (!x || !y)
    return 0;
  hold(x->method == y->method && x->target == y->target && x->body == y->body
         && x->content_type == y->content_type && x->if_none_match == y->if_none_match,
       "the pieces of a request do not matter");
  hold(x->body.size() <= all.size(), "no body is longer than what came");
  for (auto& text : {x->method, x->target, x->content_type, x->if_none_match})
    hold(text.find_first_of(std::string("\r\n\0", 3)) == std::string::npos,
         "no field has a line in it");
  return 0;
}
