#pragma once

#include "actors/vnf_manager/life_cycle.hpp"
#include "runtime/system/actor.hpp"

#include <map>

namespace qnfv {

struct vnf_manager_config {
  vim_actor vim;
  site_id site;
  uint32_t vnfs_max = 256;
  uint32_t request_timeout_ms = 2000;
  uint32_t vim_timeout_ms = 60000; ///< For one step of the VIM: create, start, stop.
};

struct vnf_manager_state {
  static inline const char* name = "vnf_manager";
  vnf_manager_config config;
  std::map<vnf_id, vnf_info> vnfs;
  /// Who waits for a creation that is under way.
  std::map<vnf_id, std::vector<caf::typed_response_promise<vnf_info>>> waiting;
};

/// The VNF MANAGER of one data centre: life cycle of VNF instances over its VIM. A function whose
/// creation fails is removed again. Remembers its functions in the file "vnfs"; after a restart it
/// asks the VIM which of them still run.
vnf_manager_actor::behavior_type
vnf_manager(stateful<vnf_manager_actor, vnf_manager_state>* self, vnf_manager_config config);

} // namespace qnfv
