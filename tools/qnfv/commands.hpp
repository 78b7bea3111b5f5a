#pragma once

#include "runtime/base/result.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <string>

namespace qnfv {

/// What every command is given.
struct command_settings {
  std::string lab;   ///< --lab: folder of the lab; empty: the one started last.
  bool json = false; ///< --json: print one JSON value.
};

/// Thrown by a command; main() prints it as one line and exits with status 1.
struct command_error {
  failure why;
};

/// The value, or a command_error.
template <class T>
T value_or_throw(result<T> x) {
  if (!x)
    throw command_error{x.error()};
  return std::move(*x);
}
inline void done_or_throw(const status& x) {
  if (!x)
    throw command_error{x.error()};
}

// Of options; CLI11's own ones answer with the largest double, of 309 digits.
inline std::string more_than_zero(const std::string& x) {
  return std::strtod(x.c_str(), nullptr) > 0 ? "" : "it must be more than 0";
}
inline std::string not_negative(const std::string& x) {
  return x.find('-') == std::string::npos ? "" : "it must not be negative";
}

// Each adds its commands to the program.
void add_pki_commands(CLI::App&, command_settings&);
void add_node_command(CLI::App&, command_settings&);
void add_lab_commands(CLI::App&, command_settings&);
void add_deploy_commands(CLI::App&, command_settings&);
void add_image_commands(CLI::App&, command_settings&);
void add_order_commands(CLI::App&, command_settings&);
void add_vnf_commands(CLI::App&, command_settings&);
void add_key_commands(CLI::App&, command_settings&);
void add_link_commands(CLI::App&, command_settings&);
void add_relay_commands(CLI::App&, command_settings&);
void add_switch_commands(CLI::App&, command_settings&);
void add_schedule_commands(CLI::App&, command_settings&);
void add_trace_commands(CLI::App&, command_settings&);
void add_fault_commands(CLI::App&, command_settings&);
void add_sim_command(CLI::App&, command_settings&);
void add_figures_command(CLI::App&, command_settings&);
void add_bench_commands(CLI::App&, command_settings&);
void add_bench_keys_command(CLI::App& bench, command_settings&);
/// Below `bench`.
void add_bench_relay(CLI::App& bench, command_settings&);
void add_bench_schedule(CLI::App& bench, command_settings&);

} // namespace qnfv
