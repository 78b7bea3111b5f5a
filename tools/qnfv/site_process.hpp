#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/config/topology.hpp"

#include <string>

namespace qnfv {

struct site_process_settings {
  topology lab;
  site_id site;
  std::string state;         ///< Folder of everything durable.
  std::string pki;           ///< Folder with ca.pem, SITE.pem, SITE.key; empty: no certificates.
  std::string emulator_seed; ///< 0400 file; needed if a link of the site is emulated.
  std::string seal_key;      ///< 0400 file; empty: STATE/seal.key, made at the first start.
  std::string link_secrets;  ///< Folder of BOB-ALICE.secret files; empty: none.
  std::string pid_file;      ///< Locked while the site runs; empty: none.
  std::string trace_file;    ///< JSON lines; empty: only in memory.
  bool allow_faults = false; ///< An operator may inject faults.
  bool supervised = false;   ///< Somebody starts this site again when it ends.
};

/// Runs one site until SIGTERM, SIGINT or an operator's shutdown_site. Call it from main() before
/// any thread exists. A watchdog ends a shutdown that hangs.
status run_site(const site_process_settings&);

} // namespace qnfv
