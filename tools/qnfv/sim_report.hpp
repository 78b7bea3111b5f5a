#pragma once

#include "tools/qnfv/sim_run.hpp"

namespace qnfv {

std::string to_json(const sim_outcome&, const std::string& topology);
/// Reads it back. Nothing if it is no such object.
std::optional<sim_outcome> parse_sim_outcome(const std::string& json);

/// Many lives of one lab.
struct sim_series {
  std::string topology; ///< Its file, as the user named it.
  std::string plan;     ///< The plan's file; empty: none.
  std::string span;
  double orders_per_h = 2;
  double callers_per_h = 0;
  uint64_t first = 1;
  uint64_t last = 1;
  std::set<fault_kind> wanted; ///< Kinds that must fire.

  sim_outcome sum;                             ///< Added up; the hash is over all hashes.
  std::vector<std::pair<uint64_t, invariant_checker::violation>> violations; ///< With their seeds.

  void add(const sim_outcome&);
  std::vector<fault_kind> not_fired() const;
  /// The command that lives one of them again.
  std::string repeat(uint64_t seed) const;
};

std::string to_json(const sim_series&, double wall_s);
std::string render(const sim_series&, double wall_s);
std::string render(const sim_outcome&, const std::string& lab);
/// The invariant, when, what led to it.
std::string render(const invariant_checker::violation&);

} // namespace qnfv
