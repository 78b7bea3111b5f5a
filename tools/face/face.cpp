#include "tools/face/face.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

namespace qnfv {

namespace {
constexpr size_t uncut = size_t{1} << 30;
}

face_settings face_settings_of(std::FILE* out) {
  face_settings x;
  auto fd = ::fileno(out);
  auto* no_colour = std::getenv("NO_COLOR");
  x.colour = ::isatty(fd) != 0 && !(no_colour && *no_colour);
  ::winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
    x.width = size.ws_col;
  else
    x.width = uncut;
  return x;
}

std::string coloured(const std::string& state, const face_settings& face) {
  static const std::set<std::string> good{"running", "up", "distilling", "alive"};
  static const std::set<std::string> bad{"failed", "down", "lost", "cancelled", "dead", "trouble"};
  if (!face.colour || state.empty())
    return state;
  auto* code = good.count(state) ? "32" : bad.count(state) ? "31" : "33";
  return std::string{"\033["} + code + "m" + state + "\033[0m";
}

size_t display_width(const std::string& text) {
  size_t n = 0;
  bool escape = false;
  for (unsigned char c : text) {
    if (c == 0x1b)
      escape = true;
    else if (escape)
      escape = c != 'm';
    else if ((c & 0xc0) != 0x80) // Not a UTF-8 continuation byte.
      ++n;
  }
  return n;
}

} // namespace qnfv
