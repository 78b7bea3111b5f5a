#pragma once

#include "runtime/base/units.hpp"
#include "runtime/messages/faults.hpp"

namespace qnfv {

/// Does to this process what the fault says: crash and power_cut end it as kill -9 would, and start
/// it again with the same command line after `span`; freeze stops it and lets it go on after `span`.
/// If `supervised`, whoever started this process starts it again.
void strike_process(fault_kind, duration span, bool supervised);

} // namespace qnfv
