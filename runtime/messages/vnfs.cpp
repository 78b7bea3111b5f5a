#include "runtime/messages/vnfs.hpp"

#include "runtime/base/names.hpp"

#include <iterator>

namespace qnfv {

std::string to_string(image_kind x) {
  return x == image_kind::container ? "container" : "disk";
}

std::optional<image_kind> parse_image_kind(std::string_view text) {
  for (auto kind : {image_kind::container, image_kind::disk})
    if (text == to_string(kind))
      return kind;
  return std::nullopt;
}

std::string to_string(vnf_state x) {
  static const char* names[] = {"creating", "running", "stopping", "stopped", "failed"};
  static_assert(std::size(names) == vnf_state_count, "name every state");
  return name_in(names, x);
}

} // namespace qnfv
