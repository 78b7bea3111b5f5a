#pragma once

#include "runtime/tracing/event.hpp"

#include <caf/type_erased_tuple.hpp>

namespace qnfv {

/// One event as the recorder takes and keeps it: plain bytes that name their own end, so that to keep
/// it is to copy them. Nothing of the message lives on in it, its texts are printed at once: a secret
/// is gone when its message is gone.
class trace_record {
public:
  static constexpr size_t text_max = 300;   ///< Characters kept of a message's text,
  static constexpr size_t message_max = 40; ///< of its name,
  static constexpr size_t address_max = 100; ///< and of an address.

  trace_record() {} // Leaves the texts as they are.

  int64_t unix_ns = 0;
  event_id id;    ///< Given by the recorder.
  event_id trace; ///< None: outside any request.
  event_id cause; ///< None: a beginning.
  trace_kind kind = trace_kind::note;

  std::string_view from() const { return {chars_, from_size_}; }
  std::string_view to() const { return {chars_ + from_size_, to_size_}; }
  std::string_view text() const { return {chars_ + from_size_ + to_size_, text_size_}; }
  std::string_view message() const {
    return {chars_ + from_size_ + to_size_ + text_size_, message_size_};
  }

  /// Sets all texts. What is too long is cut.
  void say(std::string_view from, std::string_view to, std::string_view message, std::string_view text);
  /// The same of a message, which says its name and text itself.
  void say(std::string_view from, std::string_view to, const caf::type_erased_tuple& content);

  /// Keeps all but the text.
  void say_instead(std::string_view text);

  /// All that counts, the texts in one piece behind the rest.
  std::string_view bytes() const;

private:
  char* put_addresses(std::string_view from, std::string_view to);
  /// A text of so many characters is in place; it may be longer than it should.
  void end_text(size_t size);
  void put_message(std::string_view);

  uint8_t from_size_ = 0;
  uint8_t to_size_ = 0;
  uint8_t message_size_ = 0;
  uint8_t zero_[2] = {}; ///< No byte without a meaning: records are hashed.
  uint16_t text_size_ = 0;
  char chars_[2 * address_max + text_max + 4 + message_max];
};

/// As the tools know it, and as a line.
trace_event to_event(const trace_record&);
void append_json(std::string& to, const trace_record&);

} // namespace qnfv
