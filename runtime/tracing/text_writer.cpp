#include "runtime/tracing/text_writer.hpp"

#include "runtime/tracing/sixteen.hpp"

namespace qnfv {

namespace {

/// Of each byte.
struct digit_table {
  char hex[256][2]{};
  struct {
    char text[4]{}; ///< Decimal, and a comma.
    uint8_t size = 0;
  } number[256];
  constexpr digit_table() {
    for (size_t i = 0; i < 256; ++i) {
      hex[i][0] = "0123456789abcdef"[i >> 4];
      hex[i][1] = "0123456789abcdef"[i & 15];
      auto& x = number[i];
      if (i >= 100)
        x.text[x.size++] = static_cast<char>('0' + i / 100);
      if (i >= 10)
        x.text[x.size++] = static_cast<char>('0' + i / 10 % 10);
      x.text[x.size++] = static_cast<char>('0' + i % 10);
      x.text[x.size++] = ',';
    }
  }
};
constexpr digit_table digits_of;

bool is_escaped(char c) {
  return c == '"' || c == '\\' || c == '\n' || c == '\t';
}

} // namespace

void text_writer::put_numbers(const uint8_t* xs, size_t n) {
  put('[');
  constexpr size_t longest = 5; // "255, "
  if (static_cast<size_t>(end_ - at_) <= n * longest) {
    for (size_t i = 0; i < n; ++i) {
      separate();
      put_number(uint64_t{xs[i]});
    }
  } else if (n > 0) {
    for (size_t i = 0; i < n; ++i) {
      auto& x = digits_of.number[xs[i]];
      std::memcpy(at_, x.text, sizeof x.text);
      at_ += x.size;
      *at_++ = ' ';
    }
    at_ -= 2; // Nothing follows the last one.
  }
  put(']');
}

void text_writer::put_double(double x) {
  char digits[330]; // The largest double has 309 digits before its point.
  auto* end = std::to_chars(digits, digits + sizeof digits, x, std::chars_format::fixed, 6).ptr;
  put(std::string_view{digits, static_cast<size_t>(end - digits)});
}

void text_writer::put_uuid(const std::array<uint8_t, 16>& x) {
  char text[] = "00000000-0000-0000-0000-000000000000";
  constexpr uint8_t places[] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
  for (size_t i = 0; i < x.size(); ++i)
    std::memcpy(text + places[i], digits_of.hex[x[i]], 2);
  put(text);
}

void text_writer::put_quoted(std::string_view x) {
  if (!x.empty() && x.front() == '"')
    return put(x); // CAF takes it for one that is quoted already.
  put('"');
  size_t plain = 0;
  while (plain + sixteen::size <= x.size()
         && !sixteen{x.data() + plain}.has_any_of('"', '\\', '\n', '\t'))
    plain += sixteen::size;
  auto begin = size_t{0};
  for (auto i = plain; i < x.size() && !full_; ++i) {
    auto c = x[i];
    if (!is_escaped(c))
      continue;
    put(x.substr(begin, i - begin));
    begin = i + 1;
    put('\\');
    put(c == '\n' ? 'n' : c == '\t' ? 't' : c);
  }
  put(x.substr(begin));
  put('"');
}

} // namespace qnfv
