#pragma once

#include "drivers/switch_polled/switch_polled.hpp"
#include "drivers/switch_scpi/scpi_client.hpp"

namespace qnfv {

/// Makes `config` speak SCPI. Failure: bad_config.
status use_scpi(switch_polled_config& config, const environment_ptr& env,
                scpi_client_settings settings);

/// A switch's error as ours: busy (-221), invalid_argument (-220 to -229, but for -223), else
/// device_failed.
failure scpi_failure(int code, const std::string& text);

} // namespace qnfv
