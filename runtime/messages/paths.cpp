#include "runtime/messages/paths.hpp"

#include "runtime/base/names.hpp"

#include <iterator>

namespace qnfv {

std::string to_string(switch_event::kind x) {
  static const char* names[] = {"connected", "gone", "light_lost", "light_back", "port_failed"};
  static_assert(std::size(names) == static_cast<size_t>(switch_event::kind::port_failed) + 1,
                "name every kind");
  return name_in(names, x);
}

std::string to_string(switch_fault::kind x) {
  static const char* names[] = {"none", "stuck", "wrong", "silent", "lying", "lost", "dark"};
  static_assert(std::size(names) == static_cast<size_t>(switch_fault::kind::dark) + 1,
                "name every kind");
  return name_in(names, x);
}

} // namespace qnfv
