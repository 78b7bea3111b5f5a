#pragma once

#include "runtime/base/result.hpp"

#include <functional>
#include <string>

namespace qnfv {

/// Runs `work(i)` for i in first..last in `jobs` processes of their own, and hands each line that it
/// returns to `take` in the order of i, as soon as it is its turn. A process that dies takes only the
/// piece it was at: `take` then gets an empty line, and the next piece goes on in another process.
/// Call it while no other thread runs. Failure: internal (no process can be made).
status in_processes(uint64_t first, uint64_t last, unsigned jobs,
                    const std::function<std::string(uint64_t)>& work,
                    const std::function<void(uint64_t, const std::string&)>& take);

} // namespace qnfv
