#pragma once

// Conversation: from "this pair shall make keys" to the keys.
//
//   scheduler --serve_link---> link                       (a shared Bob; see schedule.hpp)
//   link --connect_path------> sdn_controller             (fibres over a switch; see paths.hpp)
//   link --start_distilling--> qkd_device --start_distilling--> driver     (at Bob's and at Alice's)
//   driver --device_report---> qkd_device --device_report-----> link       (Bob's end only)
//   driver --key_block-------> qkd_device --key_block---------> key_pool
//   qkd_emulator (Bob) --emulated_block--> qkd_emulator (Alice)
//   qkd_idq3p, qkd_etsi014 (Bob) --drawn_block--> the same driver (Alice)

#include "runtime/base/ids.hpp"
#include "runtime/messages/admin.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/paths.hpp"

#include <vector>

namespace qnfv {

/// Starts a session. Repeating it changes nothing; a session number below the link's last one is
/// refused, and so is a command of an older scheduler.
struct start_distilling {
  link_id link;
  uint32_t session = 0;
  uint64_t epoch = 0; ///< Of the scheduler on whose word it is done; 0: a Bob of one link has none.
};
QNFV_MESSAGE(start_distilling, link, session, epoch)

struct stop_distilling {
  link_id link;
};
QNFV_MESSAGE(stop_distilling, link)

/// What a fault, an eavesdropper or a dirty connector does to an emulated line. May change while a
/// session runs; the next block shows it.
struct line_conditions {
  double extra_loss_db = 0;
  double visibility = 0.99;        ///< Interference visibility, 0..1.
  double noise_factor = 1;         ///< Multiplies the noise clicks per gate.
  double eavesdropper_share = 0;   ///< Share of pulses that Eve intercepts and resends, 0..1.
  bool light = true;               ///< False: the fibre is cut.
  double mismatch_share = 0;       ///< Share of blocks of which the two ends' copies differ by a bit.
  double flood_factor = 1;         ///< A broken device: so many times the keys that it could make.
};
QNFV_FIELDS(line_conditions, extra_loss_db, visibility, noise_factor, eavesdropper_share, light,
            mismatch_share, flood_factor)

struct set_line {
  link_id link;
  line_conditions line;
};
QNFV_MESSAGE(set_line, link, line)

/// What a Clavis2-like device does, in order (start-up: Fig. 7 of the paper ends at keys_ready).
enum class qkd_phase : uint8_t {
  idle,
  line_measure,
  sync,
  visibility,
  raw_exchange,
  reconcile,
  amplify,
  keys_ready,
  lost,   ///< No light, or the peer device is gone; the unfinished block is thrown away.
  failed, ///< The device refused or broke.
};
std::string to_string(qkd_phase);

/// A driver's event: the phase changed, or a block ended (well or badly). Measured values of the
/// last block; zero before the first.
struct device_report {
  link_id link;
  uint32_t session = 0;
  qkd_phase phase = qkd_phase::idle;
  double qber = 0;              ///< 0..1.
  double loss_db = 0;
  double secret_rate_bps = 0;   ///< Secret key bits per second.
  double initialisation_s = 0;  ///< Set with the first block.
  uint64_t keys = 0;            ///< Of this session so far.
  uint64_t failed_blocks = 0;   ///< Blocks that gave no key: QBER over the limit.
  std::string reason;           ///< For lost and failed.
};
QNFV_MESSAGE(device_report, link, session, phase, qber, loss_db, secret_rate_bps, initialisation_s,
             keys, failed_blocks, reason)

struct device_status_query {};
QNFV_SIGNAL(device_status_query)

/// From Bob's emulator to Alice's, over the emulated classical channel: this block is finished, make
/// your copy. Carries no key bits: both ends derive them from the lab's emulation seed.
/// Errors: device_failed (no such session).
struct emulated_block {
  block_id block;
};
QNFV_MESSAGE(emulated_block, block)

/// From Bob's driver to Alice's, where the keys lie in key servers of another make at both ends: Bob's
/// end has drawn these keys. Key i of the block is called names[i] there; fetch yours. Carries no key
/// bits. Errors: device_failed (no such session, or Alice's key server does not answer), busy,
/// invalid_argument.
struct drawn_block {
  block_id block;
  std::vector<std::string> names;
};
QNFV_MESSAGE(drawn_block, block, names)

/// What Alice's end has fetched: positions in the names, ascending. The block that both ends emit has
/// exactly these keys, numbered from `block.first` on; of fewer than 3 there is no block. A key that
/// one end only has is thrown away.
struct block_fetched {
  block_id block; ///< Its `count` is the number of keys fetched.
  std::vector<uint32_t> held;
};
QNFV_MESSAGE(block_fetched, block, held)

/// The QKD SOURCE interface: what every device driver offers. Promises, tested by
/// tests/conformance/qkd_source_test.cpp on every driver:
///  - both commands may be repeated; repeating changes nothing;
///  - no key before calibration ended, none after `stop_distilling` was answered;
///  - ids of one source never repeat, also not after a restart;
///  - both ends of a session produce the same blocks.
/// A driver sends key_block and device_report to its qkd_device.
using qkd_source_actor = actor_of<
  // Errors: unknown_link, stale_epoch (an older session), device_failed.
  caf::result<accepted>(start_distilling),
  caf::result<accepted>(stop_distilling),
  // Emulators only; others answer invalid_argument.
  caf::result<accepted>(set_line),
  caf::result<accepted>(emulated_block),
  caf::result<void>(fibre_light),
  // From Bob's end to Alice's; emulators answer invalid_argument.
  caf::result<block_fetched>(drawn_block),
  caf::result<device_report>(device_status_query),
  caf::result<void>(peer_up), caf::result<void>(peer_down), caf::result<void>(tick),
  caf::result<void>(continuation)>;

/// The QKD DEVICE interface: owns one driver per link that ends here, and runs one at a time; passes
/// their keys to the pool and their health to the link. A key block of another session than the one
/// last started is thrown away and counted.
using qkd_device_actor = actor_of<
  // As the source, and: busy (a session of another link runs: stop that one first).
  caf::result<accepted>(start_distilling),
  caf::result<accepted>(stop_distilling),
  caf::result<accepted>(set_line),
  caf::result<void>(key_block),
  caf::result<void>(device_report),
  caf::result<device_report>(device_status_query),
  caf::result<void>(peer_up), caf::result<void>(peer_down)>;

/// The states of one Alice-Bob pair (actors/link/transitions.hpp).
enum class link_state : uint8_t { off, switching, initialising, distilling, releasing, lost, failed };
constexpr size_t link_state_count = 7;
std::string to_string(link_state);

/// The same in the words of ETSI GS QKD 015: ACTIVE makes keys, PENDING is on the way to it, PASSIVE
/// could be started, OFF cannot.
std::string etsi_015(link_state);

struct link_status_query {};
QNFV_SIGNAL(link_status_query)

struct link_status {
  link_id link;
  site_id bob_site;
  site_id alice_site;
  double length_km = 0;
  link_state state = link_state::off;
  uint32_t session = 0;
  uint32_t attempts = 0; ///< Sessions in a row that ended without a key.
  device_report device;
  std::string reason;    ///< Why it is lost or failed.
  bool serving = false;  ///< Bob is its own, whatever the state.
  uint64_t epoch = 0;    ///< Of the scheduler it obeys.
  uint64_t visit = 0;    ///< Of the last serve_link that it took; 0 after a start.
  // Measured over its sessions, for planning; 0 before the first.
  double mean_initialisation_s = 0;
  double mean_secret_rate_bps = 0;
  double mean_qber = 0;
  uint32_t sessions_with_keys = 0;
};
QNFV_MESSAGE(link_status, link, bob_site, alice_site, length_km, state, session, attempts, device,
             reason, serving, epoch, visit, mean_initialisation_s, mean_secret_rate_bps, mean_qber,
             sessions_with_keys)

/// "I schedule this link from now on." Errors: stale_epoch (it obeys a higher one, as its link_status
/// says); a new scheduler then goes above that, an old one stands down.
struct claim_link {
  link_id link;
  uint64_t epoch = 0;
};
QNFV_MESSAGE(claim_link, link, epoch)

/// "Bob is yours." Path, initialisation, keys, until it is released or fails. A session that is lost
/// or refused ends the visit: the link lets go of Bob and says so; it does not try again by itself.
/// Commands and statuses cross on their way: the visit's number tells which status knows of which command.
struct serve_link {
  link_id link;
  uint64_t epoch = 0;
  uint64_t visit = 0; ///< Grows with each visit of this link.
};
QNFV_MESSAGE(serve_link, link, epoch, visit)

/// "Let go of Bob." The link_status that is not `serving` comes when Bob and the path are free.
struct release_link {
  link_id link;
  uint64_t epoch = 0;
};
QNFV_MESSAGE(release_link, link, epoch)

/// A link's own timers; see `tick`.
struct link_tick {
  uint64_t generation = 0;
  bool health = false; ///< Look after both devices; otherwise: begin another session.
};
QNFV_MESSAGE(link_tick, generation, health)

/// The LINK interface: one Alice-Bob pair, at Bob's site.
using link_actor = actor_of<
  caf::result<void>(device_report),
  caf::result<link_status>(link_status_query),
  // From the scheduler; a link that has its Bob for itself answers invalid_argument.
  // Errors: stale_epoch, not_allowed, site_unreachable (Alice's site has not joined), busy (it still
  // lets go of its last visit).
  caf::result<link_status>(claim_link),
  caf::result<accepted>(serve_link), caf::result<accepted>(release_link),
  // From the SDN controller.
  caf::result<void>(path_lost),
  caf::result<void>(link_tick),
  caf::result<void>(peer_up), caf::result<void>(peer_down)>;

/// All links that end at this site's Bobs. Asked by operators of the orchestrator.
struct links_query {};
QNFV_SIGNAL(links_query)

struct link_list {
  std::vector<link_status> links;
};
QNFV_MESSAGE(link_list, links)

} // namespace qnfv
