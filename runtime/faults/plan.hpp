#pragma once

// Fault plans: data that says what shall go wrong in a lab or a simulation (config/faults/*.json).
//
//   { "name": "storm", "about": "...", "faults": [
//     {"fault": "drop", "where": "co<>dc1", "at_s": 10, "for_s": 60, "probability": 0.3},
//     {"fault": "delay", "delay_ms": [10, 500], "every_s": 300},
//     {"fault": "restart", "where": "co/key_pool", "at_s": 0, "on_message": "assign_keys", "nth": 3}]}
//
// Without "where" each occasion draws a place of its own. [low, high] is drawn evenly. "every_s" is the
// mean of the gaps, which are drawn too. Same plan, places and seed: same faults.

#include "runtime/config/json.hpp"
#include "runtime/messages/faults.hpp"

#include <set>

namespace qnfv {

/// Drawn evenly between the two.
struct fault_range {
  double low = 0;
  double high = 0;
};

struct planned_fault {
  fault_kind what = fault_kind::drop;
  std::string where;        ///< Empty: any place of its sort.
  fault_range amount;
  fault_range probability{1, 1};
  fault_range for_s;
  double at_s = -1;         ///< Once, then; below 0: at random times.
  double every_s = 0;       ///< Mean gap between two of them; 0: `at_s` only.
  uint32_t times = 0;       ///< At most; 0: as often as it comes.
  std::string message;      ///< See `fault`.
  uint32_t nth = 0;
};

struct fault_plan {
  std::string name;
  std::string about;
  std::vector<planned_fault> faults;
};

/// Errors: bad_config, one line: file, line, path of the bad value, what is wrong.
result<fault_plan> load_fault_plan(const std::string& path);
result<fault_plan> parse_fault_plan(std::string_view text, const std::string& file_name);
std::string_view fault_plan_schema();

/// Everything a lab has that can go wrong, as `fault::where` names it.
struct fault_places {
  std::vector<std::string> edges; ///< "a<>b", of each pair of sites that talk.
  std::vector<std::string> sites;
  std::vector<std::string> roles;
  std::vector<std::string> links;
  std::vector<std::string> ports;
  std::vector<std::string> vims;

  const std::vector<std::string>& of(fault_place) const;
};

/// Error: invalid_argument if a lab with these places does not have this one, with those it has.
status check_place(const fault_places&, fault_kind, const std::string& where);

struct timed_fault {
  double at_s = 0;
  fault what;
};

/// What happens in the first `span_s` seconds, in order. A fault that names a place the lab does not
/// have is an error (invalid_argument); one that may be anywhere, and has nowhere to be, is left out.
result<std::vector<timed_fault>> draw_faults(const fault_plan&, const fault_places&, uint64_t seed,
                                             double span_s);

/// The kinds that `draw_faults` leaves out for want of a place.
std::set<fault_kind> placeless(const fault_plan&, const fault_places&);

} // namespace qnfv
