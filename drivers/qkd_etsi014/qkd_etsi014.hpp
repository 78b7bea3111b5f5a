#pragma once

#include "drivers/qkd_drawn/qkd_drawn.hpp"
#include "drivers/qkd_etsi014/kme_client.hpp"

namespace qnfv {

/// Makes `config` draw from a KME beside this end. Failure: bad_config.
status use_etsi014(qkd_drawn_config& config, const environment_ptr& env,
                   kme_client_settings settings);

} // namespace qnfv
