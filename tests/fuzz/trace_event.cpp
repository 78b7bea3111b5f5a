// A line of a message trace, as another site sends it or a file holds it.

#include "runtime/tracing/event.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

QNFV_FUZZER(data, size) {
  auto x = bounded(size, of_json, [&] { return parse_trace_event(text_of(data, size)); });
  if (!x)
    return 0;
  auto written = to_json(*x);
  hold(written.find('\n') == std::string::npos, "an event is one line");
  auto again = parse_trace_event(written);
  hold(again && to_json(*again) == written, "an event that was understood can be written");
  return 0;
}
