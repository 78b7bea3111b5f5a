#pragma once

#include "drivers/qkd_emulator/physics.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/system/actor.hpp"

#include <deque>
#include <map>
#include <random>
#include <set>

namespace qnfv {

struct qkd_emulator_config {
  device_id device;
  link_end end = link_end::bob;
  link_id link;
  double length_km = 0;
  double extra_loss_db = 0;
  /// Both ends derive the same bits from it, so no key ever crosses the network. Emulated keys are
  /// as secret as this seed: at least 32 bytes, one per lab.
  secret seed;
  site_id peer_site;
  qkd_source_actor peer;
  qkd_device_actor owner;
  uint32_t request_timeout_ms = 2000;
  /// Bob's end: the emulated switches on the way, and whose site says whether light passes them. With
  /// none of them the fibre is always there.
  std::map<switch_id, site_id> switches;
  uint32_t block_keys_max = 4096;  ///< More keys of one block are given out in several.
  double jitter_rate = 0.15;       ///< Of the sifted rate, per block.
  double jitter_qber = 0.002;      ///< Added to or taken from the QBER, per block.
  double jitter_calibration = 0.1;
  double skew_s = 2;               ///< Lab time; each end emits its copy of a block up to this late.
  qkd_parameters parameters;
};

struct qkd_emulator_state {
  static inline const char* name = "qkd_emulator";
  qkd_emulator_config config;
  line_conditions line;
  std::set<switch_id> passed; ///< The switches that let the light through.
  device_report report;
  uint32_t session = 0;      ///< The last one started; 0: none yet.
  bool running = false;
  uint64_t generation = 0;   ///< Of the timer that counts; older ticks are stale.
  uint64_t next_counter = 0;
  uint64_t blocks = 0;   ///< Of this session.
  uint32_t unshared = 0; ///< Keys of the block at hand that Alice's end does not know of yet.
  duration initialising{0};  ///< Lab time spent until the first key.
  line_figures block;        ///< Of the block under way, with its jitter.
  std::mt19937_64 jitter;
  std::deque<block_id> due; ///< Blocks of this session that this end has yet to emit.
};

/// The bits of one block: AES-256-CTR under a key that HKDF-SHA256 derives from the seed, link,
/// session and first counter.
secret emulated_bits(const secret& seed, const block_id& block);

/// The QKD SOURCE driver of one emulated device. Bob's end runs the physics and the phases; at the
/// end of each block it tells Alice's end over the emulated classical channel, and only a block that
/// both ends know becomes keys.
qkd_source_actor::behavior_type
qkd_emulator(stateful<qkd_source_actor, qkd_emulator_state>* self, qkd_emulator_config config);

} // namespace qnfv
