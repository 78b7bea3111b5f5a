// A fault plan (config/faults), and what is drawn from it.

#include "runtime/faults/plan.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <cmath>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

fault_places some_places() {
  return {{"co<>dc1"}, {"co", "dc1"}, {"co/key_pool"}, {"bob1/alice1"}, {"polatis1:1"}, {"dc1"}};
}

} // namespace

QNFV_FUZZER(data, size) {
  auto x = bounded(size, of_json, [&] { return parse_fault_plan(text_of(data, size), "plan.json"); });
  if (!x) {
    hold(x.error().code == ec::bad_config && x.error().text.compare(0, 9, "plan.json") == 0,
         "an error names the file");
    return 0;
  }
  constexpr double span_s = 10;
  for (auto& planned : x->faults)
    if (planned.every_s > 0 && planned.every_s < 0.1)
      return 0; // Many faults are no fault of ours.
  auto drawn = draw_faults(*x, some_places(), 7, span_s);
  if (!drawn)
    return 0;
  double last = 0;
  for (auto& one : *drawn) {
    hold(one.at_s >= last && one.at_s < span_s, "faults come in order, within the span");
    last = one.at_s;
    hold(static_cast<bool>(parse_fault_place(traits(one.what.what).place, one.what.where)),
         "a drawn place is one");
    hold(std::isfinite(one.what.amount) && one.what.probability >= 0 && one.what.probability <= 1,
         "amounts are numbers and probabilities lie in 0..1");
  }
  return 0;
}
