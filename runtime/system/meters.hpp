#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace qnfv {

/// What all actors of one kind at a site do. Any thread.
struct actor_meter {
  /// Upper bounds of the handling times that are counted, in seconds; the last counter is of the rest.
  static constexpr std::array<double, 6> bounds_s{1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1};

  std::atomic<int64_t> waiting{0};  ///< In their mailboxes now.
  std::atomic<uint64_t> handled{0}; ///< Messages.
  std::atomic<uint64_t> refused{0}; ///< Messages, because the mailbox was full.
  std::atomic<uint64_t> busy_ns{0}; ///< Handling time of all.
  std::array<std::atomic<uint64_t>, bounds_s.size() + 1> within{};

  void took(int64_t ns);
};

/// One meter per kind of actor, made when first asked for; it stays where it is.
class meters {
public:
  actor_meter& of(const std::string& kind);
  /// Every kind there is, by name.
  void each(const std::function<void(const std::string&, const actor_meter&)>& see) const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<actor_meter>> all_;
};

} // namespace qnfv
