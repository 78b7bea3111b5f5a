#include "runtime/messages/images.hpp"

#include "runtime/base/names.hpp"

#include <iterator>

namespace qnfv {

std::string to_string(order_state x) {
  static const char* names[] = {"accepted",   "waiting_for_key", "offering", "streaming",
                                "installing", "running",         "failed",   "cancelled"};
  static_assert(std::size(names) == order_state_count, "name every state");
  return name_in(names, x);
}

bool is_final(order_state x) {
  return x == order_state::running || x == order_state::failed || x == order_state::cancelled;
}

} // namespace qnfv
