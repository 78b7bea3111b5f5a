#pragma once

#include "runtime/config/topology.hpp"
#include "tools/qnfv/lab_dir.hpp"

#include <string>

namespace qnfv {

/// Reads a topology for a lab that shall run; `time_scale` 0: as the file says. Throws command_error.
topology topology_to_run(const std::string& file, double time_scale);

/// The folder of the lab (empty `option`: home_of_labs()/NAME), made if need be, as an absolute path.
lab_dir open_lab(const std::string& option, const topology&);

/// Makes what the lab does not have yet (certificates, seal keys, link secrets, seed) and writes its
/// copy of the topology.
void furnish(const lab_dir&, const topology&);

} // namespace qnfv
