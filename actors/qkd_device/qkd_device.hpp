#pragma once

#include "runtime/messages/links.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv {

struct qkd_device_config {
  device_id device;
  link_id link;
  site_id bob_site; ///< Whose link actor commands both devices.
  qkd_source_actor source;
  key_pool_actor key_pool;
  link_actor link_actor_handle;       ///< At Bob's end; null at Alice's.
  uint32_t block_keys_max = 4096;     ///< A larger block is refused.
  uint32_t request_timeout_ms = 2000; ///< For the driver.
};

struct qkd_device_state {
  static inline const char* name = "qkd_device";
  qkd_device_config config;
  uint32_t session = 0; ///< The one that runs; 0: none.
  uint64_t thrown_away = 0;

  /// Why a block must not enter a pool; empty if it may (invariant I24).
  std::string problem(const key_block& x) const;
};

/// The QKD DEVICE: owns one driver. Its keys go to the pool, its health to the link.
qkd_device_actor::behavior_type
qkd_device(stateful<qkd_device_actor, qkd_device_state>* self, qkd_device_config config);

} // namespace qnfv
