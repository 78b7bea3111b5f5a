#pragma once

#include "runtime/config/topology.hpp"

#include <optional>
#include <string>

namespace qnfv {

/// Length of the shortest way of light between two ends. Light crosses a switch from one side to the
/// other, in either direction. Nothing: no way leads there.
std::optional<double> shortest_km(const optical_plane&, const std::string& a, const std::string& b);

/// "polatis1:25", "bob1".
std::string to_string(const fibre_end&);
/// Reads it back; nothing if the port is no number from 1 to 65535.
std::optional<fibre_end> parse_fibre_end(const std::string& text);

} // namespace qnfv
