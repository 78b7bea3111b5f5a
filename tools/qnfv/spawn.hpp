#pragma once

#include "runtime/base/result.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

namespace qnfv {

/// Another process.
struct process_start {
  std::string program;            ///< A path.
  std::vector<std::string> words; ///< The first is what it is called.
  std::string log;                ///< Takes its output; then it has no input. Empty: as ours.
  bool own_session = false;
  bool nothing_inherited = false; ///< None of our files but output, and no signal is blocked.
};

/// Its pid. Failure: internal, with the system's reason.
result<pid_t> start_process(const process_start&);

/// The last line of a text file that is not empty.
std::string last_line_of(const std::string& file);

} // namespace qnfv
