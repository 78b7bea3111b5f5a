#pragma once

// What the client keeps of an answer: its status and its body, the body in secret memory only.
// Bytes in, answer out. For this folder only.

#include "drivers/http/parser.hpp"
#include "runtime/base/secret.hpp"

#include <algorithm>
#include <cstring>

namespace qnfv {

class http_response_parser final : public http_parser<false> {
public:
  uint16_t status = 0;

  secret take_body() { return size_ == body_.size() ? std::move(body_) : body_.part(0, size_); }

private:
  using text = boost::beast::string_view;
  using error_code = boost::system::error_code;
  static constexpr uint64_t at_first_bytes = 8192;

  void on_request_impl(boost::beast::http::verb, text, text, int, error_code&) override {}
  void on_response_impl(int code, text, int, error_code&) override {
    status = static_cast<uint16_t>(code);
  }
  void on_field_impl(boost::beast::http::field, text, text, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>& size, error_code&) override {
    announced_ = size.value_or(UINT64_MAX);
    reserve(std::min<uint64_t>(size.value_or(0), at_first_bytes));
  }
  size_t on_body_impl(text part, error_code&) override { return append(part); }
  void on_chunk_header_impl(uint64_t, text, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, text part, error_code&) override { return append(part); }
  void on_finish_impl(error_code&) override {}

  void reserve(size_t n) {
    if (n <= body_.size())
      return;
    secret larger{n};
    if (size_ > 0)
      std::memcpy(larger.data(), body_.view().data(), size_);
    body_ = std::move(larger);
  }

  size_t append(text part) {
    auto n = size_ + part.size();
    // Twice as much as came, not what was announced: that costs the peer nothing.
    if (n > body_.size())
      reserve(std::max<uint64_t>(n, std::min<uint64_t>(2 * body_.size(), announced_)));
    if (!part.empty())
      std::memcpy(body_.data() + size_, part.data(), part.size());
    size_ = n;
    return part.size();
  }

  secret body_;
  size_t size_ = 0;
  uint64_t announced_ = UINT64_MAX; ///< That much: nobody said.
};

} // namespace qnfv
