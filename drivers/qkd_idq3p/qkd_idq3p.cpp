#include "drivers/qkd_idq3p/qkd_idq3p.hpp"

namespace qnfv {

status use_idq3p(qkd_drawn_config& config, const environment_ptr& env,
                 idq3p_client_settings settings) {
  settings.tap = env->tap();
  config.connect = [env, settings]() mutable {
    settings.first_request = static_cast<uint32_t>(env->random->next());
    return make_idq3p_client(env->io->context(), settings);
  };
  // What is wrong with the address is better told before the first session.
  auto trial = config.connect();
  return trial ? status{done{}} : status{trial.error()};
}

} // namespace qnfv
