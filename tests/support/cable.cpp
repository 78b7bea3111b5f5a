// A bad cable between two hosts (network namespaces), in user space: a TAP device "eth0" in each, and
// frames carried from one to the other under conditions that change while it runs.
//
//   cable NAMESPACE_A NAMESPACE_B [SEED]
//
// Standard input takes lines of KEY VALUE pairs; its end is the cable's end:
//
//   delay_ms 100 jitter_ms 20       of each frame; frames keep their order
//   loss 20 duplicate 2 reorder 5   per cent of frames; a reordered one is overtaken for 20 ms
//   corrupt 1 repair 50             per cent of frames get a flipped bit, per cent of these a TCP
//                                   checksum that fits, so that only what is above TCP can tell
//   rate_mbit 10                    0: unlimited; what does not fit a queue of 1000 frames is lost
//   cut 1                           nothing passes
//   clear                           a good cable again
//
// Standard output tells "ready", and after each line what was carried since the last one.

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <queue>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace std::chrono;
using frame = std::vector<uint8_t>;
using instant = steady_clock::time_point;

constexpr size_t queue_max = 1000;
constexpr auto overtaken_for = milliseconds{20};

int open_tap(const std::string& name) {
  auto space = ::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (space < 0 || ::setns(space, CLONE_NEWNET) != 0)
    return -1;
  ::close(space);
  auto tap = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  ::ifreq wanted{};
  std::strcpy(wanted.ifr_name, "eth0");
  wanted.ifr_flags = IFF_TAP | IFF_NO_PI;
  return tap >= 0 && ::ioctl(tap, TUNSETIFF, &wanted) == 0 ? tap : -1;
}

/// Gives an IPv4 TCP segment in an Ethernet frame the checksum of its bytes (RFC 793, 1071).
void repair_tcp(frame& x) {
  constexpr size_t ethernet = 14;
  if (x.size() < ethernet + 40 || x[12] != 8 || x[13] != 0 || x[ethernet + 9] != 6)
    return;
  auto* ip = x.data() + ethernet;
  size_t header = 4u * (ip[0] & 15), total = static_cast<size_t>(ip[2] << 8 | ip[3]);
  if (header < 20 || total < header + 20 || ethernet + total > x.size())
    return;
  auto* tcp = ip + header;
  auto size = total - header;
  tcp[16] = tcp[17] = 0;
  uint32_t sum = 6 + static_cast<uint32_t>(size);
  for (size_t i = 12; i < 20; i += 2)
    sum += static_cast<uint32_t>(ip[i] << 8 | ip[i + 1]);
  for (size_t i = 0; i < size; ++i)
    sum += static_cast<uint32_t>(i % 2 ? tcp[i] : tcp[i] << 8);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  tcp[16] = static_cast<uint8_t>(~sum >> 8);
  tcp[17] = static_cast<uint8_t>(~sum);
}

struct waiting {
  instant due;
  uint64_t number; ///< Equal times keep their order.
  frame content;
  friend bool operator<(const waiting& a, const waiting& b) {
    return a.due != b.due ? a.due > b.due : a.number > b.number;
  }
};

class cable {
public:
  explicit cable(uint32_t seed) : random_(seed) {}

  /// False for what is no line of conditions.
  bool obey(const std::string& line) {
    std::istringstream words{line};
    for (std::string key; words >> key;) {
      if (key == "clear") {
        for (auto& x : conditions_)
          x.second = 0;
        continue;
      }
      double value = 0;
      if (conditions_.count(key) == 0 || !(words >> value) || value < 0)
        return false;
      conditions_[key] = value;
    }
    return true;
  }

  /// A frame that came in at one end.
  void take(size_t from, frame x, instant now) {
    if (conditions_["cut"] > 0 || happens("loss"))
      return ++counts_["lost"], void();
    auto copies = happens("duplicate") ? 2 : 1;
    for (int i = 0; i < copies; ++i)
      put(from, x, now);
  }

  /// What is due at the other end.
  template <class Deliver>
  void give(size_t from, instant now, Deliver deliver) {
    auto& line = lines_[from];
    for (; !line.queue.empty() && line.queue.top().due <= now; line.queue.pop()) {
      deliver(line.queue.top().content);
      ++counts_["carried"];
    }
  }

  instant next() const {
    auto out = instant::max();
    for (auto& line : lines_)
      if (!line.queue.empty())
        out = std::min(out, line.queue.top().due);
    return out;
  }

  void tell() {
    for (auto& [what, n] : counts_)
      std::cout << what << ' ' << n << ' ';
    std::cout << std::endl;
    counts_.clear();
  }

private:
  struct direction {
    std::priority_queue<waiting> queue;
    instant free{};  ///< When the last frame has left, at the cable's rate.
    instant latest{}; ///< Due time of the last frame in order.
  };

  bool happens(const std::string& condition) {
    return std::uniform_real_distribution<>{0, 100}(random_) < conditions_[condition];
  }

  void put(size_t from, frame x, instant now) {
    auto& line = lines_[from];
    if (line.queue.size() >= queue_max)
      return ++counts_["overflowed"], void();
    if (x.size() > 54 && happens("corrupt")) {
      x[54 + random_() % (x.size() - 54)] ^= static_cast<uint8_t>(1u << random_() % 8);
      if (happens("repair"))
        repair_tcp(x);
      ++counts_["damaged"];
    }
    auto leaves = now;
    if (auto rate = conditions_["rate_mbit"]; rate > 0) {
      line.free = std::max(line.free, now)
                  + nanoseconds{static_cast<int64_t>(8e3 * static_cast<double>(x.size()) / rate)};
      leaves = line.free;
    }
    auto wait_ms = conditions_["delay_ms"]
                   + conditions_["jitter_ms"] * std::uniform_real_distribution<>{0, 1}(random_);
    auto due = std::max(leaves + nanoseconds{static_cast<int64_t>(1e6 * wait_ms)}, line.latest);
    if (happens("reorder"))
      due += overtaken_for, ++counts_["overtaken"];
    else
      line.latest = due;
    line.queue.push({due, number_++, std::move(x)});
  }

  std::mt19937 random_;
  std::map<std::string, double> conditions_{{"delay_ms", 0}, {"jitter_ms", 0}, {"loss", 0},
                                            {"duplicate", 0}, {"reorder", 0}, {"corrupt", 0},
                                            {"repair", 0}, {"rate_mbit", 0}, {"cut", 0}};
  std::array<direction, 2> lines_;
  std::map<std::string, uint64_t> counts_;
  uint64_t number_ = 0;
};

int wait_ms(instant until) {
  if (until == instant::max())
    return -1;
  auto left = duration_cast<microseconds>(until - steady_clock::now()).count();
  return left <= 0 ? 0 : static_cast<int>((left + 999) / 1000);
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: cable NAMESPACE_A NAMESPACE_B [SEED]\n");
    return 2;
  }
  std::array<::pollfd, 3> ends{};
  for (size_t i = 0; i < 2; ++i) {
    ends[i] = {open_tap(argv[i + 1]), POLLIN, 0};
    if (ends[i].fd < 0) {
      std::perror(argv[i + 1]);
      return 1;
    }
  }
  ends[2] = {0, POLLIN, 0};
  cable line{argc > 3 ? static_cast<uint32_t>(std::atoi(argv[3])) : 1};
  std::cout << "ready" << std::endl;
  frame room(65536);
  std::string said;
  for (;;) {
    ::poll(ends.data(), ends.size(), wait_ms(line.next()));
    for (size_t i = 0; i < 2; ++i)
      for (ssize_t n = 0; (n = ::read(ends[i].fd, room.data(), room.size())) > 0;)
        line.take(i, frame(room.begin(), room.begin() + n), steady_clock::now());
    for (size_t i = 0; i < 2; ++i)
      // A host that is not up yet loses it, as from a wire.
      line.give(i, steady_clock::now(), [&](const frame& x) {
        (void) !::write(ends[1 - i].fd, x.data(), x.size());
      });
    if (ends[2].revents == 0)
      continue;
    auto n = ::read(0, room.data(), room.size());
    if (n <= 0)
      return 0;
    said.append(room.begin(), room.begin() + n);
    for (size_t end; (end = said.find('\n')) != std::string::npos; said.erase(0, end + 1)) {
      if (!line.obey(said.substr(0, end)))
        std::fprintf(stderr, "cable: no conditions: %s\n", said.substr(0, end).c_str());
      line.tell();
    }
  }
}
