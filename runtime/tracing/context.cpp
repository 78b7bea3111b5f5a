#include "runtime/tracing/context.hpp"

namespace qnfv {

trace_context& current_trace() {
  static thread_local trace_context value;
  return value;
}

} // namespace qnfv
