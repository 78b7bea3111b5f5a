#include "runtime/messages/trace.hpp"

#include "runtime/base/bytes.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace qnfv {

event_id::event_id(std::string_view site_name, uint32_t of_epoch, uint64_t number)
  : epoch(of_epoch), sequence(number) {
  std::copy_n(site_name.data(), std::min(site_name.size(), site.size()), site.data());
}

std::string_view event_id::site_name() const {
  return {site.data(), ::strnlen(site.data(), site.size())};
}

bool operator==(const event_id& a, const event_id& b) {
  return a.sequence == b.sequence && a.epoch == b.epoch && a.site == b.site;
}

event_text::event_text(const event_id& x) {
  if (!x)
    return;
  if (x.epoch == 0) {
    std::string_view raw{x.site.data(), std::min<uint64_t>(x.sequence, x.site.size())};
    size_ = to_hex(byte_view{raw}).copy(text_, sizeof text_);
    return;
  }
  auto site = x.site_name();
  auto* end = text_ + sizeof text_;
  auto* to = std::copy(site.begin(), site.end(), text_);
  *to++ = ':';
  to = std::to_chars(to, end, x.epoch).ptr;
  *to++ = ':';
  to = std::to_chars(to, end, x.sequence).ptr;
  size_ = static_cast<size_t>(to - text_);
}

std::string to_string(const event_id& x) {
  return std::string{event_text{x}.view()};
}

namespace {

/// Of 16 or 32 lower-case hexadecimal digits, not all of them 0.
std::optional<event_id> parse_id_of_others(std::string_view text) {
  auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if ((text.size() != 16 && text.size() != 32) || !std::all_of(text.begin(), text.end(), is_digit)
      || text.find_first_not_of('0') == std::string_view::npos)
    return std::nullopt;
  auto raw = from_hex(text);
  event_id out{{}, 0, raw->size()};
  std::copy(raw->begin(), raw->end(), out.site.begin());
  return out;
}

} // namespace

std::optional<event_id> parse_event_id(std::string_view text) {
  if (text.empty())
    return event_id{};
  if (text.find(':') == std::string_view::npos)
    return parse_id_of_others(text);
  auto second = text.rfind(':');
  auto first = second == 0 || second == std::string_view::npos ? second : text.rfind(':', second - 1);
  if (first == 0 || first >= second || first > max_site_name || !valid_name(text.substr(0, first)))
    return std::nullopt;
  event_id out{text.substr(0, first), 0, 0};
  auto number = [&](std::string_view digits, auto& to) {
    auto* end = digits.data() + digits.size();
    auto parsed = std::from_chars(digits.data(), end, to);
    return parsed.ec == std::errc{} && parsed.ptr == end && digits.front() != '0';
  };
  if (!number(text.substr(first + 1, second - first - 1), out.epoch) || !number(text.substr(second + 1), out.sequence))
    return std::nullopt;
  return out;
}

} // namespace qnfv
