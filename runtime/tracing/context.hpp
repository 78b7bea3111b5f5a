#pragma once

#include "runtime/messages/trace.hpp"

#include <utility>

namespace qnfv {

/// The context of the handler that this thread runs.
trace_context& current_trace();

/// Sets it for a while: around a handler, or where a callback of an I/O thread continues a transfer.
class trace_scope {
public:
  explicit trace_scope(const trace_context& x) : outer_(std::exchange(current_trace(), x)) {}
  ~trace_scope() { current_trace() = outer_; }
  trace_scope(const trace_scope&) = delete;
  trace_scope& operator=(const trace_scope&) = delete;

private:
  const trace_context outer_;
};

} // namespace qnfv
