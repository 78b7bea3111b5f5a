#pragma once

#include "drivers/http/client.hpp"
#include "drivers/switch_polled/switch_polled.hpp"

namespace qnfv {

struct restconf_settings {
  std::string server; ///< "HOST:PORT"
  std::string user;   ///< Empty: no authorization is sent.
  secret password;
  http_security security = http_security::server_tls;
  std::string ca;            ///< PEM file: whose certificates are trusted. Not of `plain`.
  std::string expected_name; ///< In the switch's certificate; empty: HOST.
  duration connect_timeout = std::chrono::seconds{3};
  duration answer_timeout = std::chrono::seconds{5};
};

/// Makes `config` speak RESTCONF. Failure: bad_config.
status use_restconf(switch_polled_config& config, const environment_ptr& env,
                    const restconf_settings& settings);

/// A switch's answer that is no success, as ours: busy (409, or "in-use" and the like),
/// invalid_argument (400 and 404), not_allowed (401, 403), site_unreachable (503), else
/// device_failed.
failure restconf_failure(uint16_t status, std::string_view body);

} // namespace qnfv
