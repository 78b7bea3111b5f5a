#include "drivers/switch_emulator/crossbar.hpp"

#include <algorithm>

namespace qnfv {

std::vector<cross_connection> crossbar::listed(const table& x) {
  std::vector<cross_connection> out;
  for (auto& [in, egress] : x)
    out.push_back({in, egress});
  return out;
}

bool crossbar::holds(const table& t, const cross_connection& x) {
  auto found = t.find(x.in);
  return found != t.end() && found->second == x.out;
}

void crossbar::join(table& t, const cross_connection& x) {
  // A mirror points one way: what led to this egress port before leads nowhere now.
  for (auto i = t.begin(); i != t.end();)
    i = i->second == x.out ? t.erase(i) : std::next(i);
  t[x.in] = x.out;
}

void crossbar::part(table& t, const cross_connection& x) {
  if (holds(t, x))
    t.erase(x.in);
}

bool crossbar::taken(const table& t, const cross_connection& x) {
  return std::any_of(t.begin(), t.end(),
                     [&](auto& entry) { return (entry.first == x.in) != (entry.second == x.out); });
}

std::map<port_number, crossbar::set_fault>::const_iterator
crossbar::found(const cross_connection& x) const {
  for (auto port : {x.in, x.out, port_number{0}})
    if (auto at = faults_.find(port); at != faults_.end())
      return at;
  return faults_.end();
}

crossbar::fault crossbar::fault_of(const cross_connection& x) const {
  auto at = found(x);
  return at == faults_.end() ? fault::none : at->second.what;
}

void crossbar::hit(const cross_connection& x) {
  auto at = found(x);
  if (at == faults_.end() || at->second.times == 0)
    return;
  auto& left = faults_[at->first].times;
  if (--left == 0)
    faults_.erase(at);
}

std::optional<port_number> crossbar::next_free_egress(port_number after) const {
  for (port_number i = 1; i < size_; ++i) {
    auto out = static_cast<port_number>(size_ + 1 + (after - size_ - 1 + i) % size_);
    cross_connection nobody{0, out};
    if (!taken(said_, nobody) && !taken(truth_, nobody))
      return out;
  }
  return std::nullopt;
}

crossbar::verdict crossbar::connect(const cross_connection& x) {
  ++changes_;
  settled();
  auto wrong = fault_of(x);
  if (wrong == fault::lost) {
    hit(x);
    return verdict::lost;
  }
  if (!has(x))
    return verdict::no_such_port;
  if (holds(said_, x))
    return verdict::as_it_is;
  if (taken(said_, x))
    return verdict::overlap;
  std::optional<port_number> other;
  if (wrong == fault::wrong)
    other = next_free_egress(x.out);
  hit(x);
  switch (wrong) {
  case fault::stuck:
    return verdict::refused;
  case fault::silent:
    break;
  case fault::lying:
    said_when_settled_ = x;
    break;
  case fault::wrong:
    if (!other)
      return verdict::refused;
    true_when_settled_ = said_when_settled_ = cross_connection{x.in, *other};
    break;
  default:
    true_when_settled_ = said_when_settled_ = x;
  }
  return verdict::moves;
}

crossbar::verdict crossbar::disconnect(const cross_connection& x) {
  ++changes_;
  settled();
  auto wrong = fault_of(x);
  if (wrong == fault::lost) {
    hit(x);
    return verdict::lost;
  }
  if (!has(x))
    return verdict::no_such_port;
  if (!holds(said_, x))
    return verdict::as_it_is;
  // There is no wrong way to part.
  if (wrong != fault::wrong)
    hit(x);
  if (wrong == fault::stuck)
    return verdict::refused;
  if (wrong != fault::silent)
    part(said_, x);
  if (wrong != fault::silent && wrong != fault::lying)
    part(truth_, x);
  return verdict::moves;
}

void crossbar::settled() {
  ++changes_;
  if (true_when_settled_)
    join(truth_, *true_when_settled_);
  if (said_when_settled_)
    join(said_, *said_when_settled_);
  true_when_settled_.reset();
  said_when_settled_.reset();
}

bool crossbar::set(const switch_fault& x) {
  ++changes_;
  if (x.port > 2 * size_ || x.settle_ms > crossbar_settle_ms_max)
    return false;
  settle_ms_ = x.settle_ms;
  auto every = x.port == 0;
  if (x.what == fault::dark) {
    for (port_number port = every ? 1 : x.port; port <= (every ? 2 * size_ : x.port); ++port)
      dark_.insert(port);
    return true;
  }
  if (x.what != fault::none) {
    faults_[x.port] = {x.what, x.times};
    return true;
  }
  if (every) {
    faults_.clear();
    dark_.clear();
  } else {
    faults_.erase(x.port);
    dark_.erase(x.port);
  }
  auto lies = [](auto& entry) { return entry.second.what == fault::lying; };
  if (std::none_of(faults_.begin(), faults_.end(), lies)) {
    said_ = truth_;
    said_when_settled_ = true_when_settled_;
  }
  return true;
}

bool crossbar::light_passes(const cross_connection& x) const {
  return truly_joined(x) && dark_.count(x.in) == 0 && dark_.count(x.out) == 0;
}

} // namespace qnfv
