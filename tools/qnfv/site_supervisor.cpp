#include "tools/qnfv/site_supervisor.hpp"

#include "runtime/supervision/restarts.hpp"
#include "tools/qnfv/lab_dir.hpp"

#include <spdlog/spdlog.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <limits>

namespace qnfv {

namespace {

using namespace std::chrono;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (auto signal : {SIGTERM, SIGINT, SIGCHLD})
    sigaddset(&set, signal);
  return set;
}

/// A site that ends with its supervisor, however that ends.
pid_t start(const std::function<int()>& site, int lock, const sigset_t& usual) {
  auto supervisor = ::getpid();
  auto pid = ::fork();
  if (pid != 0)
    return pid;
  ::close(lock); // Whoever holds it is the supervisor.
  ::pthread_sigmask(SIG_SETMASK, &usual, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != supervisor)
    ::_exit(0);
  ::_exit(site());
}

std::string how_it_ended(int state) {
  return WIFSIGNALED(state) ? "by signal " + std::to_string(WTERMSIG(state))
                            : "with status " + std::to_string(WEXITSTATUS(state));
}

/// Lets `wait` pass. True if a signal wants the end of all meanwhile.
bool told_to_end(const sigset_t& signals, duration wait) {
  auto end = steady_clock::now() + wait;
  for (;;) {
    auto left = duration_cast<nanoseconds>(end - steady_clock::now()).count();
    if (left <= 0)
      return false;
    timespec bound{left / 1000000000, left % 1000000000};
    auto got = ::sigtimedwait(&signals, nullptr, &bound);
    if (got == SIGTERM || got == SIGINT)
      return true;
  }
}

} // namespace

status supervise(const std::string& pid_file, const std::function<int()>& site) {
  auto lock = lock_pid_file(pid_file);
  if (!lock)
    return lock.error();
  auto signals = watched_signals();
  sigset_t usual;
  ::pthread_sigmask(SIG_BLOCK, &signals, &usual);
  restart_policy::settings never_give_up;
  never_give_up.restarts_max = std::numeric_limits<uint32_t>::max();
  never_give_up.window = minutes{10};
  never_give_up.backoff_first = seconds{1};
  never_give_up.backoff_max = minutes{1};
  restart_policy policy{never_give_up};
  for (;;) {
    auto child = start(site, *lock, usual);
    if (child < 0)
      return {ec::internal, "cannot start a process for the site"};
    bool ending = false;
    int state = 0;
    while (::waitpid(child, &state, WNOHANG) == 0) {
      int got = 0;
      ::sigwait(&signals, &got);
      if (got != SIGCHLD) {
        ending = true;
        ::kill(child, SIGTERM);
      }
    }
    if (ending || (WIFEXITED(state) && WEXITSTATUS(state) == 0))
      return done{};
    auto wait = *policy.died(steady_clock::now());
    spdlog::error("the site ended {}; it starts again in {}", how_it_ended(state),
                  format_duration(wait));
    if (told_to_end(signals, wait))
      return done{};
  }
}

} // namespace qnfv
