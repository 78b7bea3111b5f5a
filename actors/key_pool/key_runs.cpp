#include "actors/key_pool/key_runs.hpp"

namespace qnfv {

namespace {

template <class Place>
Place after(Place x, uint32_t n) {
  std::get<2>(x) += n;
  return x;
}

} // namespace

key_runs::place key_runs::place_of(const key_id& id) {
  return {session_of(id), allocator_of(id), counter_of(id)};
}

std::map<key_runs::place, uint32_t>::const_iterator key_runs::run_of(const place& at) const {
  auto run = runs_.upper_bound(at);
  if (run == runs_.begin())
    return runs_.end();
  --run;
  return at < after(run->first, run->second) ? run : runs_.end();
}

void key_runs::add(const key_id& id) {
  auto at = place_of(id);
  if (run_of(at) != runs_.end())
    return;
  uint32_t length = 1;
  auto next = runs_.upper_bound(at);
  if (next != runs_.end() && next->first == after(at, 1)) {
    length += next->second;
    next = runs_.erase(next);
  }
  if (next != runs_.begin())
    if (auto before = std::prev(next); after(before->first, before->second) == at) {
      before->second += length;
      return;
    }
  runs_[at] = length;
}

void key_runs::remove(const key_id& id) {
  auto at = place_of(id);
  auto run = run_of(at);
  if (run == runs_.end())
    return;
  auto first = run->first;
  auto before = static_cast<uint32_t>(std::get<2>(at) - std::get<2>(first));
  auto behind = run->second - before - 1;
  if (behind > 0)
    runs_[after(at, 1)] = behind;
  if (before > 0)
    runs_[first] = before;
  else
    runs_.erase(first);
}

uint32_t key_runs::length_from(const key_id& id) const {
  auto at = place_of(id);
  auto run = run_of(at);
  if (run == runs_.end())
    return 0;
  return run->second - static_cast<uint32_t>(std::get<2>(at) - std::get<2>(run->first));
}

std::vector<key_range> key_runs::ranges() const {
  std::vector<key_range> out;
  for (auto& [first, length] : runs_)
    out.push_back({std::get<0>(first), std::get<1>(first), std::get<2>(first), length});
  return out;
}

} // namespace qnfv
