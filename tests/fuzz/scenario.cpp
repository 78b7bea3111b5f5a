// A scenario of the scheduler's benchmark (config/schedules).

#include "tests/fuzz/fuzz.hpp"
#include "tools/qnfv/schedule_scenario.hpp"

#include <cmath>

using namespace qnfv;
using namespace qnfv::fuzz;

QNFV_FUZZER(data, size) {
  auto x = bounded(size, of_json, [&] { return parse_scenario(text_of(data, size), "week.json"); });
  if (!x) {
    hold(x.error().code == ec::bad_config && x.error().text.compare(0, 9, "week.json") == 0,
         "an error names the file");
    return 0;
  }
  hold(x->links.size() <= scenario_links_max && x->horizon_s <= scenario_horizon_max_s,
       "a scenario has bounds");
  for (auto& flow : x->flows)
    for (auto link : flow.path)
      hold(link < x->links.size(), "a flow goes over links that there are");
  for (auto demand : x->demand_bps())
    hold(std::isfinite(demand) && demand >= 0, "demand is a number");
  return 0;
}
