#include "drivers/switch_emulator/faces.hpp"

#include <algorithm>

namespace qnfv {

namespace {

/// The first that is wrong ends it.
void next_change(switch_face* self, const switch_driver_actor& driver,
                 const std::shared_ptr<std::deque<switch_change>>& changes,
                 const std::function<void(status)>& then) {
  if (changes->empty())
    return then(done{});
  auto now = std::move(changes->front());
  changes->pop_front();
  std::visit(
    [&](auto& x) {
      self->request(driver, switch_face_timeout, x)
        .then([=](accepted&) { next_change(self, driver, changes, then); },
              [=](const caf::error& why) { then(to_failure(why)); });
    },
    now);
}

} // namespace

void carry_out(switch_face* self, switch_driver_actor driver, std::deque<switch_change> changes,
               std::function<void(status)> then) {
  next_change(self, driver, std::make_shared<std::deque<switch_change>>(std::move(changes)), then);
}

void ask_joined(switch_face* self, switch_driver_actor driver,
                std::function<void(result<std::vector<cross_connection>>)> then) {
  self->request(driver, switch_face_timeout, read_cross_connections{})
    .then([then](cross_connections& x) { then(std::move(x.joined)); },
          [then](const caf::error& why) { then(to_failure(why)); });
}

void ask_status(switch_face* self, switch_driver_actor driver,
                std::function<void(result<switch_status>)> then) {
  self->request(driver, switch_face_timeout, switch_status_query{})
    .then([then](switch_status& x) { then(std::move(x)); },
          [then](const caf::error& why) { then(to_failure(why)); });
}

std::deque<switch_change> enable_ports(const switch_status& now,
                                       const std::vector<port_number>& ports) {
  std::deque<switch_change> out;
  for (auto port : ports)
    if (std::find(now.dark.begin(), now.dark.end(), port) != now.dark.end())
      out.push_back(switch_fault{switch_fault::kind::none, port});
  return out;
}

std::deque<switch_change> disable_ports(const std::vector<port_number>& ports) {
  std::deque<switch_change> out;
  for (auto port : ports)
    out.push_back(switch_fault{switch_fault::kind::dark, port});
  return out;
}

} // namespace qnfv
