#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/messages/wire.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace qnfv {

/// Names one event of the message trace: "co:2:17" is the 17th of site co's second start. Others name
/// theirs by 8 bytes, and a trace by 16 (W3C Trace Context): "00f067aa0ba902b7". Plain bytes: every
/// message carries two.
struct event_id {
  std::array<char, max_site_name> site{}; ///< Its name, filled up with zeros; or the bytes of others.
  uint32_t epoch = 0;                     ///< From 1; 0: an id of others.
  uint64_t sequence = 0;                  ///< From 1; or how many bytes; 0: no event.

  event_id() = default;
  /// A name that is too long for a site is cut.
  event_id(std::string_view site_name, uint32_t of_epoch, uint64_t number);

  std::string_view site_name() const;
  explicit operator bool() const { return sequence > 0; }
};
bool operator==(const event_id&, const event_id&);
inline bool operator!=(const event_id& a, const event_id& b) {
  return !(a == b);
}

/// The name as a text, without memory of its own; empty for no event.
class event_text {
public:
  explicit event_text(const event_id&);
  std::string_view view() const { return {text_, size_}; }

private:
  char text_[max_site_name + 32];
  size_t size_ = 0;
};
std::string to_string(const event_id&);
/// Nothing if the text is neither; an empty one names no event.
std::optional<event_id> parse_event_id(std::string_view);

/// Travels as its text. What a peer of another version names otherwise is no event here.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, event_id& x) {
  auto text = Inspector::reads_state ? to_string(x) : std::string{};
  auto read = [&]() -> caf::error {
    x = parse_event_id(text).value_or(event_id{});
    return caf::none;
  };
  return f(text, caf::meta::load_callback(read));
}

/// What the running handler works for. Travels beside every message: as a wrapper of the mailbox
/// element inside a site, as one more element of the message between sites.
struct trace_context {
  event_id trace; ///< The event that began it; none: nobody asked for this (a timer, a heartbeat).
  event_id cause; ///< The event that is being handled.

  explicit operator bool() const { return trace || cause; }
};
QNFV_MESSAGE(trace_context, trace, cause)

} // namespace qnfv
