#include "drivers/scpi/text.hpp"

#include <algorithm>
#include <charconv>

namespace qnfv::scpi_text {

namespace {

constexpr size_t quoted_max = 255;

bool is_blank(char x) {
  return x == ' ' || x == '\t';
}

bool is_digit(char x) {
  return x >= '0' && x <= '9';
}

bool is_name(char x) {
  return is_digit(x) || (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || x == ':' || x == '*';
}

} // namespace

void cursor::skip_blanks() {
  while (!rest_.empty() && is_blank(rest_.front()))
    rest_.remove_prefix(1);
}

bool cursor::at_end() {
  skip_blanks();
  return rest_.empty();
}

bool cursor::take(char x) {
  skip_blanks();
  if (rest_.empty() || rest_.front() != x)
    return false;
  rest_.remove_prefix(1);
  return true;
}

std::optional<uint16_t> cursor::take_port() {
  skip_blanks();
  uint16_t out = 0;
  auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
  if (error != std::errc{} || out == 0)
    return std::nullopt;
  rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
  return out;
}

std::optional<int> cursor::take_code() {
  skip_blanks();
  auto text = rest_;
  if (!text.empty() && text.front() == '+')
    text.remove_prefix(1);
  int out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || out < -99999 || out > 99999)
    return std::nullopt;
  rest_ = text.substr(static_cast<size_t>(end - text.data()));
  return out;
}

std::optional<std::vector<uint16_t>> cursor::take_ports() {
  auto before = *this;
  std::vector<uint16_t> out;
  auto good = take('(') && take('@');
  if (good && take(')'))
    return out;
  do {
    auto port = good ? take_port() : std::nullopt;
    good = port.has_value();
    if (good)
      out.push_back(*port);
  } while (good && take(','));
  if (good && take(')'))
    return out;
  *this = before;
  return std::nullopt;
}

std::optional<std::string> cursor::take_quoted() {
  auto before = *this;
  std::string out;
  if (!take('"'))
    return std::nullopt;
  for (;;) {
    auto end = rest_.find('"');
    if (end == std::string_view::npos) {
      *this = before;
      return std::nullopt;
    }
    out.append(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    if (rest_.empty() || rest_.front() != '"')
      return out;
    out += '"';
    rest_.remove_prefix(1);
  }
}

std::string_view cursor::take_header() {
  skip_blanks();
  size_t n = 0;
  while (n < rest_.size() && is_name(rest_[n]))
    ++n;
  if (n > 0 && n < rest_.size() && rest_[n] == '?')
    ++n;
  auto out = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return out;
}

std::string print_ports(const std::vector<uint16_t>& ports) {
  std::string out = "(@";
  for (auto x : ports)
    out.append(out.size() > 2 ? "," : "").append(std::to_string(x));
  return out + ")";
}

std::string print_quoted(std::string_view text) {
  std::string out = "\"";
  for (auto x : text.substr(0, quoted_max)) {
    out += x >= ' ' && x <= '~' ? x : '?';
    if (x == '"')
      out += '"';
  }
  return out + "\"";
}

std::string_view trimmed(std::string_view x) {
  auto blank = [](char c) { return is_blank(c) || c == '\r' || c == '\n'; };
  while (!x.empty() && blank(x.front()))
    x.remove_prefix(1);
  while (!x.empty() && blank(x.back()))
    x.remove_suffix(1);
  return x;
}

std::vector<std::string_view> split(std::string_view text, char separator, size_t parts_max) {
  std::vector<std::string_view> out;
  bool quoted = false;
  size_t begin = 0;
  for (size_t i = 0; i < text.size() && out.size() < parts_max; ++i) {
    quoted = quoted != (text[i] == '"');
    if (quoted || text[i] != separator)
      continue;
    out.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  if (out.size() < parts_max)
    out.push_back(text.substr(begin));
  return out;
}

} // namespace qnfv::scpi_text
