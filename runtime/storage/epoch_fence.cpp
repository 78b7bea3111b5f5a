#include "runtime/storage/epoch_fence.hpp"

#include <algorithm>
#include <charconv>

namespace qnfv {

epoch_fence::epoch_fence(std::shared_ptr<storage> files, const std::string& name)
    : files_(std::move(files)), file_("epochs/" + name) {
  auto content = files_->load(file_, 32);
  if (!content) {
    // Nothing was ever admitted, unless the file is there and cannot be read.
    auto names = files_->list("epochs");
    if (std::find(names.begin(), names.end(), name) != names.end())
      damage_ = content.error().text;
    return;
  }
  std::string text{content->begin(), content->end()};
  auto end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, highest_);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end)
    damage_ = file_ + " holds no epoch; write the highest one that any scheduler had into it";
}

status epoch_fence::admit(uint64_t epoch) {
  if (epoch == 0)
    return done{};
  if (!damage_.empty())
    return {ec::storage_failed, damage_};
  if (epoch < highest_)
    return {ec::stale_epoch,
            "epoch " + std::to_string(epoch) + " is older than " + std::to_string(highest_)};
  if (epoch == highest_)
    return done{};
  if (auto ok = files_->replace(file_, byte_view{std::string_view{std::to_string(epoch)}}); !ok)
    return ok;
  highest_ = epoch;
  return done{};
}

} // namespace qnfv
