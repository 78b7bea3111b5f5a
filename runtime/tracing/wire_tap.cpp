#include "runtime/tracing/wire_tap.hpp"

#include "runtime/tracing/context.hpp"
#include "runtime/tracing/recorder.hpp"

#include <algorithm>

namespace qnfv {

namespace {

/// Fits the text of a record in hexadecimal, behind "received 4294967295 B ".
constexpr size_t bytes_per_event = (trace_record::text_max - 22) / 2;

} // namespace

wire_tap::wire_tap(std::shared_ptr<recorder> to, std::shared_ptr<const clock> time, size_t bytes_max)
  : recorder_(bytes_max > 0 ? std::move(to) : nullptr), clock_(std::move(time)), bytes_max_(bytes_max) {}

void wire_tap::sent(const wire_ends& ends, const shown_bytes& x) const {
  record("sent ", ends.protocol, ends.here, ends.there, x);
}

void wire_tap::received(const wire_ends& ends, const shown_bytes& x) const {
  record("received ", ends.protocol, ends.there, ends.here, x);
}

void wire_tap::record(const char* how, const std::string& protocol, const std::string& from,
                      const std::string& to, const shown_bytes& x) const {
  byte_view piece{x.value};
  auto kept = std::min(piece.size(), in_datagrams(protocol) ? std::min(bytes_max_, bytes_per_event) : bytes_max_);
  for (size_t at = 0; at < kept;) {
    auto some = std::min(kept - at, bytes_per_event);
    // The last event stands for all that is not kept, too.
    auto stands_for = at + some < kept ? some : piece.size() - at;
    trace_record event;
    event.unix_ns = clock_->unix_ns();
    event.kind = trace_kind::note;
    event.trace = current_trace().trace;
    event.cause = current_trace().cause;
    event.say(from, to, protocol, how + std::to_string(stands_for) + " B " + to_hex(piece.part(at, some)));
    recorder_->record(event);
    at += some;
  }
}

} // namespace qnfv
