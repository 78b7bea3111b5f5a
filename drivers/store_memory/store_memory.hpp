#pragma once

#include "runtime/messages/images.hpp"
#include "runtime/system/actor.hpp"

#include <memory>

namespace qnfv {

/// What a crash of the actor leaves: a simulation keeps it with the site.
struct memory_records {
  std::vector<image_record> images;
  std::vector<order> orders;
};

struct store_memory_config {
  std::shared_ptr<memory_records> records;
};

struct store_memory_state {
  static inline const char* name = "store";
  store_memory_config config;
};

/// The STORE driver of simulations and tests.
store_actor::behavior_type store_memory(stateful<store_actor, store_memory_state>* self,
                                        store_memory_config config);

} // namespace qnfv
