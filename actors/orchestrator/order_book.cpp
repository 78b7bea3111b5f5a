#include "actors/orchestrator/order_book.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace qnfv {

std::string to_string(order_event x) {
  static const char* names[] = {"no_key", "opened", "offered", "sent", "started", "failed",
                                "cancelled"};
  static_assert(std::size(names) == order_event_count, "name every event");
  return names[static_cast<size_t>(x)];
}

std::optional<order_state> next(order_state state, order_event event) {
  using s = std::optional<order_state>;
  using row = std::array<s, order_event_count>;
  constexpr auto dot = std::nullopt;
  const s wait = order_state::waiting_for_key, offer = order_state::offering,
          flow = order_state::streaming, inst = order_state::installing,
          runs = order_state::running, fail = order_state::failed, stop = order_state::cancelled;
  static const std::array<row, order_state_count> table{
    // no_key opened offered sent  started failed cancelled
    row{wait, offer, dot, dot, dot, fail, stop},  // accepted
    row{wait, offer, dot, dot, dot, fail, stop},  // waiting_for_key
    row{dot, dot, flow, dot, dot, fail, stop},    // offering
    row{dot, dot, dot, inst, dot, fail, stop},    // streaming
    row{dot, dot, dot, dot, runs, fail, stop},    // installing
    row{dot, dot, dot, dot, dot, dot, dot},       // running
    row{dot, dot, dot, dot, dot, dot, dot},       // failed
    row{dot, dot, dot, dot, dot, dot, dot},       // cancelled
  };
  return table[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

namespace {

uint64_t number_of(const order_id& id) {
  auto dash = id.value.rfind('-');
  return dash == std::string::npos ? 0 : std::strtoull(id.value.c_str() + dash + 1, nullptr, 10);
}

} // namespace

std::vector<order> order_book::restore(std::vector<order> saved) {
  std::vector<order> changed;
  for (auto& x : saved) {
    last_number_ = std::max(last_number_, number_of(x.id));
    if (!is_final(x.state)) {
      x.state = order_state::failed;
      x.code = ec::maybe_executed;
      x.reason = "the orchestrator stopped while it was under way";
      changed.push_back(x);
    }
    orders_.push_back(std::move(x));
  }
  forget_oldest();
  return changed;
}

result<order> order_book::open(const image_record& image, const site_id& site, transfer_id transfer,
                               std::string trace, time_point now) {
  auto under_way = std::count_if(orders_.begin(), orders_.end(),
                                 [](const order& x) { return !is_final(x.state); });
  if (static_cast<size_t>(under_way) >= orders_max_)
    return {ec::busy, std::to_string(under_way) + " orders are under way already"};
  order x;
  auto number = std::to_string(++last_number_);
  x.id = order_id{"order-" + number};
  x.image = image.image;
  x.site = site;
  x.transfer = transfer;
  x.size_bytes = image.size_bytes;
  x.digest = image.digest;
  x.vnf = vnf_id{image.image.value.substr(0, 40) + "-" + number};
  x.trace = std::move(trace);
  began_[x.id] = now;
  orders_.push_back(x);
  forget_oldest();
  return x;
}

void order_book::forget_oldest() {
  for (auto i = orders_.begin(); orders_.size() > orders_max_ && i != orders_.end();)
    i = is_final(i->state) ? orders_.erase(i) : i + 1;
}

order* order_book::find(const order_id& id) {
  auto i = std::find_if(orders_.begin(), orders_.end(), [&](auto& x) { return x.id == id; });
  return i == orders_.end() ? nullptr : &*i;
}

order* order_book::find(const transfer_id& id) {
  auto i = std::find_if(orders_.begin(), orders_.end(), [&](auto& x) { return x.transfer == id; });
  return i == orders_.end() ? nullptr : &*i;
}

std::vector<order> order_book::list(time_point now) const {
  std::vector<order> out;
  for (auto& x : orders_)
    out.push_back(as_of(x, now));
  return out;
}

bool order_book::apply(order& x, order_event event, time_point now) {
  auto to = next(x.state, event);
  if (!to)
    return false;
  x.state = *to;
  if (is_final(*to)) {
    x.total_s = to_seconds(age(x, now));
    began_.erase(x.id);
  }
  return true;
}

order order_book::as_of(const order& x, time_point now) const {
  auto out = x;
  if (!is_final(x.state))
    out.total_s = to_seconds(age(x, now));
  return out;
}

duration order_book::age(const order& x, time_point now) const {
  auto i = began_.find(x.id);
  return i == began_.end() ? duration{0} : duration{now - i->second};
}

} // namespace qnfv
