#include "runtime/system/outside_request.hpp"

#include "runtime/tracing/recorder.hpp"

namespace qnfv {

trace_context trace_of_request(const located& self, const trace_context& said, std::string_view text) {
  auto& env = self.env();
  if (said || !env.recorder)
    return said;
  trace_record x;
  x.unix_ns = env.clock->unix_ns();
  x.say(self.address(), self.address(), "request", text);
  auto id = env.recorder->record(x, true);
  return {id, id};
}

} // namespace qnfv
