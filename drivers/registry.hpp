#pragma once

// Every driver by name, nothing else. A topology names drivers; this turns a name into something
// that starts one.

#include "drivers/switch_emulator/servers.hpp"
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

struct switch_driver_settings {
  std::string driver; ///< "switch_emulator" (in this process, without a protocol), "switch_openflow",
                      ///< "switch_scpi" or "switch_restconf"
  switch_id name;
  port_number size = 24; ///< N of N x N.
  optical_switch_actor owner;
  uint32_t request_timeout_ms = 2000;
  // For switch_emulator:
  uint32_t settle_ms = 25; ///< Until its mirrors stand still.
  std::vector<crossing_link> links; ///< Whose light crosses it.
  /// Of switch_openflow, where we listen and the switch dials; of switch_scpi and switch_restconf,
  /// where the switch listens.
  std::string address = "127.0.0.1:6633";
  bool beyond_loopback = false; ///< Of switch_openflow.
  uint64_t datapath = openflow_datapath_default;
  // For switch_restconf:
  bool plain = false;           ///< HTTP without TLS.
  std::string ca;               ///< PEM file: whose certificates are trusted.
  std::string certificate_name; ///< In the switch's certificate; empty: its host.
  std::string user;
  secret password;
};

/// A SWITCH driver; a port that it listens on is open when this returns. Failures: bad_config,
/// site_unreachable (the port is taken).
result<driver_start> switch_driver(caf::actor_system&, environment_ptr,
                                   const switch_driver_settings&);

struct emulated_switch_settings {
  switch_id name;
  port_number size = 24;
  uint32_t settle_ms = 25; ///< Until its mirrors stand still.
  std::vector<crossing_link> links;
  switch_server_settings servers;
};

/// A switch of a lab that is reached as a real one would be: by its protocols, from another driver.
/// Its handle is for faults. Failures: bad_config, site_unreachable (a port is taken).
result<driver_start> emulated_switch(caf::actor_system&, environment_ptr,
                                     const emulated_switch_settings&);

} // namespace qnfv
