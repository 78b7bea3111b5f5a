// Looks for secrets in files and in the memory of processes, in every form that text or a program
// is likely to give them. For tests/processes/canary.
//
//   canary_scan --encodings                    the names of the forms, one a line
//   canary_scan [FILE | FOLDER | PID]...       secrets on stdin: "NAME HEX" a line
//
// Memory is what gcore would write, and more: all mappings of the process, and the registers of all
// its threads; the process is stopped meanwhile, all of those named together. Pages of private
// memory that were never written are holes in a core file, and left out. Needs root.
//
// A part of 8 bytes, at every eighth byte of a secret, is looked for: whatever holds 15 bytes of a
// secret in a row holds one. One line of output for each place, form and name:
//
//   PLACE <tab> FORM <tab> NAME <tab> DIFFERENT-PARTS <tab> HITS <tab> OFFSET-OF-THE-FIRST
//
// PLACE is a file, or "PID core MAPPING", "PID dontdump MAPPING" (left out of core dumps by
// MADV_DONTDUMP) or "PID core registers". What could not be read is a line with the form "unread".
// At the end, "total" and the bytes that were read.

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr size_t part_bytes = 8;
constexpr size_t chunk_bytes = 1u << 20; ///< Of a file.
constexpr size_t page_bytes = 4096;      ///< Of memory; larger pages are multiples of it.

[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "canary_scan: " << why << "\n";
  std::exit(2);
}

// -- forms
// -----------------------------------------------------------------------------------------

std::string format_each(std::string_view x, const char* format, const char* between = "") {
  std::string out;
  char text[16];
  for (unsigned char byte : x) {
    std::snprintf(text, sizeof text, format, byte);
    out += out.empty() ? "" : between;
    out += text;
  }
  return out;
}

/// As printers of strings do it: only what is no plain character is escaped.
std::string format_some(std::string_view x, const char* format, const char* plain_too) {
  std::string out;
  for (char c : x) {
    bool plain = std::isalnum(static_cast<unsigned char>(c)) || (c && std::strchr(plain_too, c));
    out += plain ? std::string(1, c) : format_each({&c, 1}, format);
  }
  return out;
}

std::string utf16(std::string_view x) {
  std::string out;
  for (char c : x) {
    out += c;
    out += '\0';
  }
  return out;
}

/// The characters that depend on `x` alone when `before` bytes precede it in a group of three.
std::string base64(std::string_view x, size_t before, const char* last_two) {
  std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  digits += last_two;
  std::string out;
  auto bit = (6 - before * 8 % 6) % 6;
  for (; bit + 6 <= x.size() * 8; bit += 6) {
    unsigned two = static_cast<unsigned char>(x[bit / 8]) << 8;
    if (bit / 8 + 1 < x.size())
      two |= static_cast<unsigned char>(x[bit / 8 + 1]);
    out += digits[two >> (10 - bit % 8) & 63];
  }
  return out;
}

/// Base64 has three of one name: one for each place in a group of three.
struct form {
  std::string name;
  std::function<std::string(std::string_view)> of;
};

const std::vector<form>& forms() {
  using text = std::string_view;
  auto each = [](const char* format, const char* between = "") {
    return [=](text x) { return format_each(x, format, between); };
  };
  auto based = [](size_t before, const char* last_two) {
    return [=](text x) { return base64(x, before, last_two); };
  };
  const char* printable = " !#$%&()*+,-./:;<=>?@[]^_`{|}~";
  static const std::vector<form> all{
      {"raw", [](text x) { return std::string{x}; }},
      {"reversed",
       [](text x) {
         return std::string{x.rbegin(), x.rend()};
       }},
      {"hex", each("%02x")},
      {"HEX", each("%02X")},
      {"hex:", each("%02x", ":")},
      {"HEX:", each("%02X", ":")},
      {"hex ", each("%02x", " ")},
      {"HEX ", each("%02X", " ")},
      {"0xhex, ", each("0x%02x", ", ")},
      {"base64", based(0, "+/")},
      {"base64", based(1, "+/")},
      {"base64", based(2, "+/")},
      {"base64url", based(0, "-_")},
      {"base64url", based(1, "-_")},
      {"base64url", based(2, "-_")},
      {"decimal, ", each("%u", ", ")},
      {"decimal,", each("%u", ",")},
      {"decimal ", each("%u", " ")},
      {"octal", each("\\%03o")},
      {"\\x", each("\\x%02x")},
      {"\\X", each("\\x%02X")},
      {"\\x where needed", [=](text x) { return format_some(x, "\\x%02x", printable); }},
      {"%hex", each("%%%02x")},
      {"%HEX", each("%%%02X")},
      {"%HEX where needed", [](text x) { return format_some(x, "%%%02X", "-._~"); }},
      {"\\u", each("\\u%04x")},
      {"\\U", each("\\u%04X")},
      {"utf-16 hex", [](text x) { return utf16(format_each(x, "%02x")); }},
      {"utf-16 HEX", [](text x) { return utf16(format_each(x, "%02X")); }},
      {"utf-16 base64", [](text x) { return utf16(base64(x, 0, "+/")); }},
      {"utf-16 base64", [](text x) { return utf16(base64(x, 1, "+/")); }},
      {"utf-16 base64", [](text x) { return utf16(base64(x, 2, "+/")); }},
  };
  return all;
}

// -- search
// ----------------------------------------------------------------------------------------

constexpr size_t raw_form = 0; ///< The first of `forms`.

struct pattern {
  std::string text;
  uint16_t form;
  uint16_t name;
  uint32_t part;
};

std::vector<std::string> names;
std::vector<pattern> patterns; ///< Sorted by their first 8 bytes.
std::vector<uint64_t> prefixes;
std::vector<bool> seen(1u << 27); ///< Hashes of prefixes.
size_t longest = 0;

uint64_t prefix_of(const char* x) {
  uint64_t out;
  std::memcpy(&out, x, sizeof out);
  return out;
}
uint32_t hash_of(uint64_t x) {
  return static_cast<uint32_t>(x * 0x9e3779b97f4a7c15 >> 37);
}

void load_patterns() {
  std::map<std::string, uint16_t> known;
  std::string name, hex;
  uint32_t part = 0;
  while (std::cin >> name >> hex) {
    auto number = known.try_emplace(name, static_cast<uint16_t>(known.size())).first->second;
    if (number == names.size())
      names.push_back(name);
    std::string bits;
    for (size_t i = 0; i + 2 <= hex.size(); i += 2)
      bits += static_cast<char>(std::stoul(hex.substr(i, 2), nullptr, 16));
    for (size_t at = 0; at + part_bytes <= bits.size(); at += part_bytes, ++part) {
      std::string_view raw{bits.data() + at, part_bytes};
      for (size_t i = 0; i < forms().size(); ++i) {
        auto text = forms()[i].of(raw);
        if (i == raw_form || text != raw) // Nothing needs escapes in a part that is all letters.
          patterns.push_back({std::move(text), static_cast<uint16_t>(i), number, part});
      }
    }
  }
  if (patterns.empty())
    give_up("no secrets on stdin");
  std::sort(patterns.begin(), patterns.end(),
            [](auto& x, auto& y) { return prefix_of(x.text.data()) < prefix_of(y.text.data()); });
  for (auto& x : patterns) {
    prefixes.push_back(prefix_of(x.text.data()));
    seen[hash_of(prefixes.back())] = true;
    longest = std::max(longest, x.text.size());
  }
}

struct finding {
  std::set<uint32_t> parts;
  uint64_t hits = 0;
  uint64_t first = 0;
};

class place {
public:
  explicit place(std::string where) : where_(std::move(where)) {}
  ~place() {
    for (auto& [key, x] : found_)
      std::cout << where_ << '\t' << key.first << '\t' << names[key.second] << '\t'
                << x.parts.size() << '\t' << x.hits << '\t' << x.first << '\n';
    if (unread_)
      std::cout << where_ << "\tunread\t-\t0\t" << unread_ << "\t0\n";
  }

  /// The next bytes; what might go on in those after them is kept.
  void feed(std::string_view more) {
    window_ += more;
    search(window_.size() < longest ? 0 : window_.size() - longest + 1);
  }
  void skip(uint64_t size) {
    end();
    at_ += size;
  }
  void gap(uint64_t size) {
    skip(size);
    unread_ += size;
  }
  void end() {
    search(window_.size());
    at_ += window_.size();
    window_.clear();
  }

private:
  void search(size_t limit) {
    for (size_t i = 0; i < limit && i + 8 <= window_.size(); ++i) {
      auto prefix = prefix_of(window_.data() + i);
      if (!seen[hash_of(prefix)])
        continue;
      auto [from, to] = std::equal_range(prefixes.begin(), prefixes.end(), prefix);
      for (auto k = from; k != to; ++k) {
        auto& x = patterns[static_cast<size_t>(k - prefixes.begin())];
        if (window_.compare(i, x.text.size(), x.text) != 0)
          continue;
        auto& y = found_[{forms()[x.form].name, x.name}];
        if (y.hits++ == 0)
          y.first = at_ + i;
        y.parts.insert(x.part);
      }
    }
    window_.erase(0, limit);
    at_ += limit;
  }

  std::string where_;
  std::string window_;
  uint64_t at_ = 0;
  uint64_t unread_ = 0;
  std::map<std::pair<std::string_view, uint16_t>, finding> found_;
};

// -- places
// ----------------------------------------------------------------------------------------

uint64_t total = 0;

void scan_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    give_up(path + ": cannot be read");
  place where{path};
  std::string chunk(chunk_bytes, '\0');
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), in.gcount() > 0) {
    where.feed({chunk.data(), static_cast<size_t>(in.gcount())});
    total += static_cast<uint64_t>(in.gcount());
  }
  where.end();
}

void scan_path(const std::string& path) {
  if (!std::filesystem::is_directory(path))
    return scan_file(path);
  for (auto& x : std::filesystem::recursive_directory_iterator{path})
    if (x.is_regular_file() && !x.is_symlink())
      scan_file(x.path());
}

void stop_thread(pid_t thread) {
  if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0
      || ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0
      || waitpid(thread, nullptr, __WALL) != thread)
    give_up("thread " + std::to_string(thread) + " cannot be stopped: " + std::strerror(errno));
}

std::vector<pid_t> threads_of(pid_t process) {
  std::vector<pid_t> out;
  for (auto& x : std::filesystem::directory_iterator{"/proc/" + std::to_string(process) + "/task"})
    out.push_back(std::stoi(x.path().filename()));
  return out;
}

/// Threads may begin while others are stopped: again, until there are no new ones.
std::set<pid_t> stop_process(pid_t process) {
  std::set<pid_t> stopped;
  for (bool more = true; more;) {
    more = false;
    for (auto thread : threads_of(process))
      if (stopped.insert(thread).second) {
        stop_thread(thread);
        more = true;
      }
  }
  return stopped;
}

void scan_registers(pid_t process, const std::set<pid_t>& threads) {
  place where{std::to_string(process) + " core registers"};
  for (auto thread : threads)
    for (int set : {NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE}) {
      std::string buffer(64u << 10, '\0');
      iovec io{buffer.data(), buffer.size()};
      if (ptrace(PTRACE_GETREGSET, thread, set, &io) != 0) {
        if (set == NT_PRSTATUS)
          give_up("no registers of thread " + std::to_string(thread));
        continue; // Another machine has no such set.
      }
      where.feed({buffer.data(), io.iov_len});
      total += io.iov_len;
      where.end();
    }
}

struct mapping {
  uint64_t from = 0;
  uint64_t to = 0;
  std::string text;
  bool anonymous = false;
  bool dontdump = false;
};

std::vector<mapping> mappings_of(pid_t process) {
  std::ifstream in{"/proc/" + std::to_string(process) + "/smaps"};
  std::vector<mapping> out;
  for (std::string line; std::getline(in, line);) {
    unsigned long from = 0, to = 0;
    char access[8] = "";
    if (line.rfind("VmFlags:", 0) == 0 && !out.empty())
      out.back().dontdump = (line + " ").find(" dd ") != std::string::npos;
    else if (std::sscanf(line.c_str(), "%lx-%lx %7s", &from, &to, access) == 3) {
      auto name = line.find_first_of("/[");
      out.push_back({from, to,
                     line.substr(0, line.find(' ')) + " " + access + " "
                         + (name == std::string::npos ? "" : line.substr(name)),
                     name == std::string::npos || line[name] == '[', false});
    }
  }
  if (out.empty())
    give_up("no mappings of process " + std::to_string(process));
  return out;
}

/// Of every page: is there anything, in memory or swapped out?
std::vector<bool> pages_of(int pagemap, const mapping& x) {
  std::vector<uint64_t> entries((x.to - x.from) / page_bytes);
  auto size = entries.size() * sizeof entries[0];
  auto n = ::pread(pagemap, entries.data(), size,
                   static_cast<off_t>(x.from / page_bytes * sizeof entries[0]));
  std::vector<bool> out(entries.size(), true);
  for (size_t i = 0; n == static_cast<ssize_t>(size) && i < entries.size(); ++i)
    out[i] = entries[i] >> 62 != 0;
  return out;
}

void scan_memory(pid_t process) {
  auto id = std::to_string(process);
  int memory = ::open(("/proc/" + id + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  int pagemap = ::open(("/proc/" + id + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC);
  if (memory < 0 || pagemap < 0)
    give_up("process " + id + ": its memory cannot be opened: " + std::strerror(errno));
  std::string page(page_bytes, '\0');
  for (auto& x : mappings_of(process)) {
    place where{id + (x.dontdump ? " dontdump " : " core ") + x.text};
    auto there = x.anonymous ? pages_of(pagemap, x) : std::vector<bool>();
    for (auto at = x.from; at < x.to; at += page_bytes) {
      if (x.anonymous && !there[(at - x.from) / page_bytes]) {
        where.skip(page_bytes);
        continue;
      }
      // Addresses of [vsyscall] are negative as offsets.
      auto n = ::pread(memory, page.data(), page.size(), static_cast<off_t>(at));
      if (n == static_cast<ssize_t>(page.size())) {
        where.feed(page);
        total += page.size();
      } else {
        where.gap(page.size());
      }
    }
    where.end();
  }
  ::close(memory);
  ::close(pagemap);
}

} // namespace

int main(int count, char** words) {
  std::vector<std::string> places(words + 1, words + count);
  if (places == std::vector<std::string>{"--encodings"}) {
    std::set<std::string> once;
    for (auto& x : forms())
      if (once.insert(x.name).second)
        std::cout << x.name << '\n';
    return 0;
  }
  load_patterns();
  std::map<pid_t, std::set<pid_t>> processes;
  for (auto& x : places)
    if (x.find_first_not_of("0123456789") == std::string::npos)
      processes[std::stoi(x)];
    else
      scan_path(x);
  // Stopped before the first is read; they go on when this process ends.
  for (auto& [process, threads] : processes)
    threads = stop_process(process);
  for (auto& [process, threads] : processes) {
    scan_registers(process, threads);
    scan_memory(process);
  }
  std::cout << "total\t-\t-\t0\t" << total << "\t0\n";
}
