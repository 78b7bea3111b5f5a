#pragma once

// Every driver by name, nothing else. A topology names drivers; this turns a name into something
// that starts one.

#include "runtime/base/result.hpp"
#include "runtime/base/secret.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/system/environment.hpp"

#include <functional>
#include <string>

namespace qnfv {

/// Starts a driver actor, again after each of its deaths.
using driver_start = std::function<caf::strong_actor_ptr()>;

struct qkd_source_settings {
  std::string driver; ///< "qkd_emulator", "qkd_idq3p" or "qkd_etsi014"
  device_id device;
  link_end end = link_end::bob;
  link_id link;
  double length_km = 0;
  double extra_loss_db = 0;
  secret seed;
  site_id peer_site;
  qkd_source_actor peer;
  qkd_device_actor owner;
  uint32_t request_timeout_ms = 2000;
  key_pool_actor key_pool;        ///< Of this end: keys are drawn while it has room,
  uint32_t pool_keys_max = 20000; ///< which is for so many.
  std::string server; ///< The key server beside this end, "HOST:PORT"; not for an emulator.
  // For qkd_etsi014:
  std::string sae;          ///< What this end is called there, and the other one.
  std::string other_sae;
  std::string kme;          ///< In the server's certificate; empty: its host.
  std::string certificates; ///< Folder with ca.pem, SAE.pem, SAE.key.
};

/// Failure: bad_config for a name that is no driver.
result<driver_start> qkd_source_driver(caf::actor_system&, environment_ptr, qkd_source_settings);

struct key_server_settings {
  std::string listen = "127.0.0.1:5323";
  bool beyond_loopback = false;
  bool answer_damaged = false;
  link_id link;
  site_id peer; ///< The other end of the link.
  key_pool_actor key_pool;
};

/// The IDQ3P server of one end of one link; its port is open when this returns. Failures:
/// bad_config, site_unreachable (the port is taken).
result<driver_start> idq3p_driver(caf::actor_system&, environment_ptr, const key_server_settings&);

/// "vim_emulator" or "vim_docker" (whose engine listens on `socket`). Failure: bad_config.
result<driver_start> vim_driver(caf::actor_system&, environment_ptr, const std::string& name,
                                const std::string& socket);

} // namespace qnfv
