#pragma once

// Lives of labs in which things go wrong by a plan.

#include "tests/support/lab.hpp"
#include "tools/qnfv/compose.hpp"
#include "tools/qnfv/sim_run.hpp"

#include <algorithm>

namespace qnfv::test {

inline fault_plan load_plan(const std::string& path) {
  auto x = load_fault_plan(path);
  if (!x)
    throw std::runtime_error(x.error().text);
  return *x;
}

/// What came of it; every violation fails the test.
inline sim_outcome live_soundly(const sim_setting& x) {
  auto out = live(x, {});
  INFO((out ? "" : out.error().text));
  REQUIRE(out);
  for (auto& each : out->violations)
    UNSCOPED_INFO(x.lab.name << ", " << (x.faults ? x.faults->name : "no faults") << ", seed " << x.seed
                             << ", after " << each.at_s << " s: " << each.what);
  CHECK(out->violations.empty());
  return *out;
}

/// A lab in which a story may make things go wrong as an operator would.
class faulty_lab : public lab {
public:
  explicit faulty_lab(const std::string& topology = two_site, uint64_t seed = 7)
    : lab(load(topology), seed, {true, nullptr}) {
    sim().watch_trace([this](const trace_record& x) {
      if (x.kind == trace_kind::note)
        notes_.push_back(to_event(x));
    });
  }

  void goes_wrong(fault_kind what, const std::string& where, duration span, double amount = -1) {
    fault x;
    x.what = what;
    x.where = where;
    x.amount = amount >= 0 ? amount : traits(what).amount_default;
    x.for_s = to_seconds(span);
    auto done = sim().inject(x);
    INFO((done ? "" : done.error().text));
    REQUIRE(done);
  }

  /// Such a note was left at the site.
  bool noted(const std::string& site, const std::string& what, const std::string& words) const {
    return std::any_of(notes_.begin(), notes_.end(), [&](auto& x) {
      return x.site == site && x.message == what && x.text.find(words) != std::string::npos;
    });
  }

private:
  std::vector<trace_event> notes_;
};

} // namespace qnfv::test
