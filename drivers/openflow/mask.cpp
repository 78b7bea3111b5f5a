#include "drivers/openflow/codec.hpp"

#include <algorithm>

namespace qnfv {

shown_bytes show_openflow(byte_view message) {
  shown_bytes out{bytes(message.begin(), message.end())};
  auto header = read_header(message);
  auto known = false;
  if (header && header->version == openflow_version)
    switch (header->type) {
    case openflow_type::error:
    case openflow_type::features_reply:
    case openflow_type::get_config_reply:
    case openflow_type::set_config:
    case openflow_type::cport_status:
    case openflow_type::cflow_mod:
      known = true;
      break;
    default:
      break;
    }
  auto shown = known ? message.size() : header ? openflow_header_bytes : 0;
  std::fill(out.value.begin() + static_cast<long>(shown), out.value.end(), masked_byte);
  return out;
}

} // namespace qnfv
