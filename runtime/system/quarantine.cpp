#include "runtime/system/quarantine.hpp"

#include <algorithm>

namespace qnfv {

namespace {

std::string key_of(const std::string& kind, const std::string& message) {
  return kind + "\n" + message;
}

} // namespace

bool quarantine::killed(const std::string& kind, const std::string& message) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto& x = suspects_[key_of(kind, message)];
  x.order = ++last_;
  auto held = ++x.deaths >= deaths_max;
  if (x.deaths == deaths_max)
    ++held_;
  if (suspects_.size() > suspects_max) {
    auto oldest = std::min_element(suspects_.begin(), suspects_.end(), [](auto& a, auto& b) {
      return a.second.order < b.second.order;
    });
    if (oldest->second.deaths >= deaths_max)
      --held_;
    suspects_.erase(oldest);
  }
  return held;
}

bool quarantine::holds(const std::string& kind, const std::string& message) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = suspects_.find(key_of(kind, message));
  return i != suspects_.end() && i->second.deaths >= deaths_max;
}

} // namespace qnfv
