#include "tools/qnfv/deploy_plan.hpp"

#include "runtime/base/bytes.hpp"
#include "runtime/base/units.hpp"
#include "runtime/crypto/sha256.hpp"

#include <algorithm>
#include <cstdlib>

namespace qnfv {

namespace {

constexpr uint64_t spare_bytes = 64u << 20; ///< For journals, traces and the log.

/// The first word; `line` keeps the rest.
std::string_view take_word(std::string_view& line) {
  auto end = std::min(line.find(' '), line.size());
  auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::string_view take_line(std::string_view& text) {
  auto end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string last_line(std::string_view text) {
  std::string out;
  while (!text.empty())
    if (auto line = take_line(text); line.find_first_not_of(" \r\t") != std::string_view::npos)
      out = std::string{line.substr(0, line.find_last_not_of(" \r\t") + 1)};
  return out;
}

bool is_digest(std::string_view x) {
  return x.size() == 64 && x.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_seal_key(const std::string& path) {
  auto end = std::string{".seal"};
  return path.size() > end.size() && path.compare(path.size() - end.size(), end.size(), end) == 0;
}

} // namespace

std::string site_wanted::fingerprint() const {
  std::string all;
  for (auto& x : files)
    all += x.path + " " + x.digest + "\n";
  auto digest = sha256::of(byte_view{std::string_view{all}});
  return to_hex(digest) + (allow_faults ? "+faults" : "");
}

result<host_report> parse_host_report(std::string_view said) {
  auto bad = [](std::string_view line) {
    return failure{ec::bad_config,
                   "the host answers \"" + std::string{line.substr(0, 80)}
                     + "\"; does its shell print something at login?"};
  };
  host_report out;
  while (!said.empty()) {
    auto line = take_line(said);
    auto rest = line;
    auto key = std::string{take_word(rest)};
    auto value = std::string{rest};
    if (key == "processor")
      out.processor = value;
    else if (key == "manager")
      out.manager = value;
    else if (key == "folder")
      out.folder = value;
    else if (key == "refused")
      out.refused = value;
    else if (key == "free_kb")
      out.free_kb = std::strtoull(value.c_str(), nullptr, 10);
    else if (key == "version")
      out.version = value;
    else if (key == "started")
      out.started = value;
    else if (key == "running")
      out.running = true;
    else if (key == "file") {
      host_report::file x;
      x.mode = take_word(rest);
      x.digest = take_word(rest);
      if (!is_digest(x.digest) || rest.empty())
        return bad(line);
      out.files[std::string{rest}] = x;
    } else
      return bad(line);
  }
  if (out.processor.empty() || out.folder.empty()
      || (out.manager != "system" && out.manager != "user" && out.manager != "process"))
    return bad("");
  return out;
}

uint64_t site_plan::bytes() const {
  uint64_t sum = 0;
  for (auto& x : send)
    sum += x.size_bytes;
  return sum;
}

result<site_plan> plan_site(const site_wanted& wanted, const host_report& host) {
  if (!wanted.processor.empty() && host.processor != wanted.processor)
    return {ec::bad_config, "its processor is " + host.processor + ", this qnfv is for "
                              + wanted.processor + ": give one for it with --binary"};
  if (!host.refused.empty())
    return {ec::not_allowed, host.refused + ": choose another \"folder\" or user in the topology"};
  site_plan out;
  for (auto& x : wanted.files) {
    auto there = host.files.find(x.path);
    if (there != host.files.end() && there->second.digest == x.digest && there->second.mode == x.mode)
      continue;
    // What another key has sealed would be lost.
    if (there != host.files.end() && there->second.digest != x.digest && is_seal_key(x.path))
      return {ec::bad_config, "another seal key is there (" + host.folder + "/sites/"
                                + wanted.site.value + "/" + x.path
                                + "): deploy from the lab folder that it came from, or move it away "
                                  "together with the site's folder \"state\""};
    out.send.push_back(x);
  }
  if (!out.send.empty() && host.free_kb < (out.bytes() + spare_bytes) / 1024)
    return {ec::storage_failed, "too little space in " + host.folder + ": "
                                  + format_bytes(host.free_kb * 1024) + " free, needs "
                                  + format_bytes(out.bytes() + spare_bytes)};
  out.change_version = host.version != wanted.version;
  out.start = !host.running || host.started != wanted.fingerprint();
  return out;
}

std::string processor_of_elf(std::string_view head) {
  if (head.size() < 20 || head.substr(0, 4) != "\177ELF" || head[5] != 1) // Little endian.
    return {};
  auto machine = static_cast<unsigned char>(head[18]) | static_cast<unsigned char>(head[19]) << 8;
  switch (machine) {
    case 62:
      return "x86_64";
    case 183:
      return "aarch64";
    case 243:
      return "riscv64";
    default:
      return {};
  }
}

std::string ssh_failure(const std::string& destination, std::string_view said) {
  auto host = destination.substr(destination.find('@') + 1); // All of it if nobody is named.
  auto has = [&](const char* text) { return said.find(text) != std::string_view::npos; };
  if (has("REMOTE HOST IDENTIFICATION HAS CHANGED") || has("Host key for"))
    return "its host key is not the known one: somebody else may answer; if the host was set up "
           "anew: ssh-keygen -R " + host;
  if (has("Host key verification failed") || has("host key is known"))
    return "its host key is not known: compare the output of  ssh-keyscan " + host
           + "  with the host's own and add it to known_hosts";
  if (has("Connection refused"))
    return "it refuses ssh: does sshd run there, at that port?";
  if (has("Permission denied"))
    return "it does not accept our key or user: " + last_line(said);
  if (has("timed out") || has("No route to host") || has("Network is unreachable"))
    return "it cannot be reached: " + last_line(said);
  if (has("Could not resolve hostname"))
    return "no host is called so: " + last_line(said);
  auto line = last_line(said);
  return line.empty() ? "ssh failed without a word" : line;
}

std::string shell_quoted(std::string_view word) {
  std::string out = "'";
  for (auto c : word)
    out += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return out + "'";
}

} // namespace qnfv
