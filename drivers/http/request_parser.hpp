#pragma once

// What the server keeps of a request. Bytes in, request out. For this folder only.

#include "drivers/http/http.hpp"
#include "drivers/http/parser.hpp"

#include <boost/beast/http/rfc7230.hpp>

#include <algorithm>

namespace qnfv {

class http_request_parser final : public http_parser<true> {
public:
  http_request request;
  /// As sent; of several, with a comma between them: that is no traceparent.
  std::string traceparent, tracestate;
  bool expects_continue = false;

private:
  using text = boost::beast::string_view;
  using error_code = boost::system::error_code;
  using field = boost::beast::http::field;

  void on_request_impl(boost::beast::http::verb, text method, text target, int,
                       error_code&) override {
    request.method.assign(method.data(), method.size());
    request.target.assign(target.data(), target.size());
  }
  void on_response_impl(int, text, int, error_code&) override {}
  void on_field_impl(field name, text as_sent, text value, error_code&) override {
    if (name == field::content_type)
      request.content_type.assign(value.data(), value.size());
    else if (name == field::authorization)
      request.authorization = secret{byte_view{std::string_view{value.data(), value.size()}}};
    else if (name == field::if_none_match)
      request.if_none_match.assign(value.data(), value.size());
    else if (name == field::expect)
      expects_continue = boost::beast::iequals(value, "100-continue");
    else if (boost::beast::iequals(as_sent, "traceparent"))
      add(traceparent, value);
    else if (boost::beast::iequals(as_sent, "tracestate"))
      add(tracestate, value);
  }
  static void add(std::string& to, text value) {
    to.append(to.empty() ? 0 : 1, ',').append(value.data(), value.size());
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>& size, error_code&) override {
    // What was announced has not come yet: no memory for promises.
    constexpr uint64_t at_first_bytes = 16384;
    request.body.reserve(std::min<uint64_t>(size.value_or(0), at_first_bytes));
  }
  size_t on_body_impl(text part, error_code&) override {
    request.body.append(part.data(), part.size());
    return part.size();
  }
  void on_chunk_header_impl(uint64_t, text, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, text part, error_code&) override {
    request.body.append(part.data(), part.size());
    return part.size();
  }
  void on_finish_impl(error_code&) override {}
};

} // namespace qnfv
