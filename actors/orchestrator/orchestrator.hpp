#pragma once

#include "actors/orchestrator/order_book.hpp"
#include "runtime/system/actor.hpp"

#include <set>

namespace qnfv {

/// What the orchestrator needs to know of one data centre.
struct data_centre {
  site_id site;
  mano_gateway_actor gateway;
  std::string data_address; ///< Where its channel driver listens.
  link_id link;             ///< Whose keys protect images to it.
};

struct orchestrator_config {
  image_store_actor images;
  image_stream_actor stream;
  store_actor store;
  std::vector<data_centre> data_centres;
  std::vector<link_actor> links;      ///< Of the Bobs at this site.
  uint32_t orders_max = 1000;         ///< Remembered; also the bound of those under way.
  uint32_t request_timeout_ms = 2000;
  uint32_t offer_timeout_ms = 10000;
  uint32_t install_timeout_s = 600;   ///< From the last byte to the running VNF.
  uint32_t transfer_timeout_s = 21600; ///< From the first byte to the last.
  uint32_t key_wait_s = 7200;         ///< Lab time an order waits for a key.
  uint32_t key_retry_ms = 250;        ///< How often it asks.
};

struct orchestrator_state {
  static inline const char* name = "orchestrator";
  orchestrator_config config;
  order_book orders{1};
  std::map<site_id, data_centre> data_centres;
  std::set<site_id> up;
  /// Per order under way, the context of its request: timers and retries continue its trace.
  std::map<order_id, trace_context> traces;
};

/// The ORCHESTRATOR (NFV CO, the paper's section II): takes an order, drives one delivery at a time
/// per order through the walk of Fig. 3, and keeps the books.
orchestrator_actor::behavior_type
orchestrator(stateful<orchestrator_actor, orchestrator_state>* self, orchestrator_config config);

} // namespace qnfv
