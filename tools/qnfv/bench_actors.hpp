#pragma once

#include "tools/qnfv/commands.hpp"

namespace qnfv {

/// Below `bench`.
void add_bench_actors(CLI::App& bench, command_settings&);

} // namespace qnfv
