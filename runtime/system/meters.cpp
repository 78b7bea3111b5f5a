#include "runtime/system/meters.hpp"

namespace qnfv {

void actor_meter::took(int64_t ns) {
  handled.fetch_add(1, std::memory_order_relaxed);
  busy_ns.fetch_add(static_cast<uint64_t>(ns), std::memory_order_relaxed);
  size_t i = 0;
  while (i < bounds_s.size() && static_cast<double>(ns) > 1e9 * bounds_s[i])
    ++i;
  within[i].fetch_add(1, std::memory_order_relaxed);
}

actor_meter& meters::of(const std::string& kind) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto& slot = all_[kind];
  if (!slot)
    slot = std::make_unique<actor_meter>();
  return *slot;
}

void meters::each(const std::function<void(const std::string&, const actor_meter&)>& see) const {
  std::lock_guard<std::mutex> guard{mutex_};
  for (auto& [kind, meter] : all_)
    see(kind, *meter);
}

} // namespace qnfv
