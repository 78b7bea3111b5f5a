#include "actors/optical_switch/switch_command.hpp"

#include "runtime/base/mutant.hpp"

#include <algorithm>

namespace qnfv {

namespace {

bool unknown_outcome(const status& x) {
  return !x && (x.error().code == ec::maybe_executed || x.error().code == ec::site_unreachable);
}

std::string text_of(cross_connection x) {
  return std::to_string(x.in) + " to " + std::to_string(x.out);
}

} // namespace

bool contains(const joined_ports& joined, cross_connection x) {
  return std::find(joined.begin(), joined.end(), x) != joined.end();
}

std::optional<cross_connection> overlap(const joined_ports& joined, cross_connection x) {
  for (auto& y : joined)
    if (y != x && (y.in == x.in || y.out == x.out))
      return y;
  return std::nullopt;
}

std::string problem_of(cross_connection x, uint16_t size) {
  if (x.in < 1 || x.in > size)
    return "port " + std::to_string(x.in) + " is no ingress port: these are 1 to "
           + std::to_string(size);
  if (x.out <= size || x.out > 2u * size)
    return "port " + std::to_string(x.out) + " is no egress port: these are "
           + std::to_string(size + 1u) + " to " + std::to_string(2u * size);
  return {};
}

std::string where_from(const joined_ports& joined, port_number in) {
  for (auto& x : joined)
    if (x.in == in)
      return "to " + std::to_string(x.out);
  return "nowhere";
}

switch_command::switch_command(kind what, cross_connection ports,
                               std::set<cross_connection> unwanted)
    : kind_(what), ports_(ports), unwanted_(std::move(unwanted)) {
  if (kind_ == kind::join)
    unwanted_.erase(ports_);
}

switch_command::step switch_command::start() {
  return {verdict_ ? step::act::read : step::act::answer, {}};
}

switch_command::step switch_command::read_came(const result<joined_ports>& x) {
  switch (phase_) {
  case phase::after:
    return look_after(x);
  case phase::undone:
    return look_undone(x);
  default:
    return look_before(x);
  }
}

switch_command::step switch_command::write_came(const status& x) {
  switch (phase_) {
  case phase::writing:
    said_ = x;
    phase_ = phase::after;
    return {step::act::read, {}};
  default: // What was parted shows when it is read.
    return next_part();
  }
}

switch_command::step switch_command::look_before(const result<joined_ports>& x) {
  if (!x) // Nothing was written, so nothing can have happened.
    return answer({x.error().code == ec::maybe_executed ? ec::site_unreachable : x.error().code,
                   "the switch cannot be read: " + x.error().text});
  before_ = joined_ = *x;
  if (kind_ == kind::read)
    return answer(done{});
  if (!cleared_) {
    cleared_ = true;
    std::copy_if(x->begin(), x->end(), std::back_inserter(to_part_),
                 [this](auto& y) { return unwanted_.count(y) > 0; });
    if (!to_part_.empty()) {
      phase_ = phase::clearing;
      return next_part();
    }
  }
  if (kind_ == kind::sweep)
    return answer(done{});
  if (contains(*x, ports_) == (kind_ == kind::join))
    return answer(done{});
  if (kind_ == kind::join)
    if (auto other = overlap(*x, ports_))
      return answer({ec::busy, "port " + std::to_string(other->in) + " is joined to "
                                 + std::to_string(other->out)});
  return write();
}

switch_command::step switch_command::look_after(const result<joined_ports>& x) {
  auto join = kind_ == kind::join;
  if (!x) {
    if (join)
      doubtful_.insert(ports_);
    return answer(
      {ec::maybe_executed, "the switch was told, and cannot be read since: " + x.error().text});
  }
  joined_ = *x;
  for (auto& y : before_)
    if (y != ports_ && !contains(*x, y))
      vanished_.push_back(y);
  std::vector<cross_connection> wrong;
  for (auto& y : *x)
    if (y != ports_ && !contains(before_, y) && (y.in == ports_.in || y.out == ports_.out))
      wrong.push_back(y);
  auto as_asked = (contains(*x, ports_) == join && wrong.empty())
                  || QNFV_MUTANT("switch believes its driver");
  // Given twice, it may have been refused because the first one worked after all.
  if (as_asked && (said_ || unknown_outcome(said_) || writes_ > 1))
    return answer(done{});
  if (!as_asked && wrong.empty() && unknown_outcome(said_)) {
    vanished_.clear();
    if (writes_ < switch_writes_max)
      return write();
    if (join)
      doubtful_.insert(ports_);
    return answer(said_);
  }
  if (said_ || unknown_outcome(said_)) {
    mismatch_ = true;
    auto found = where_from(*x, ports_.in);
    if (join && wrong.size() == 1 && found == "nowhere")
      found = "nowhere, and " + text_of(wrong.front()) + " was joined";
    verdict_ = {ec::device_failed,
                "port " + std::to_string(ports_.in) + " leads " + found
                  + (join ? ", not to " + std::to_string(ports_.out) : ", though it was parted")};
  } else {
    verdict_ = said_;
    if (join && contains(*x, ports_)) // A switch that says no and does it: it is not to be trusted.
      wrong.push_back(ports_);
  }
  if (wrong.empty())
    return answer(verdict_);
  to_part_ = std::move(wrong);
  doubtful_.insert(to_part_.begin(), to_part_.end());
  phase_ = phase::undoing;
  return next_part();
}

switch_command::step switch_command::look_undone(const result<joined_ports>& x) {
  auto why = verdict_.error();
  if (!x) {
    why.text += "; whether it could be parted is not known: " + x.error().text;
    return answer(why);
  }
  joined_ = *x;
  for (auto i = doubtful_.begin(); i != doubtful_.end();)
    i = contains(*x, *i) ? std::next(i) : doubtful_.erase(i);
  for (auto& y : doubtful_)
    why.text += "; " + text_of(y) + " could not be parted";
  return answer(why);
}

switch_command::step switch_command::next_part() {
  if (!to_part_.empty()) {
    auto ports = to_part_.back();
    to_part_.pop_back();
    return {step::act::part, ports};
  }
  phase_ = phase_ == phase::undoing ? phase::undone : phase::before;
  return {step::act::read, {}};
}

switch_command::step switch_command::write() {
  ++writes_;
  phase_ = phase::writing;
  return {kind_ == kind::join ? step::act::join : step::act::part, ports_};
}

switch_command::step switch_command::answer(status verdict) {
  verdict_ = std::move(verdict);
  return {step::act::answer, {}};
}

} // namespace qnfv
