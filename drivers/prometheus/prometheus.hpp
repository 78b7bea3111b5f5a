#pragma once

#include "drivers/http/door.hpp"
#include "drivers/prometheus/exposition.hpp"
#include "runtime/system/actor.hpp"

namespace qnfv {

struct prometheus_config {
  std::shared_ptr<http_door> door;
  node_actor node;
  key_pool_actor key_pool;
  std::vector<link_actor> links;   ///< Of the site's Bobs.
  orchestrator_actor orchestrator; ///< Null: elsewhere.
  uint32_t request_timeout_ms = 2000;
};

struct prometheus_state {
  ~prometheus_state() {
    if (config.door)
      config.door->leave(service);
  }
  static inline const char* name = "prometheus";
  prometheus_config config;
  uint64_t service = 0;
};

/// Without TLS on loopback; elsewhere a certificate of the lab is a must: demand and stock say when
/// keys are short.
http_server_settings prometheus_http(const std::string& listen, const tls_files&);

using prometheus_actor = actor_of<caf::result<void>(continuation)>;

/// GET /metrics: what this site's roles say of themselves, asked when Prometheus asks. 404 for other
/// paths, 405 for other methods.
prometheus_actor::behavior_type prometheus_exporter(stateful<prometheus_actor, prometheus_state>* self,
                                                    prometheus_config config);

} // namespace qnfv
