#pragma once

#include "runtime/system/actor.hpp"

namespace qnfv {

/// What the actor works for when it serves a request from outside the lab: the trace that the request
/// says it is a part of; else one of its own, which begins with a note of it ("request", `text`).
trace_context trace_of_request(const located&, const trace_context& said, std::string_view text);

} // namespace qnfv
