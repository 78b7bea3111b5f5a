#pragma once

#include "tools/face/json_out.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/deploy_files.hpp"
#include "tools/qnfv/ssh_host.hpp"

#include <functional>

namespace qnfv {

/// What a host was like before and is like after `qnfv deploy` worked on it.
struct host_outcome {
  hosted_site row;
  host_report before;
  failure why; ///< With a text if it failed.

  bool failed() const { return !why.text.empty(); }
};

/// Brings one host to what its site wants: looks, plans, sends, changes version, starts.
host_outcome bring_up(const ssh_host&, const site_wanted&);
/// Back to the version and the start that `before` had.
status bring_back(const ssh_host&, const host_report& before);
/// Looks only.
host_outcome look(const ssh_host&, const site_id&);
host_outcome bring_down(const ssh_host&, const site_id&);

/// A local file at a site's host, for as long as this object is there.
class visiting_file {
public:
  /// Throws command_error.
  visiting_file(const topology&, const site_config&, const std::string& file);
  ~visiting_file();
  visiting_file(const visiting_file&) = delete;
  visiting_file& operator=(const visiting_file&) = delete;
  const std::string& path() const { return path_; } ///< There.

private:
  ssh_folder sockets_;
  ssh_host host_;
  std::string name_, path_;
};

/// Does `work` for every site at the same time.
std::vector<host_outcome> on_all_hosts(const topology&, const std::vector<site_id>& sites,
                                       const std::function<host_outcome(const ssh_host&, const site_config&)>& work);

} // namespace qnfv
