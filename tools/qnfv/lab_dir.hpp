#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/secret.hpp"

#include <sys/types.h>

#include <optional>
#include <string>

namespace qnfv {

/// The folder that holds one lab of this machine:
///
///   topology.json     what runs (the lab's own copy)
///   emulator.seed     0400: what the emulated QKD devices derive their keys from
///   secrets/          0400: SITE.seal seals a site's keys, BOB-ALICE.secret authenticates a link
///   pki/              certificate authority, one certificate per site, one for the operator
///   sites/NAME/       state of a site: its storage, trace.jsonl, log, pid
struct lab_dir {
  std::string path;

  std::string topology() const { return path + "/topology.json"; }
  std::string seed() const { return path + "/emulator.seed"; }
  std::string secrets() const { return path + "/secrets"; }
  std::string seal(const site_id& x) const { return secrets() + "/" + x.value + ".seal"; }
  std::string pki() const { return path + "/pki"; }
  std::string site(const site_id& x) const { return path + "/sites/" + x.value; }
  std::string state(const site_id& x) const { return site(x) + "/state"; }
  std::string trace(const site_id& x) const { return site(x) + "/trace.jsonl"; }
  std::string log(const site_id& x) const { return site(x) + "/log"; }
  std::string pid(const site_id& x) const { return site(x) + "/pid"; }
};

/// $QNFV_HOME, else ~/.local/state/qnfv.
std::string home_of_labs();

/// The lab that a command means: `option` if not empty, else $QNFV_LAB, else the one started last.
/// Failure: not_found, with what to do.
result<lab_dir> find_lab(const std::string& option);

/// Makes `lab` the one that later commands mean.
status remember_lab(const lab_dir& lab);

/// The process that holds the lock of a pid file; nothing if there is none.
std::optional<pid_t> process_of(const std::string& pid_file);

/// A pid file with a lock that ends with this process. Failure: already_exists if another process
/// holds it.
result<int> lock_pid_file(const std::string& pid_file);

/// mkdir -p with mode 0700.
status make_folder(const std::string& path);

/// The first 4 KiB of a 0400 or 0600 file; refuses what others can read.
result<secret> read_private_file(const std::string& path);
/// Writes a new 0400 file. Failure: already_exists.
status write_private_file(const std::string& path, byte_view content);

} // namespace qnfv
