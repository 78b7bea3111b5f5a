// A topology file. What it says of foreign sites, and what people write into it.

#include "runtime/config/topology.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

/// And the schema that a file is checked against.
constexpr allowance of_topologies{of_json.per_byte, 2u << 20};

QNFV_FUZZER(data, size) {
  auto x = bounded(size, of_topologies,
                   [&] { return parse_topology(text_of(data, size), "lab.json"); });
  if (!x) {
    hold(x.error().code == ec::bad_config && x.error().text.compare(0, 9, "lab.json:") == 0,
         "an error names the file");
    return 0;
  }
  auto written = topology_to_json(*x);
  auto again = parse_topology(written, "written.json");
  hold(again && topology_to_json(*again) == written, "a topology reads back to the same");
  return 0;
}
