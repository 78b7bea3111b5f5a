#pragma once

#include "runtime/messages/wire.hpp"

#include <string>

namespace qnfv {

/// What the running handler works for. Travels beside every message: as a wrapper of the mailbox
/// element inside a site, as one more element of the message between sites.
struct trace_context {
  std::string trace; ///< Empty: nobody asked for this (a timer, a heartbeat).
  std::string cause; ///< Id of the event that is being handled.

  explicit operator bool() const { return !trace.empty() || !cause.empty(); }
};
QNFV_MESSAGE(trace_context, trace, cause)

} // namespace qnfv
