#pragma once

#include "drivers/qkd_drawn/qkd_drawn.hpp"
#include "drivers/qkd_idq3p/idq3p_client.hpp"

namespace qnfv {

/// Makes `config` draw from a Clavis2-like key server beside this end. Failure: bad_config.
status use_idq3p(qkd_drawn_config& config, const environment_ptr& env,
                 idq3p_client_settings settings);

} // namespace qnfv
