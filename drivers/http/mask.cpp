#include "drivers/http/mask.hpp"

#include <algorithm>
#include <charconv>

namespace qnfv {

namespace {

/// Of requests and answers, in lower case.
const shown_names fields{
  {"accept"},         {"allow"},         {"authorization", false}, {"connection"},
  {"content-length"}, {"content-type"},  {"cookie", false},        {"date"},
  {"etag", false},    {"expect"},        {"host"},                 {"if-none-match", false},
  {"keep-alive"},     {"retry-after"},   {"server"},               {"set-cookie", false},
  {"traceparent"},    {"tracestate"},    {"transfer-encoding"},    {"user-agent"},
  {"www-authenticate", false}};

constexpr size_t size_digits_max = 8; ///< Of a chunk.
constexpr size_t status_end = 12;     ///< "HTTP/1.1 200"
/// Looked at of a line: what may be a secret is not copied.
constexpr size_t line_max = 32;
constexpr std::string_view begin_of_answer = "HTTP/1.";
constexpr std::string_view begins_of_requests[] = {"GET ",     "HEAD ",    "POST ",  "PUT ",    "PATCH ",
                                                   "DELETE ",  "OPTIONS ", "TRACE ", "CONNECT "};

bool is_line_end(uint8_t c) {
  return c == '\r' || c == '\n';
}

bool is_printable(uint8_t c) {
  return c >= ' ' && c <= '~';
}

/// Of a body, whose border got lost, such a line has others too.
bool is_of_line(uint8_t c) {
  return is_printable(c) && std::string_view{"\"'<>{}\\^`|"}.find(static_cast<char>(c)) == std::string_view::npos;
}

bool is_hex_digit(uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

char lower(uint8_t c) {
  return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/// All of `text` is one number.
bool read_number(std::string_view text, uint64_t& to, int base = 10) {
  auto* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, to, base);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

/// May a message begin like this?
bool begins_message(std::string_view line, bool request) {
  auto agree = [&](std::string_view x) { return line.substr(0, x.size()) == x.substr(0, line.size()); };
  return request ? std::any_of(std::begin(begins_of_requests), std::end(begins_of_requests), agree)
                 : agree(begin_of_answer);
}

} // namespace

shown_bytes http_mask::show(byte_view piece) {
  shown_bytes out;
  out.value.reserve(piece.size());
  for (auto c : piece)
    out.value.push_back(step(c));
  return out;
}

uint8_t http_mask::step(uint8_t c) {
  switch (within_) {
  case within::start:
    return in_start(c);
  case within::name:
    return in_name(c);
  case within::value:
    return in_value(c);
  case within::body:
    return of_body(c, within::start);
  case within::endless:
    return body_.step(c);
  case within::chunk_size:
    return in_chunk_size(c);
  case within::chunk:
    return of_body(c, within::chunk_end);
  case within::chunk_end:
    return in_chunk_end(c);
  case within::garbage:
    break;
  }
  return masked_byte;
}

uint8_t http_mask::spoilt() {
  within_ = within::garbage;
  return masked_byte;
}

void http_mask::expect_message() {
  within_ = within::start;
  line_.clear();
}

uint8_t http_mask::in_start(uint8_t c) {
  if (line_.empty() && is_line_end(c))
    return c; // Some clients end a body with one.
  if (is_line_end(c)) {
    if (c == '\r')
      return c;
    uint64_t status = 0;
    if (!requests_ && (line_.size() < status_end || !read_number(line_.substr(status_end - 3, 3), status)))
      return spoilt();
    status_ = static_cast<int>(status);
    within_ = within::name;
    line_.clear();
    trailer_ = chunked_ = sized_ = false;
    left_ = 0;
    body_.reset();
    return c;
  }
  if (line_.size() < line_max)
    line_ += static_cast<char>(c);
  if (!is_of_line(c) || !begins_message(line_, requests_))
    return spoilt();
  return c;
}

uint8_t http_mask::in_name(uint8_t c) {
  if (line_.empty() && c == '\r')
    return c;
  if (line_.empty() && c == '\n') {
    header_ended();
    return c;
  }
  if (c == ':') {
    auto* known = find_name(fields, line_);
    shown_ = known && known->value;
    field_ = line_ == "content-length" ? field::length : line_ == "transfer-encoding" ? field::encoding : field::other;
    within_ = within::value;
    line_.clear();
    return c;
  }
  if (!is_printable(c))
    return spoilt();
  if (begins_name(fields, line_))
    line_ += lower(c);
  return begins_name(fields, line_) ? c : masked_byte;
}

uint8_t http_mask::in_value(uint8_t c) {
  if (c == '\n') {
    field_ended();
    return within_ == within::garbage ? masked_byte : c;
  }
  if (c == '\r')
    return c;
  if (field_ != field::other && line_.size() == line_max)
    return spoilt();
  if (field_ != field::other)
    line_ += lower(c);
  shown_ = shown_ && is_of_line(c);
  return shown_ ? c : masked_byte;
}

/// What announces a body must be understood.
void http_mask::field_ended() {
  auto begin = line_.find_first_not_of(" \t");
  auto value = begin == std::string::npos ? std::string{} : line_.substr(begin, line_.find_last_not_of(" \t") + 1 - begin);
  within_ = within::name;
  line_.clear();
  uint64_t size = 0;
  if (trailer_)
    return;
  if (field_ == field::length) {
    if (!read_number(value, size) || (sized_ && size != left_))
      spoilt();
    sized_ = true;
    left_ = size;
  } else if (field_ == field::encoding) {
    if (value != "chunked")
      spoilt();
    chunked_ = true;
  }
}

void http_mask::header_ended() {
  auto bodiless = !requests_ && (status_ / 100 == 1 || status_ == 204 || status_ == 304);
  if (chunked_ && sized_ && !trailer_)
    spoilt();
  else if (trailer_ || bodiless || (sized_ && left_ == 0))
    expect_message();
  else if (chunked_)
    within_ = within::chunk_size;
  else if (sized_)
    within_ = within::body;
  else if (requests_)
    expect_message();
  else
    within_ = within::endless;
}

uint8_t http_mask::of_body(uint8_t c, within next) {
  if (--left_ == 0) {
    within_ = next;
    line_.clear();
  }
  return body_.step(c);
}

uint8_t http_mask::in_chunk_size(uint8_t c) {
  if (c == '\r')
    return c;
  if (c == '\n') {
    if (!read_number(line_.substr(0, line_.find(';')), left_, 16))
      return spoilt();
    line_.clear();
    trailer_ = left_ == 0;
    within_ = trailer_ ? within::name : within::chunk;
    return c;
  }
  if (line_.find(';') != std::string::npos)
    return masked_byte;
  if (c != ';' && (!is_hex_digit(c) || line_.size() == size_digits_max))
    return spoilt();
  line_ += static_cast<char>(c);
  return c;
}

uint8_t http_mask::in_chunk_end(uint8_t c) {
  if (c == '\r' && line_.empty())
    line_ = "\r";
  else if (c == '\n' && line_ == "\r") {
    line_.clear();
    within_ = within::chunk_size;
  } else
    return spoilt();
  return c;
}

} // namespace qnfv
