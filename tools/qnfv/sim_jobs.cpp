#include "tools/qnfv/sim_jobs.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <vector>

namespace qnfv {

namespace {

/// One process, working on one piece.
struct worker {
  pid_t pid = 0;
  int from = -1; ///< What it says.
  uint64_t piece = 0;
  std::string said;
};

bool start(worker& w, uint64_t piece, const std::function<std::string(uint64_t)>& work) {
  int ends[2];
  if (::pipe(ends) != 0)
    return false;
  std::fflush(nullptr);
  w.pid = ::fork();
  if (w.pid == 0) {
    ::close(ends[0]);
    auto line = work(piece);
    for (size_t sent = 0; sent < line.size();) {
      auto n = ::write(ends[1], line.data() + sent, line.size() - sent);
      if (n <= 0)
        ::_exit(1);
      sent += static_cast<size_t>(n);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  w.from = ends[0];
  w.piece = piece;
  w.said.clear();
  return w.pid > 0;
}

/// False when it has ended.
bool listen(worker& w) {
  char buffer[65536];
  auto n = ::read(w.from, buffer, sizeof buffer);
  if (n > 0) {
    w.said.append(buffer, static_cast<size_t>(n));
    return true;
  }
  ::close(w.from);
  int how = 0;
  ::waitpid(w.pid, &how, 0);
  if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
    w.said.clear();
  return false;
}

} // namespace

status in_processes(uint64_t first, uint64_t last, unsigned jobs,
                    const std::function<std::string(uint64_t)>& work,
                    const std::function<void(uint64_t, const std::string&)>& take) {
  std::vector<worker> workers;
  std::map<uint64_t, std::string> early;
  auto next = first, turn = first;
  while (turn <= last) {
    while (workers.size() < jobs && next <= last) {
      worker w;
      if (!start(w, next++, work))
        return {ec::internal, "no further process can be made"};
      workers.push_back(std::move(w));
    }
    std::vector<pollfd> ends;
    for (auto& w : workers)
      ends.push_back({w.from, POLLIN, 0});
    ::poll(ends.data(), ends.size(), -1);
    for (size_t i = ends.size(); i-- > 0;)
      if (ends[i].revents != 0 && !listen(workers[i])) {
        early[workers[i].piece] = std::move(workers[i].said);
        workers.erase(workers.begin() + static_cast<long>(i));
      }
    for (auto i = early.find(turn); i != early.end(); i = early.find(turn)) {
      take(turn++, i->second);
      early.erase(i);
    }
  }
  return done{};
}

} // namespace qnfv
