#include "tools/qnfv/ssh_host.hpp"

#include "runtime/deployment/address.hpp"
#include "tools/qnfv/deploy_plan.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

constexpr auto command_limit = 5min;
constexpr int ssh_itself_failed = 255;

/// A file descriptor with an owner.
class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

private:
  int fd_;
};

int memory_file(std::string_view content = {}) {
  auto fd = ::memfd_create("qnfv", MFD_CLOEXEC);
  if (fd >= 0 && ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()))
    ::lseek(fd, 0, SEEK_SET);
  return fd;
}

std::string content_of(int fd) {
  std::string out;
  char part[4096];
  for (ssize_t n = 0; (n = ::pread(fd, part, sizeof part, static_cast<off_t>(out.size()))) > 0;)
    out.append(part, static_cast<size_t>(n));
  return out;
}

std::vector<char*> argv_of(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words)
    out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

/// Runs a program found in PATH to its end: the status it exits with; -1 if it had to be killed or
/// could not be started. The three streams are files, so nobody has to pump.
int run_program(std::vector<std::string> words, int input, int output, int errors) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, 0);
  posix_spawn_file_actions_adddup2(&files, output, 1);
  posix_spawn_file_actions_adddup2(&files, errors, 2);
  pid_t pid = 0;
  auto failed = ::posix_spawnp(&pid, words[0].c_str(), &files, nullptr, argv_of(words).data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0)
    return -1;
  int state = 0;
  for (auto end = std::chrono::steady_clock::now() + command_limit; ::waitpid(pid, &state, WNOHANG) == 0;) {
    if (std::chrono::steady_clock::now() > end) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &state, 0);
      return -1;
    }
    std::this_thread::sleep_for(5ms);
  }
  return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

std::string last_words(const std::string& said) {
  auto end = said.find_last_not_of(" \r\n");
  if (end == std::string::npos)
    return "it failed without a word";
  auto begin = said.rfind('\n', end);
  return said.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

} // namespace

ssh_folder::ssh_folder() {
  // A socket's path is short, whatever $TMPDIR says.
  char path[] = "/tmp/qnfv-ssh.XXXXXX";
  if (::mkdtemp(path))
    path_ = path;
}

ssh_folder::~ssh_folder() {
  if (!path_.empty())
    ::rmdir(path_.c_str());
}

ssh_host::ssh_host(const topology& lab, const site_config& site, const std::string& sockets)
  : name_(site.deploy.ssh), lab_(lab.name), site_(site.site.value),
    folder_(site.deploy.folder.empty() ? "-" : site.deploy.folder) {
  if (name_.empty())
    if (auto listen = parse_host_port(site.listen))
      name_ = listen->host;
  auto option = [this](const std::string& x) { options_.insert(options_.end(), {"-o", x}); };
  option("BatchMode=yes");
  option("StrictHostKeyChecking=yes");
  option("ForwardAgent=no");
  option("ClearAllForwardings=yes");
  option("ConnectTimeout=10");
  option("ServerAliveInterval=5");
  option("ServerAliveCountMax=3");
  option("LogLevel=ERROR");
  option("ControlMaster=auto");
  option("ControlPersist=60");
  option("ControlPath=" + sockets + "/" + site_);
  auto& how = site.deploy;
  if (how.port != 0)
    option("Port=" + std::to_string(how.port));
  if (!how.identity_file.empty()) {
    option("IdentityFile=\"" + how.identity_file + "\"");
    option("IdentitiesOnly=yes");
  }
  if (!how.known_hosts_file.empty()) {
    option("UserKnownHostsFile=\"" + how.known_hosts_file + "\"");
    option("GlobalKnownHostsFile=/dev/null");
  }
}

ssh_host::~ssh_host() {
  if (options_.empty())
    return;
  auto exit = words("");
  exit.pop_back();
  exit.insert(exit.begin() + 1, {"-O", "exit"});
  descriptor nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  run_program(exit, nothing.get(), nothing.get(), nothing.get());
}

std::vector<std::string> ssh_host::words(const std::string& command) const {
  std::vector<std::string> out{"ssh", "-T"};
  out.insert(out.end(), options_.begin(), options_.end());
  out.insert(out.end(), {"--", name_, command});
  return out;
}

std::string ssh_host::verb_command(const std::string& verb,
                                   const std::vector<std::string>& arguments) const {
  std::string out = "sh -s --";
  for (auto& word : {verb, folder_, lab_, site_})
    out += " " + shell_quoted(word);
  for (auto& word : arguments)
    out += " " + shell_quoted(word);
  return out;
}

result<std::string> ssh_host::call(const std::string& command, int input) const {
  descriptor output{memory_file()}, errors{memory_file()};
  if (input < 0 || output.get() < 0 || errors.get() < 0)
    return {ec::internal, std::string{"no memory files: "} + std::strerror(errno)};
  auto ended = run_program(words(command), input, output.get(), errors.get());
  auto said = content_of(errors.get());
  if (ended == 0)
    return content_of(output.get());
  if (ended == ssh_itself_failed)
    return {ec::site_unreachable, ssh_failure(name_, said)};
  if (ended < 0)
    return {ec::maybe_executed, "ssh does not run here, or did not end within five minutes"};
  return {ec::not_allowed, last_words(said)};
}

result<std::string> ssh_host::run(const std::string& verb,
                                  const std::vector<std::string>& arguments) const {
  descriptor script{memory_file(deploy_host_script())};
  return call(verb_command(verb, arguments), script.get());
}

status ssh_host::send(const std::string& file, const std::string& path) const {
  descriptor input{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (input.get() < 0)
    return {ec::storage_failed, file + ": " + std::strerror(errno)};
  auto ok = call("umask 077 && cat > " + shell_quoted(path), input.get());
  if (!ok)
    return ok.error();
  return done{};
}

failure ssh_host::show_log(unsigned lines, bool follow) const {
  std::vector<std::string> arguments{std::to_string(lines)};
  if (follow)
    arguments.push_back("-F");
  auto script = memory_file(deploy_host_script());
  auto all = words(verb_command("logs", arguments));
  // A connection of its own: it ends with this process.
  for (auto& word : all)
    if (word == "ControlMaster=auto")
      word = "ControlMaster=no";
  ::dup2(script, 0);
  ::execvp("ssh", argv_of(all).data());
  return {ec::internal, std::string{"cannot start ssh: "} + std::strerror(errno)};
}

} // namespace qnfv
