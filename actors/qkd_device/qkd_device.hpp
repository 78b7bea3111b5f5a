#pragma once

#include "runtime/messages/links.hpp"
#include "runtime/storage/epoch_fence.hpp"
#include "runtime/system/actor.hpp"

#include <optional>
#include <vector>

namespace qnfv {

struct qkd_device_config {
  /// One link that ends at this device.
  struct line {
    link_id link;
    site_id bob_site;             ///< Whose link actor commands both devices.
    qkd_source_actor source;      ///< The driver.
    link_actor link_actor_handle; ///< At Bob's end; null at Alice's.
  };
  device_id device;
  std::vector<line> lines;
  key_pool_actor key_pool;
  uint32_t block_keys_max = 4096;     ///< A larger block is refused.
  uint32_t request_timeout_ms = 2000; ///< For a driver.
};

struct qkd_device_state {
  static inline const char* name = "qkd_device";
  qkd_device_config config;
  link_id running;      ///< The link whose session runs; empty: none does.
  uint32_t session = 0; ///< Its number; 0: none.
  epoch_fence fence;
  uint64_t thrown_away = 0;

  const qkd_device_config::line* line(const link_id&) const;
  /// Why a block must not enter a pool; empty if it may (invariants I24, I25).
  std::string problem(const key_block& x) const;
};

/// The QKD DEVICE: owns one driver per link and runs one at a time. Keys go to the pool, health goes
/// to the link. Remembers the epoch of the youngest scheduler in the file "epochs/device-NAME".
qkd_device_actor::behavior_type
qkd_device(stateful<qkd_device_actor, qkd_device_state>* self, qkd_device_config config);

} // namespace qnfv
