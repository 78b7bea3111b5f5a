#pragma once

// What must happen on a host so that its site runs as the topology says. Pure: what belongs there and
// what the host reports, in; steps, out. deploy_host.sh says where things lie.

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

/// A file that a site's host must have.
struct host_file {
  std::string path;   ///< Below the site's folder; "versions/..." below the lab's.
  std::string mode;   ///< "600"
  std::string digest; ///< SHA-256, hexadecimal.
  uint64_t size_bytes = 0;
  std::string source; ///< On the operator's machine.
};

/// What belongs on the host of one site.
struct site_wanted {
  site_id site;
  std::string processor; ///< That the program is for: "x86_64"; empty: for any.
  std::string version;   ///< Folder of the program.
  std::vector<host_file> files;
  bool allow_faults = false; ///< Operators may inject faults.

  /// Changes whenever a running site must be started again. Ends in "+faults" if they are allowed: the
  /// host starts the site by it.
  std::string fingerprint() const;
};

/// What the host says, line by line (`report` of deploy_host.sh).
struct host_report {
  struct file {
    std::string mode;
    std::string digest;
  };
  std::string processor;
  std::string manager; ///< Who keeps the site running: system, user (systemd) or process.
  std::string folder;  ///< Of the lab, on the host.
  std::string refused; ///< Why nothing can be written there; empty: it can.
  uint64_t free_kb = 0;
  std::string version; ///< In use; empty: none.
  std::string started; ///< The fingerprint that the service was started with; empty: never.
  bool running = false;
  std::map<std::string, file> files;
};

/// Failure: bad_config (not such a report; `said` is shortened into the text).
result<host_report> parse_host_report(std::string_view said);

struct site_plan {
  std::vector<host_file> send;
  bool change_version = false;
  bool start = false; ///< For the first time, or again.

  bool nothing() const { return send.empty() && !change_version && !start; }
  uint64_t bytes() const;
};

/// Failures: bad_config (another processor; another seal key is there), not_allowed, storage_failed
/// (too little space).
result<site_plan> plan_site(const site_wanted&, const host_report&);

/// "x86_64" of an ELF file's first 20 bytes, as `uname -m` calls it; empty: nothing we know.
std::string processor_of_elf(std::string_view head);

/// Why ssh failed, for people: its last words in ours, and what to do. `destination` as ssh was given it.
std::string ssh_failure(const std::string& destination, std::string_view said);

/// A word that a POSIX shell takes as it stands.
std::string shell_quoted(std::string_view);

} // namespace qnfv
