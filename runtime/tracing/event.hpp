#pragma once

#include "runtime/messages/trace.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qnfv {

enum class trace_kind : uint8_t {
  send,    ///< A message left this site for another.
  receive, ///< A message entered an actor's mailbox.
  reply,   ///< The answer to a request entered the asker's mailbox.
  note,    ///< Something that is no message: a state changed, bytes flowed, a fault was injected.
  drop,    ///< A message was thrown away on purpose: partition, unknown role, fenced sender.
};
std::string to_string(trace_kind);

/// One line of the message trace. No key bits by construction: texts come from printing messages,
/// and a secret prints as its size.
///
/// `cause` names the event during whose handling this one was made ("site:epoch:sequence"), also
/// across sites. `trace` groups all that follows from one request of an operator: it is the id of the
/// event that began it.
struct trace_event {
  int64_t unix_ns = 0;   ///< When; virtual time in a simulation.
  std::string site;      ///< Where it was recorded.
  uint32_t epoch = 0;    ///< Which start of the site recorded it.
  uint64_t sequence = 0; ///< Grows by one per event of a site and epoch.
  trace_kind kind = trace_kind::note;
  std::string trace;     ///< Empty outside any request.
  std::string cause;     ///< Empty for a beginning.
  std::string from;      ///< "site/role"
  std::string to;        ///< "site/role"
  std::string message;   ///< Name of the message type.
  std::string text;      ///< Its fields, shortened.

  std::string id() const { return to_string(event_id{site, epoch, sequence}); }
};

/// The same, of whoever keeps its texts.
struct trace_view {
  int64_t unix_ns = 0;
  std::string_view site;
  uint32_t epoch = 0;
  uint64_t sequence = 0;
  trace_kind kind = trace_kind::note;
  std::string_view trace, cause, from, to, message, text;
};

/// One JSON object without line breaks; keys: t, site, epoch, seq, kind, trace, cause, from, to, msg, text.
std::string to_json(const trace_event&);
/// Writes it at `to`, where json_room() bytes must be; returns its end.
char* write_json(char* to, const trace_view&);
size_t json_room(const trace_view&);
/// Nothing if the line is no such object, of what no site is called, or of a time before 1896 or after 2116:
/// differences are numbers.
/// Texts are UTF-8 (as_utf8), whatever the line is.
std::optional<trace_event> parse_trace_event(std::string_view json);

} // namespace qnfv
