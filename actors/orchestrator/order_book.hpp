#pragma once

#include "runtime/clock/clock.hpp"
#include "runtime/messages/images.hpp"

#include <array>
#include <map>
#include <optional>
#include <vector>

namespace qnfv {

/// What can happen to an order.
enum class order_event : uint8_t {
  no_key,    ///< The pool is empty.
  opened,    ///< Key reserved, data channel open.
  offered,   ///< The data centre takes the transfer.
  sent,      ///< The last byte has left.
  started,   ///< The VNF runs.
  failed,
  cancelled,
};
constexpr size_t order_event_count = 7;
std::string to_string(order_event);

/// The state after `event` in `state`; nothing: the event does not count there (it came too late).
std::optional<order_state> next(order_state state, order_event event);

/// All orders of the orchestrator, running and ended. Pure: the clock is an argument.
class order_book {
public:
  /// How many orders are remembered; the oldest ended ones go first.
  explicit order_book(size_t orders_max) : orders_max_(orders_max) {}

  /// What the store knew. An order that was under way when the orchestrator stopped has failed:
  /// its key is spent and its stream is gone. Returns those, to be saved again.
  std::vector<order> restore(std::vector<order> saved);

  /// A new order in state accepted. Failure: busy if `orders_max` orders are under way.
  result<order> open(const image_record& image, const site_id& site, transfer_id transfer,
                     std::string trace, time_point now);

  order* find(const order_id& id);
  order* find(const transfer_id& id);
  std::vector<order> list(time_point now) const;

  /// Moves on by the table; false if the event does not count in this state.
  bool apply(order& x, order_event event, time_point now);

  /// `x` with total_s as of now.
  order as_of(const order& x, time_point now) const;
  /// How long the order has been under way.
  duration age(const order& x, time_point now) const;

private:
  void forget_oldest();

  size_t orders_max_;
  uint64_t last_number_ = 0;
  std::vector<order> orders_; ///< Oldest first.
  std::map<order_id, time_point> began_;
};

} // namespace qnfv
