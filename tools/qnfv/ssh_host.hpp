#pragma once

// A host, over the system's own ssh. Why not a library: ssh brings what the people of a lab have set
// up already (configuration, agent, jump hosts, hardware keys, known hosts), it is patched with the
// system, and one master connection per host makes each further command a round trip.
//
// ssh is started with a list of arguments, no shell of ours reads them. The host's shell does: every
// word for it is quoted, and what runs there is one fixed text (deploy_host.sh) or `cat`.

#include "runtime/base/result.hpp"
#include "runtime/config/topology.hpp"

#include <string>
#include <vector>

namespace qnfv {

/// A folder only for us that goes with this object: where ssh keeps its master connections.
class ssh_folder {
public:
  ssh_folder();
  ~ssh_folder();
  ssh_folder(const ssh_folder&) = delete;
  ssh_folder& operator=(const ssh_folder&) = delete;
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

class ssh_host {
public:
  /// The host of `site`; `sockets` is the folder of the master connection.
  ssh_host(const topology& lab, const site_config& site, const std::string& sockets);
  /// Ends the master connection.
  ~ssh_host();
  ssh_host(ssh_host&&) = default;
  ssh_host(const ssh_host&) = delete;
  ssh_host& operator=(const ssh_host&) = delete;

  /// What people call it: "lab@10.0.0.1".
  const std::string& name() const { return name_; }

  /// Lets the host do `verb` of deploy_host.sh; the answer is its standard output. Failures:
  /// site_unreachable (ssh itself), maybe_executed (the connection broke, or five minutes were not
  /// enough), not_allowed (the host refused or could not; its words).
  result<std::string> run(const std::string& verb, const std::vector<std::string>& arguments = {}) const;

  /// Writes a local file to `path` on the host (0600). Failures: as run, and storage_failed (the
  /// local one).
  status send(const std::string& file, const std::string& path) const;

  /// Becomes an ssh that shows the site's log; returns only on failure.
  failure show_log(unsigned lines, bool follow) const;

private:
  std::vector<std::string> words(const std::string& command) const;
  std::string verb_command(const std::string& verb, const std::vector<std::string>& arguments) const;
  result<std::string> call(const std::string& command, int input) const;

  std::string name_;
  std::string lab_;
  std::string site_;
  std::string folder_;
  std::vector<std::string> options_;
};

/// The text that hosts run.
std::string_view deploy_host_script();

} // namespace qnfv
