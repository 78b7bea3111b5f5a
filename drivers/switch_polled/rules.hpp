#pragma once

// What a command means for what the switch says about itself. Pure but for the words of the
// messages.

#include "drivers/switch_polled/switch_client.hpp"

namespace qnfv {

using joined_ports = std::vector<cross_connection>;

/// Ingress and egress ports of an N x N switch? Errors: invalid_argument.
status check_ports(const cross_connection&, uint16_t size);

/// True: it is so already. False: the switch must be told. Errors: busy (a port is joined
/// elsewhere).
result<bool> before_join(const joined_ports& now, const cross_connection&);
bool is_joined(const joined_ports& now, const cross_connection&);

/// After the switch said yes. Errors: device_failed.
status after_join(const joined_ports& now, const cross_connection&);
status after_part(const joined_ports& now, const cross_connection&);

/// What changed from `before` to `now`: a disabled port lets no light through.
std::vector<switch_event> port_changes(const std::vector<port_state>& before,
                                       const std::vector<port_state>& now);

} // namespace qnfv
