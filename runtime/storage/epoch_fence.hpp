#pragma once

#include "runtime/storage/storage.hpp"

namespace qnfv {

/// Keeps out the commands of an old scheduler: remembers the highest epoch seen in a small file, also
/// across restarts. Epoch 0 is nobody's and always passes.
class epoch_fence {
public:
  epoch_fence() = default;
  /// In the file "epochs/NAME".
  epoch_fence(std::shared_ptr<storage> files, const std::string& name);

  /// A higher epoch than ever seen is durable before this answers. Failures: stale_epoch,
  /// storage_failed (then nothing may be done on its word; also if the file is damaged).
  status admit(uint64_t epoch);
  uint64_t highest() const { return highest_; }

private:
  std::shared_ptr<storage> files_;
  std::string file_;
  std::string damage_;
  uint64_t highest_ = 0;
};

} // namespace qnfv
