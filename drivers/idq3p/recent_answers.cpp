#include "drivers/idq3p/recent_answers.hpp"

#include <algorithm>

namespace qnfv {

secret recent_answers::find(const idq3p_asker& who, const idq3p_request& what, time_point now) {
  expire(now);
  auto i = answers_.find(who);
  return i != answers_.end() && i->second.request == what ? i->second.datagram : secret{};
}

uint8_t recent_answers::length_of(const idq3p_id& key, time_point now) {
  expire(now);
  for (auto& x : answers_)
    if (x.second.key == key)
      return x.second.request.key_bytes;
  return 0;
}

void recent_answers::put(const idq3p_asker& who, const idq3p_request& what, const idq3p_id& key,
                         secret datagram, time_point now) {
  expire(now);
  auto known = answers_.find(who);
  if (known != answers_.end()) {
    answers_.erase(known);
    order_.erase(std::find_if(order_.begin(), order_.end(),
                              [&](auto& x) { return !(x < who) && !(who < x); }));
  }
  while (answers_.size() >= max_ && !answers_.empty())
    forget_oldest();
  answers_[who] = {what, key, std::move(datagram), now};
  order_.push_back(who);
}

void recent_answers::expire(time_point now) {
  while (!order_.empty() && now - answers_.at(order_.front()).since >= lifetime_)
    forget_oldest();
}

void recent_answers::forget_oldest() {
  answers_.erase(order_.front());
  order_.pop_front();
}

} // namespace qnfv
