#pragma once

// Inside the simulation only.

#include "drivers/store_memory/store_memory.hpp"
#include "tools/qnfv/simulation.hpp"

namespace qnfv {

inline std::pair<site_id, site_id> pair_of(const site_id& a, const site_id& b) {
  return a < b ? std::make_pair(a, b) : std::make_pair(b, a);
}

/// One site: what a crash destroys, and what it leaves.
struct simulation::site_world {
  std::shared_ptr<memory_storage> files = std::make_shared<memory_storage>();
  std::shared_ptr<memory_records> records = std::make_shared<memory_records>();
  environment_ptr env;
  std::shared_ptr<gates> all_gates;
  std::shared_ptr<fault_board> board; ///< Null: no faults.
  caf::strong_actor_ptr node;
};

} // namespace qnfv
