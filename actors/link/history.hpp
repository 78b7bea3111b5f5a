#pragma once

#include "runtime/base/result.hpp"
#include "runtime/messages/links.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace qnfv {

/// What a link remembers over restarts: the session numbers that it used up, whom it obeys, and what
/// its sessions were like. File "link-BOB-ALICE": one line, "qnfv-link 1", then `name=value` pairs.
struct link_history {
  uint32_t session = 0; ///< The last one used; key ids must never repeat.
  uint64_t epoch = 0;   ///< Of the youngest scheduler.
  uint32_t sessions_with_keys = 0;
  double mean_initialisation_s = 0;
  double mean_secret_rate_bps = 0;
  double mean_qber = 0;

  /// A session's first key, `initialisation_s` after its start.
  void initialised(double initialisation_s);
  /// One block that gave keys.
  void distilled(double secret_rate_bps, double qber);
};

/// Where a link keeps it, below its site's storage.
std::string history_file(const link_id&);

std::string to_text(const link_history&);
/// Reads back what to_text wrote, and the bare session number of earlier versions. Failure: bad_config (damaged: a session number must not be guessed).
result<link_history> parse_link_history(std::string_view text);

} // namespace qnfv
