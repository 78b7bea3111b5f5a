#pragma once

// What the devices do over fibres of several lengths, as simulated links report it (Figs 7 to 9).

#include "runtime/base/result.hpp"

#include <cstdint>
#include <vector>

namespace qnfv {

/// Mean, least and largest of what was measured.
class spread {
public:
  void add(double);
  size_t count() const { return count_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  double least() const { return least_; }
  double most() const { return most_; }

private:
  size_t count_ = 0;
  double sum_ = 0;
  double least_ = 0;
  double most_ = 0;
};

struct line_measurement {
  double length_km = 0;
  spread initialisation_s; ///< Of sessions: from the start to the first keys.
  spread secret_rate_bps;  ///< Of blocks, while the link distils.
  spread qber;             ///< Of blocks, 0..1.
  double loss_db = 0;      ///< As Bob measured it.
};

struct line_survey {
  std::vector<line_measurement> lines;
  double lab_time_s = 0;
};

/// Lengths beyond this give sessions without a key: the QBER is over the limit.
constexpr double survey_length_max_km = 26;
constexpr size_t survey_lengths_max = 20;

/// One Bob serves an Alice per length in turn, through one optical switch, until each has had
/// `sessions` sessions. Errors: invalid_argument (no, too many or too long lengths), device_failed (a
/// link that makes no keys).
result<line_survey> survey_lines(const std::vector<double>& lengths_km, uint32_t sessions,
                                 uint64_t seed);

} // namespace qnfv
