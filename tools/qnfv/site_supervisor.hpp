#pragma once

#include "runtime/base/result.hpp"

#include <functional>
#include <string>

namespace qnfv {

/// Runs `site` in a process of its own, again and again until it ends in order: when it crashes or
/// fails it starts anew after 1 s, then 2 s, up to a minute. SIGTERM and SIGINT end both. `pid_file`
/// is locked meanwhile. Call it before any thread exists. Failure: already_exists.
status supervise(const std::string& pid_file, const std::function<int()>& site);

} // namespace qnfv
