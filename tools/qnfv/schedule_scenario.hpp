#pragma once

// A scenario of the scheduler's benchmark, as config/schedules/*.json has it. Pure.

#include "runtime/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

struct scenario_link {
  double rate_bps = 0;
  double initialisation_s = 0;
  double capacity_bits = 0;
  double pool_bits = 0; ///< At the start.
};

/// Requests that draw the same number of bits from every link of a path, or nothing at all.
struct scenario_flow {
  std::vector<size_t> path;
  double bits = 0;            ///< Per request.
  double rps = 0;             ///< Requests a second, of bursts all their requests.
  unsigned burst = 1;         ///< Requests that come together,
  double gap_s = 0;           ///< and the time between two of them.
  double daily_amplitude = 0; ///< rps * (1 + a cos(2 pi (hour - phase) / 24))
  double daily_phase_h = 0;
  struct crowd {
    double at_s = 0, duration_s = 0, factor = 1;
  };
  std::vector<crowd> crowds;
  double declared_bps = 0; ///< What somebody said; 0: nothing.

  double mean_bps() const { return rps * bits; }
  /// The factor at a time: of the day and of crowds.
  double factor(double t) const;
  double factor_max() const;
};

struct scenario_fault {
  enum class kind { bob_down, link_down, degrade };
  kind what = kind::bob_down;
  size_t id = 0;
  double at_s = 0;
  double duration_s = 0; ///< Of a degradation: until it is complete; it stays.
  double rate_factor = 1, initialisation_factor = 1;
};

struct schedule_scenario {
  std::string name;
  std::string note;
  uint64_t seed = 0;
  double horizon_s = 0;
  double tick_s = 10;
  double switch_s = 0.025;
  size_t bobs = 1;
  size_t spares = 0;
  double spare_delay_s = 0;                  ///< From the alarm to its first visit.
  double spare_hold_s = 0;                   ///< It stays so long after the alarm ended.
  double initialisation_cv = 0, rate_cv = 0; ///< Coefficients of variation, per visit.
  double initialisation_fails = 0;           ///< Probability.
  double warm_window_s = 0, warm_factor = 1; ///< Again within the window: so much of the time.
  std::vector<scenario_link> links;
  std::vector<scenario_flow> flows;
  std::vector<scenario_fault> faults;

  /// Mean demand per link, all flows that draw from it.
  std::vector<double> demand_bps() const;
};

constexpr size_t scenario_links_max = 10000;
constexpr double scenario_horizon_max_s = 400.0 * 86400;

/// Errors: bad_config, with file and line.
result<schedule_scenario> parse_scenario(std::string_view text, const std::string& file);

} // namespace qnfv
