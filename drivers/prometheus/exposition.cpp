#include "drivers/prometheus/exposition.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <map>

namespace qnfv {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<std::pair<std::string, std::string>>;

class writer {
public:
  void gauge(const char* name, const char* help, double x, const labels& of) {
    auto& one = add(name, help, MetricType::Gauge, of);
    one.gauge.value = x;
  }
  void counter(const char* name, const char* help, double x, const labels& of) {
    auto& one = add(name, help, MetricType::Counter, of);
    one.counter.value = x;
  }
  /// `counts` per bucket, not added up; one more than `bounds`.
  template <class Bounds, class Counts>
  void histogram(const char* name, const char* help, const Bounds& bounds, const Counts& counts, double sum,
                 const labels& of) {
    auto& one = add(name, help, MetricType::Histogram, of);
    uint64_t so_far = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      so_far += counts[i];
      ClientMetric::Bucket bucket;
      bucket.cumulative_count = so_far;
      bucket.upper_bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
      one.histogram.bucket.push_back(bucket);
    }
    one.histogram.sample_count = so_far;
    one.histogram.sample_sum = sum;
  }

  std::string text() const {
    std::vector<MetricFamily> all;
    for (auto& [name, family] : families_)
      all.push_back(family);
    return prometheus::TextSerializer{}.Serialize(all);
  }

private:
  ClientMetric& add(const char* name, const char* help, MetricType type, const labels& of) {
    auto& family = families_[name];
    family.name = name;
    family.help = help;
    family.type = type;
    family.metric.emplace_back();
    for (auto& [key, value] : of)
      family.metric.back().label.push_back({key, value});
    return family.metric.back();
  }

  std::map<std::string, MetricFamily> families_;
};

void put_actors(writer& out, const meters& all) {
  all.each([&](const std::string& kind, const actor_meter& x) {
    labels of{{"kind", kind}};
    out.counter("qnfv_actor_messages_total", "Messages handled.", static_cast<double>(x.handled), of);
    out.counter("qnfv_actor_refused_total", "Messages refused because a mailbox was full.",
                static_cast<double>(x.refused), of);
    out.gauge("qnfv_actor_mailbox_messages", "Messages that wait.", static_cast<double>(x.waiting), of);
    std::array<uint64_t, actor_meter::bounds_s.size() + 1> counts{};
    for (size_t i = 0; i < counts.size(); ++i)
      counts[i] = x.within[i];
    out.histogram("qnfv_actor_handling_seconds", "Time that a message took its actor.",
                  actor_meter::bounds_s, counts, static_cast<double>(x.busy_ns) * 1e-9, of);
  });
}

void put_node(writer& out, const site_status& x) {
  out.gauge("qnfv_site_epoch", "Starts of this site.", static_cast<double>(x.epoch), {});
  out.gauge("qnfv_site_uptime_seconds", "Since the last start.", x.uptime_s, {});
  for (auto& role : x.roles) {
    out.gauge("qnfv_role_up", "1 if the role runs.", role.alive, {{"role", role.role}});
    out.counter("qnfv_role_restarts_total", "Restarts by its supervisor.", role.restarts, {{"role", role.role}});
  }
  for (auto& peer : x.peers) {
    out.gauge("qnfv_peer_up", "1 if the other site has joined.", peer.up, {{"peer", peer.site.value}});
    out.gauge("qnfv_peer_silent_seconds", "Since its last sign of life.", peer.silent_s,
              {{"peer", peer.site.value}});
  }
}

void put_pools(writer& out, const keys_status& x) {
  for (auto& pool : x.pools) {
    for (auto [state, keys] : {std::pair{"stored", pool.stored}, {"ready", pool.ready}, {"kept", pool.kept},
                               {"reserved", pool.reserved}, {"assigned", pool.assigned}})
      out.gauge("qnfv_pool_keys", "Keys of 256 bits, by state.", static_cast<double>(keys),
                {{"link", pool.link.value}, {"state", state}});
    labels of{{"link", pool.link.value}};
    out.counter("qnfv_pool_ingested_keys_total", "Keys that entered.", static_cast<double>(pool.ingested), of);
    out.counter("qnfv_pool_consumed_keys_total", "Keys that were handed out.",
                static_cast<double>(pool.consumed), of);
    out.counter("qnfv_pool_destroyed_keys_total", "Keys that were destroyed unused.",
                static_cast<double>(pool.destroyed), of);
    out.counter("qnfv_pool_refused_total", "Requests that found the pool empty.",
                static_cast<double>(pool.refused), of);
    out.counter("qnfv_pool_mismatches_total", "Blocks whose two copies differed.",
                static_cast<double>(pool.mismatches), of);
    out.gauge("qnfv_pool_capacity_keys", "Keys that it takes.", static_cast<double>(pool.capacity), of);
    out.gauge("qnfv_pool_demand_bytes_per_second", "Key asked for, mean of the last hour.",
              pool.demand_bits_per_s / 8, of);
    out.gauge("qnfv_pool_trouble", "1 if nothing is handed out for a reason.", !pool.trouble.empty(), of);
  }
}

void put_link(writer& out, const link_status& x) {
  labels of{{"link", x.link.value}};
  for (size_t i = 0; i < link_state_count; ++i) {
    auto state = static_cast<link_state>(i);
    out.gauge("qnfv_link_state", "1 for the state that the link is in.", x.state == state,
              {{"link", x.link.value}, {"state", to_string(state)}});
  }
  out.gauge("qnfv_link_qber_ratio", "Of the last block.", x.device.qber, of);
  out.gauge("qnfv_link_secret_bytes_per_second", "Secret key of the last block.", x.device.secret_rate_bps / 8,
            of);
  out.gauge("qnfv_link_initialisation_seconds", "Until the first key, mean of all sessions; lab time.",
            x.mean_initialisation_s, of);
  out.gauge("qnfv_link_attempts", "Sessions in a row without a key.", x.attempts, of);
  out.gauge("qnfv_link_session", "Number of the last session.", x.session, of);
}

void put_orders(writer& out, const order_list& x) {
  constexpr std::array<double, 6> bounds{1, 3, 10, 30, 100, 300};
  std::array<uint64_t, bounds.size() + 1> counts{};
  double sum = 0;
  std::map<order_state, uint64_t> by_state;
  for (auto& order : x.orders) {
    ++by_state[order.state];
    if (!is_final(order.state)) {
      labels of{{"order", order.id.value}, {"site", order.site.value}};
      out.gauge("qnfv_transfer_sent_bytes", "Of a delivery under way.", static_cast<double>(order.sent_bytes), of);
      out.gauge("qnfv_transfer_size_bytes", "Of a delivery under way.", static_cast<double>(order.size_bytes), of);
    } else if (order.state == order_state::running) {
      size_t i = 0;
      while (i < bounds.size() && order.total_s > bounds[i])
        ++i;
      ++counts[i];
      sum += order.total_s;
    }
  }
  for (size_t i = 0; i < order_state_count; ++i) {
    auto state = static_cast<order_state>(i);
    out.gauge("qnfv_orders", "Deliveries that are remembered, by state.",
              static_cast<double>(by_state[state]), {{"state", to_string(state)}});
  }
  out.histogram("qnfv_delivery_seconds", "From the order to the running function.", bounds, counts, sum, {});
}

} // namespace

std::string exposition(const metrics_snapshot& x) {
  writer out;
  for (auto [part, there] : {std::pair{"node", x.node.has_value()}, {"key_pool", x.pools.has_value()}})
    out.gauge("qnfv_answered", "1 if this part of the site answered in time.", there, {{"part", part}});
  if (x.actors)
    put_actors(out, *x.actors);
  if (x.node)
    put_node(out, *x.node);
  if (x.pools)
    put_pools(out, *x.pools);
  for (auto& link : x.links)
    put_link(out, link);
  if (x.orders)
    put_orders(out, *x.orders);
  return out.text();
}

} // namespace qnfv
