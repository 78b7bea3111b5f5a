#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qnfv {

/// The one duration type of the code: nanoseconds in 64 bits, 292 years.
using duration = std::chrono::nanoseconds;

/// Reads "250ms", "90s", "15m", "24h" or "30d"; fractions are allowed. Nothing without a unit, for a
/// negative value, or beyond 100 years.
std::optional<duration> parse_duration(std::string_view text);

/// "1.26 s", "6.7 min", "1.5 h": three digits and the unit a person would choose.
std::string format_duration(duration);

/// "769 MB": decimal units, three digits.
std::string format_bytes(uint64_t);

double to_seconds(duration);
duration from_seconds(double);

} // namespace qnfv
