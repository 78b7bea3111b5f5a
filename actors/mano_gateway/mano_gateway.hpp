#pragma once

#include "runtime/messages/images.hpp"
#include "runtime/system/actor.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>

namespace qnfv {

struct mano_gateway_config {
  site_id orchestrator;     ///< The only site whose transfers are taken.
  image_stream_actor stream;
  vnf_manager_actor vnf_manager;
  std::set<link_id> links;  ///< Links whose keys may protect a transfer to here.
  uint64_t image_bytes_max = 64ull << 30;
  uint32_t transfers_max = 8;        ///< Under way at a time.
  uint32_t verdicts_kept = 64;       ///< Of ended transfers, for a question that comes late.
  uint32_t request_timeout_ms = 2000;
  uint32_t offer_timeout_ms = 8000;  ///< To get a sink and a key; below the orchestrator's own.
  uint32_t install_timeout_s = 590;  ///< To create and start; below the orchestrator's own.
  uint32_t transfer_timeout_s = 21600;
};

/// One transfer at its data centre.
struct incoming {
  transfer_offer offer;
  trace_context trace;
  std::string vim_image; ///< Once the VIM has the image.
  bool creating = false; ///< The VNF manager is at work; its answer decides.
  bool cancelled = false;
  std::vector<caf::typed_response_promise<transfer_verdict>> waiting;
  /// Set when it has ended.
  std::optional<transfer_verdict> verdict;
  caf::error error;
  bool ended() const { return verdict.has_value() || error; }
};

struct mano_gateway_state {
  static inline const char* name = "mano_gateway";
  mano_gateway_config config;
  std::map<transfer_id, incoming> transfers;
  std::deque<transfer_id> ended; ///< Oldest first.
};

/// The MANO GATEWAY: the entry of a data centre (the paper's section II). Takes a transfer, has it
/// received, decrypted and verified straight into the VIM, starts the function, and answers with the
/// verdict. Whatever fails leaves no image, instance or key behind.
mano_gateway_actor::behavior_type
mano_gateway(stateful<mano_gateway_actor, mano_gateway_state>* self, mano_gateway_config config);

} // namespace qnfv
