#include "runtime/base/utf8.hpp"

#include <boost/locale/utf.hpp>

namespace qnfv {

namespace {

/// Goes on behind the next character, or behind one byte that belongs to none.
bool is_character(std::string_view::const_iterator& at, std::string_view::const_iterator end) {
  namespace utf = boost::locale::utf;
  auto next = at;
  auto out = utf::is_valid_codepoint(utf::utf_traits<char>::decode(next, end));
  at = out ? next : at + 1;
  return out;
}

} // namespace

bool is_utf8(std::string_view x) {
  for (auto at = x.begin(); at != x.end();)
    if (!is_character(at, x.end()))
      return false;
  return true;
}

std::string as_utf8(std::string_view x) {
  std::string out;
  for (auto at = x.begin(); at != x.end();) {
    auto begin = at;
    if (is_character(at, x.end()))
      out.append(begin, at);
    else
      out += "\xEF\xBF\xBD";
  }
  return out;
}

} // namespace qnfv
