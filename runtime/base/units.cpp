#include "runtime/base/units.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace qnfv {

double to_seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

duration from_seconds(double s) {
  return duration{static_cast<int64_t>(std::llround(s * 1e9))};
}

std::optional<duration> parse_duration(std::string_view text) {
  std::string copy{text};
  char* end = nullptr;
  if (copy.empty() || !(copy[0] >= '0' && copy[0] <= '9'))
    return std::nullopt;
  auto value = std::strtod(copy.c_str(), &end);
  std::string_view unit = end;
  double seconds = 0;
  if (unit == "ms")
    seconds = 1e-3;
  else if (unit == "s")
    seconds = 1;
  else if (unit == "m" || unit == "min")
    seconds = 60;
  else if (unit == "h")
    seconds = 3600;
  else if (unit == "d")
    seconds = 86400;
  else
    return std::nullopt;
  value *= seconds;
  if (!(value >= 0 && value <= 100.0 * 365 * 86400))
    return std::nullopt;
  return from_seconds(value);
}

namespace {

std::string three_digits(double x, const char* unit) {
  char out[32];
  std::snprintf(out, sizeof out, x < 10 ? "%.2f %s" : x < 100 ? "%.1f %s" : "%.0f %s", x, unit);
  return out;
}

} // namespace

std::string format_duration(duration d) {
  auto s = to_seconds(d);
  if (s < 1)
    return three_digits(s * 1e3, "ms");
  if (s < 120)
    return three_digits(s, "s");
  if (s < 7200)
    return three_digits(s / 60, "min");
  if (s < 172800)
    return three_digits(s / 3600, "h");
  return three_digits(s / 86400, "d");
}

std::string format_bytes(uint64_t n) {
  if (n < 1000)
    return std::to_string(n) + " B";
  auto x = static_cast<double>(n);
  const char* units[] = {"kB", "MB", "GB", "TB"};
  int i = -1;
  while (x >= 999.5 && i < 3) {
    x /= 1000;
    ++i;
  }
  return three_digits(x, units[i]);
}

} // namespace qnfv
