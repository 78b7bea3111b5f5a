#pragma once

#include "runtime/messages/admin.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/system/meters.hpp"

#include <optional>
#include <string>
#include <vector>

namespace qnfv {

/// What a site knows of itself at the moment it is asked. What did not answer is missing.
struct metrics_snapshot {
  site_id site;
  const meters* actors = nullptr; ///< Null: nothing is measured.
  std::optional<site_status> node;
  std::optional<keys_status> pools;
  std::vector<link_status> links;
  std::optional<order_list> orders;
};

/// The text that Prometheus reads (exposition format 0.0.4). Units are seconds and bytes; every
/// metric begins with "qnfv_" and says what it is. No key bits: there are none in what it is made of.
std::string exposition(const metrics_snapshot&);

} // namespace qnfv
