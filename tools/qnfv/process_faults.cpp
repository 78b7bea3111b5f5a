#include "tools/qnfv/process_faults.hpp"

#include "tools/qnfv/spawn.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace qnfv {

namespace {

std::vector<std::string> command_line() {
  std::vector<std::string> out;
  std::ifstream in{"/proc/self/cmdline", std::ios::binary};
  for (std::string word; std::getline(in, word, '\0');)
    out.push_back(word);
  return out;
}

/// A shell in a session of its own, with none of our files but its output; true if it runs.
bool start_shell(const std::string& script, const std::vector<std::string>& arguments) {
  process_start x;
  x.program = "/bin/sh";
  x.words = {"sh", "-c", script};
  x.words.insert(x.words.end(), arguments.begin(), arguments.end());
  x.own_session = x.nothing_inherited = true;
  return static_cast<bool>(start_process(x));
}

} // namespace

void strike_process(fault_kind what, duration span, bool supervised) {
  auto seconds = std::to_string(to_seconds(span));
  auto own_pid = std::to_string(::getpid());
  if (what == fault_kind::freeze) {
    if (start_shell("sleep \"$0\"; kill -CONT \"$1\"", {seconds, own_pid}))
      ::kill(::getpid(), SIGSTOP);
    return;
  }
  auto words = command_line();
  auto pid_file = std::find(words.begin(), words.end(), "--pid-file");
  auto wanted = pid_file == words.end() ? "" : *std::next(pid_file);
  char self[4096];
  auto n = ::readlink("/proc/self/exe", self, sizeof self);
  if (!supervised) {
    if (n <= 0 || words.empty())
      return;
    words[0] = std::string(self, static_cast<size_t>(n));
    words.insert(words.begin(), {seconds, wanted});
    // `qnfv lab down` takes the pid file away.
    if (!start_shell("sleep \"$0\"; [ -z \"$1\" ] || [ -e \"$1\" ] || exit; shift; exec \"$@\"", words))
      return;
  }
  ::kill(::getpid(), SIGKILL);
}

} // namespace qnfv
