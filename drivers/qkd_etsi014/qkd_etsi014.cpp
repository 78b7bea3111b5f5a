#include "drivers/qkd_etsi014/qkd_etsi014.hpp"

#include "drivers/etsi014/codec.hpp"

namespace qnfv {

status use_etsi014(qkd_drawn_config& config, const environment_ptr& env,
                   kme_client_settings settings) {
  settings.tracing = {env->lab, env->tap(), etsi014_shown};
  config.connect = [env, settings] { return make_kme_client(env->io->context(), settings); };
  // What is wrong with the certificates is better told before the first session.
  auto trial = config.connect();
  return trial ? status{done{}} : status{trial.error()};
}

} // namespace qnfv
