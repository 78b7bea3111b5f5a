// OpenDaylight's northbound: the first line is the target, the rest a flow in JSON or XML.

#include "drivers/http/json.hpp"
#include "drivers/northbound/elements.hpp"
#include "drivers/northbound/flows.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

void judge(const result<flow_config>& x) {
  if (!x)
    return hold(x.error().code == ec::invalid_argument, "what is no flow is an invalid argument");
  hold(x->ingress > 0 && x->egress > 0, "a flow goes from a port to a port");
  auto written = print_flow(*x);
  auto again = parse_flow_json(written);
  hold(again && print_flow(*again) == written, "a flow that was understood can be written");
  hold(bool{parse_object(print_flows({*x, *x}))}, "a list of flows is JSON");
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  auto target = bounded(size, of_bytes, [&, line = in.line()] { return parse_flow_target(line); });
  hold((target.level >= flow_target::depth::flow) == !target.name.empty(),
       "a target that goes as far as a flow names it");
  auto body = in.rest_text();
  judge(bounded(size, of_json, [&] { return parse_flow_json(body); }));
  judge(bounded(size, of_json, [&] { return parse_flow_xml(body); }));
  if (auto leaves = parse_elements(body))
    hold(leaves->size() <= xml_leaves_max, "a document has few leaves");
  return 0;
}
