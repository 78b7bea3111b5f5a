#include "runtime/tracing/record.hpp"

#include "runtime/tracing/message_kinds.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace qnfv {

static_assert(std::is_trivially_copyable_v<trace_record>);

namespace {
std::string_view cut(std::string_view x, size_t max) {
  return x.substr(0, max);
}
} // namespace

char* trace_record::put_addresses(std::string_view from, std::string_view to) {
  from = cut(from, address_max);
  to = cut(to, address_max);
  from_size_ = static_cast<uint8_t>(from.size());
  to_size_ = static_cast<uint8_t>(to.size());
  std::memcpy(chars_, from.data(), from.size());
  std::memcpy(chars_ + from.size(), to.data(), to.size());
  return chars_ + from.size() + to.size();
}

void trace_record::end_text(size_t size) {
  auto* begin = chars_ + from_size_ + to_size_;
  if (size > text_max) {
    size = text_max;
    while (size > 0 && (begin[size] & 0xC0) == 0x80) // Not in the middle of a UTF-8 character.
      --size;
    std::memcpy(begin + size, "...", 3);
    size += 3;
  }
  text_size_ = static_cast<uint16_t>(size);
}

void trace_record::put_message(std::string_view x) {
  x = cut(x, message_max);
  message_size_ = static_cast<uint8_t>(x.size());
  std::memmove(chars_ + from_size_ + to_size_ + text_size_, x.data(), x.size());
}

void trace_record::say(std::string_view from, std::string_view to, std::string_view message,
                       std::string_view text) {
  auto* place = put_addresses(from, to);
  text = cut(text, text_max + 1);
  std::memcpy(place, text.data(), text.size());
  end_text(text.size());
  put_message(message);
}

void trace_record::say(std::string_view from, std::string_view to, const caf::type_erased_tuple& content) {
  // One character more than may stay tells that it is cut.
  text_writer writer{put_addresses(from, to), text_max + 1};
  if (content.size() > 0)
    write_text(writer, content);
  end_text(writer.size());
  // "name(fields)", or a type that prints itself otherwise.
  put_message(text().substr(0, text().find('(')));
}

void trace_record::say_instead(std::string_view text) {
  auto before = *this;
  say(before.from(), before.to(), before.message(), text);
}

std::string_view trace_record::bytes() const {
  auto* begin = reinterpret_cast<const char*>(this);
  auto* end = chars_ + from_size_ + to_size_ + text_size_ + message_size_;
  return {begin, static_cast<size_t>(end - begin)};
}

void append_json(std::string& to, const trace_record& x) {
  event_text trace{x.trace}, cause{x.cause};
  trace_view view{x.unix_ns, x.id.site_name(), x.id.epoch, x.id.sequence, x.kind, trace.view(),
                  cause.view(), x.from(), x.to(), x.message(), x.text()};
  char line[8192];
  static_assert(sizeof line > 200 + 6 * (sizeof(trace_record) + 2 * sizeof(event_text)), "for the longest there is");
  to.append(line, write_json(line, view));
}

trace_event to_event(const trace_record& x) {
  trace_event out;
  out.unix_ns = x.unix_ns;
  out.site = x.id.site_name();
  out.epoch = x.id.epoch;
  out.sequence = x.id.sequence;
  out.kind = x.kind;
  out.trace = to_string(x.trace);
  out.cause = to_string(x.cause);
  out.from = x.from();
  out.to = x.to();
  out.message = x.message();
  out.text = x.text();
  return out;
}

} // namespace qnfv
