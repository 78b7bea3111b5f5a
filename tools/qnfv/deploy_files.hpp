#pragma once

#include "runtime/config/topology.hpp"
#include "tools/qnfv/deploy_plan.hpp"
#include "tools/qnfv/lab_dir.hpp"

#include <string>

namespace qnfv {

/// The program that sites shall run.
struct site_program {
  std::string path;
  std::string digest;    ///< SHA-256, hexadecimal.
  std::string processor; ///< "x86_64"; empty: a script, which runs anywhere.
  uint64_t size_bytes = 0;

  /// The name of its folder on a host.
  std::string version() const { return digest.substr(0, 16); }
};

/// Throws command_error. An empty `path`: this program.
site_program program_to_deploy(const std::string& path);

/// Writes the topology as hosts have it, deployed.json: without how they are reached. Throws.
void write_deployed_topology(const lab_dir&, topology);
bool is_deployed(const lab_dir&);

/// What belongs on the host of `site`, and nothing that another site alone may know: its certificate
/// and key, its seal key, the secrets of the links that end there, and, if one of them is emulated,
/// the emulator's seed. Throws command_error.
site_wanted files_of_site(const lab_dir&, const topology&, const site_config& site,
                          const site_program&);

} // namespace qnfv
