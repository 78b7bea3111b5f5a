#include "runtime/supervision/restarts.hpp"

#include <algorithm>

namespace qnfv {

std::optional<duration> restart_policy::died(time_point now) {
  while (!deaths_.empty() && now - deaths_.front() > settings_.window)
    deaths_.pop_front();
  if (deaths_.size() >= settings_.restarts_max)
    return std::nullopt;
  auto wait = settings_.backoff_first;
  for (size_t i = 0; i < deaths_.size() && wait < settings_.backoff_max; ++i)
    wait *= 2;
  deaths_.push_back(now);
  ++total_;
  return std::min(wait, settings_.backoff_max);
}

} // namespace qnfv
