#pragma once

#include "runtime/messages/images.hpp"
#include "runtime/system/actor.hpp"

#include <map>
#include <set>

namespace qnfv {

struct image_store_config {
  store_actor store;
  uint64_t image_bytes_max = 64ull << 30;
  uint32_t images_max = 1000;
  uint32_t request_timeout_ms = 2000;
};

struct image_store_state {
  static inline const char* name = "image_store";
  image_store_config config;
  std::vector<image_record> images; ///< In the order of adding.
  std::set<image_id> being_added;

  const image_record* find(const image_id& x) const;
};

/// The IMAGE STORE: the orchestrator's catalogue. An image is copied into "images/DIGEST" of the
/// site's storage when it is added, so that nobody can change it afterwards.
image_store_actor::behavior_type
image_store(stateful<image_store_actor, image_store_state>* self, image_store_config config);

} // namespace qnfv
