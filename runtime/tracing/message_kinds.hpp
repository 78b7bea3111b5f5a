#pragma once

#include "runtime/tracing/text_writer.hpp"

namespace qnfv {

/// What the trace does with a type of message.
struct message_kind {
  bool worth_recording = false;
  /// Prints one at `message`. Null: CAF must.
  void (*write)(text_writer&, const void* message) = nullptr;
};

/// By its first element; the type of a message has one kind for good.
const message_kind& kind_of(const caf::type_erased_tuple& content);

/// Prints its first element.
void write_text(text_writer& to, const caf::type_erased_tuple& content);

} // namespace qnfv
