#include "runtime/system/asked.hpp"

#include <utility>

namespace qnfv {

size_t asked_table::find(uint64_t number) const {
  auto i = home(number);
  while (slots_[i].number != 0 && slots_[i].number != number)
    i = (i + 1) & (slots_.size() - 1);
  return i;
}

void asked_table::put(uint64_t number, const asked& what) {
  if (2 * (used_ + 1) > slots_.size()) {
    auto before = std::exchange(slots_, std::vector<slot>(slots_.empty() ? 8 : 2 * slots_.size()));
    for (auto& x : before)
      if (x.number != 0)
        slots_[find(x.number)] = x;
  }
  auto& x = slots_[find(number)];
  used_ += x.number == 0 ? 1 : 0;
  x = {number, what};
}

std::optional<asked> asked_table::take(uint64_t number) {
  if (used_ == 0)
    return std::nullopt;
  auto hole = find(number);
  if (slots_[hole].number == 0)
    return std::nullopt;
  auto out = slots_[hole].content;
  --used_;
  // Whoever stands behind and could have stood here moves up.
  for (auto i = hole;;) {
    i = (i + 1) & (slots_.size() - 1);
    if (slots_[i].number == 0)
      break;
    auto from_home = (i - home(slots_[i].number)) & (slots_.size() - 1);
    if (from_home >= ((i - hole) & (slots_.size() - 1)))
      slots_[std::exchange(hole, i)] = slots_[i];
  }
  slots_[hole].number = 0;
  return out;
}

} // namespace qnfv
