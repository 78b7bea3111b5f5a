#pragma once

// What went on in a simulated lab: whom each Bob served, what was in the pools, what was ordered.

#include "runtime/config/topology.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/links.hpp"

namespace qnfv {

/// Times are lab seconds since the start.
struct phase_span {
  size_t link = 0; ///< Of the topology.
  link_state phase = link_state::off;
  double from_s = 0;
  double to_s = 0;
};

struct pool_levels {
  double capacity_keys = 0;
  std::vector<std::pair<double, double>> ready_keys; ///< At Bob's end, against time.
};

struct alarm_span {
  device_id bob;
  std::string reason;
  double from_s = 0;
  double to_s = 0;
};

struct delivery_span {
  order_id id;
  site_id site;
  double from_s = 0;
  double to_s = 0;
  order_state state = order_state::accepted;
};

/// Keys that applications asked for and did not get.
struct dry_span {
  size_t link = 0;
  double from_s = 0;
  double to_s = 0;
};

struct week_log {
  topology lab; ///< As it was simulated.
  double span_s = 0;
  std::vector<phase_span> phases;
  std::vector<pool_levels> pools; ///< One per link.
  std::vector<alarm_span> alarms;
  std::vector<delivery_span> deliveries;
  std::vector<dry_span> dry;
  uint64_t keys_asked = 0; ///< By applications.
  uint64_t keys_got = 0;
  std::vector<std::string> violations;
};

struct workload {
  double orders_per_h = 2; ///< Images of seeded sizes to seeded data centres.
  /// An application of the orchestrator's site and one of each data centre draw keys for each other,
  /// every ten minutes: this many bits per second and link on average, fetched at both ends.
  double keys_bps = 50;
};

/// Plays `span` of the lab under this workload.
week_log play_week(const topology&, duration span, uint64_t seed, const workload&);

} // namespace qnfv
