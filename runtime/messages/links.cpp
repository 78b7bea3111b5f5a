#include "runtime/messages/links.hpp"

#include "runtime/base/names.hpp"

#include <iterator>

namespace qnfv {

std::string to_string(qkd_phase x) {
  static const char* names[] = {"idle",      "line_measure", "sync",       "visibility",
                                "raw_exchange", "reconcile", "amplify",    "keys_ready",
                                "lost",      "failed"};
  static_assert(std::size(names) == static_cast<size_t>(qkd_phase::failed) + 1, "name every phase");
  return name_in(names, x);
}

std::string to_string(link_state x) {
  static const char* names[] = {"off", "switching", "initialising", "distilling", "releasing", "lost", "failed"};
  static_assert(std::size(names) == link_state_count, "name every state");
  return name_in(names, x);
}

std::string etsi_015(link_state x) {
  switch (x) {
    case link_state::distilling:
      return "ACTIVE";
    case link_state::switching:
    case link_state::initialising:
    case link_state::releasing:
      return "PENDING";
    case link_state::off:
      return "PASSIVE";
    default:
      return "OFF";
  }
}

} // namespace qnfv
