#include "tools/qnfv/lab_dir.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace qnfv {

namespace {

failure failed(const std::string& path) {
  return {ec::storage_failed, path + ": " + std::strerror(errno)};
}

bool exists(const std::string& path) {
  struct ::stat info;
  return ::stat(path.c_str(), &info) == 0;
}

std::string environment_variable(const char* name) {
  auto* value = std::getenv(name);
  return value ? value : "";
}

} // namespace

std::string home_of_labs() {
  auto home = environment_variable("QNFV_HOME");
  if (!home.empty())
    return home;
  return environment_variable("HOME") + "/.local/state/qnfv";
}

result<lab_dir> find_lab(const std::string& option) {
  auto path = !option.empty() ? option : environment_variable("QNFV_LAB");
  if (path.empty())
    path = home_of_labs() + "/current";
  lab_dir lab{path};
  if (!exists(lab.topology()))
    return {ec::not_found, "no lab at " + path + "; start one with: qnfv lab up TOPOLOGY"};
  return lab;
}

status remember_lab(const lab_dir& lab) {
  if (auto ok = make_folder(home_of_labs()); !ok)
    return ok;
  auto link = home_of_labs() + "/current";
  auto fresh = link + "." + std::to_string(::getpid());
  ::unlink(fresh.c_str());
  if (::symlink(lab.path.c_str(), fresh.c_str()) != 0 || ::rename(fresh.c_str(), link.c_str()) != 0)
    return failed(link);
  return done{};
}

std::optional<pid_t> process_of(const std::string& pid_file) {
  auto fd = ::open(pid_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return std::nullopt;
  std::optional<pid_t> out;
  // Whoever runs holds the lock; a stale file holds none, whatever its number.
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0) {
    char text[32] = {};
    if (::read(fd, text, sizeof text - 1) > 0) {
      auto pid = static_cast<pid_t>(std::strtol(text, nullptr, 10));
      if (pid > 1)
        out = pid;
    }
  }
  ::close(fd);
  return out;
}

result<int> lock_pid_file(const std::string& pid_file) {
  auto fd = ::open(pid_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return failed(pid_file);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return {ec::already_exists, "this site runs already (" + pid_file + ")"};
  }
  auto text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::write(fd, text.data(), text.size()) < 0) {
    auto why = failed(pid_file);
    ::close(fd);
    return why;
  }
  return fd;
}

status make_folder(const std::string& path) {
  for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    auto folder = path.substr(0, at);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      return failed(folder);
    if (at != std::string::npos)
      continue;
    struct ::stat info;
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
      return done{};
    errno = ENOTDIR;
    return failed(path);
  }
}

result<secret> read_private_file(const std::string& path) {
  auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return failed(path);
  struct ::stat info;
  auto ok = ::fstat(fd, &info) == 0;
  secret out{ok ? std::min<size_t>(static_cast<size_t>(info.st_size), 4096) : 0};
  auto n = ok ? ::read(fd, out.data(), out.size()) : -1;
  auto why = failed(path);
  ::close(fd);
  if (n < 0)
    return why;
  if ((info.st_mode & 077) != 0)
    return {ec::bad_config, path + ": others can read this secret; chmod 400 it"};
  if (static_cast<size_t>(n) != out.size())
    return {ec::bad_config, path + " changes while it is read"};
  return out;
}

status write_private_file(const std::string& path, byte_view content) {
  auto fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
  if (fd < 0)
    return errno == EEXIST ? failure{ec::already_exists, path + " exists"} : failed(path);
  auto n = ::write(fd, content.data(), content.size());
  auto synced = ::fsync(fd) == 0;
  ::close(fd);
  if (n != static_cast<ssize_t>(content.size()) || !synced)
    return failed(path);
  return done{};
}

} // namespace qnfv
