// How strangers begin a data connection, and what they say of its trace in HTTP.

#include "drivers/channel_tcp/preface.hpp"
#include "runtime/tracing/w3c.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace qnfv;
using namespace qnfv::fuzz;

QNFV_FUZZER(data, size) {
  byte_view all{data, size};
  auto tail = preface_tail_bytes(all);
  auto x = decode_preface(all);
  hold(!x || (tail && all.size() == preface_head_bytes + *tail), "a preface is as long as its head says");
  if (x) {
    auto again = encode(*x);
    hold(std::equal(again.begin(), again.end(), all.begin(), all.end()), "a preface that was understood can be written");
  }
  parts in{data, size};
  w3c_headers headers;
  headers.traceparent = in.line();
  headers.tracestate = in.line();
  // The first digest of a process loads its library's algorithms.
  static const auto digests_are_loaded = to_w3c({{"co", 1, 1}, {"co", 1, 1}}, "lab");
  auto context = bounded(size, of_bytes, [&] { return from_w3c(headers, "lab"); });
  if (!context)
    return 0;
  auto written = to_w3c(context, "lab");
  hold(written.traceparent.substr(3, 49) == headers.traceparent.substr(3, 49), "a trace keeps its ids");
  auto again = from_w3c(written, "lab");
  hold(again.trace == context.trace && again.cause == context.cause, "a context that was understood can be written");
  return 0;
}
