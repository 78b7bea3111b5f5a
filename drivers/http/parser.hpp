#pragma once

// What both ends' parsers share. For this folder only.

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace qnfv {

template <bool is_request>
class http_parser : public boost::beast::http::basic_parser<is_request> {
public:
  /// As put(), but takes the end of a chunked body only when it can be whole: once Beast (1.74) has
  /// seen the line of the last chunk, fewer bytes than that chunk has abort the process.
  size_t take(boost::asio::const_buffer in, boost::system::error_code& error) {
    constexpr size_t last_chunk_bytes = 5; // "0", and two line ends.
    if (this->is_header_done() && this->chunked() && in.size() < last_chunk_bytes) {
      error = boost::beast::http::error::need_more;
      return 0;
    }
    return this->put(in, error);
  }
};

} // namespace qnfv
