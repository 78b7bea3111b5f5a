#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace qnfv {

/// Messages of which an actor died while it handled them. One that killed twice is not let in again
/// (invariant I36). One per site and start; bounded: the oldest suspects are forgotten. Any thread.
class quarantine {
public:
  static constexpr uint32_t deaths_max = 2;
  static constexpr size_t suspects_max = 256;

  /// `message`, as it prints, killed an actor of this kind. True if it is quarantined from now on.
  bool killed(const std::string& kind, const std::string& message);
  /// False: nothing is held, and nobody needs to ask.
  bool holds_any() const { return held_ > 0; }
  bool holds(const std::string& kind, const std::string& message) const;

private:
  struct suspect {
    uint32_t deaths = 0;
    uint64_t order = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, suspect> suspects_; ///< By kind and message.
  uint64_t last_ = 0;
  std::atomic<size_t> held_{0};
};

} // namespace qnfv
