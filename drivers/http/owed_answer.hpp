#pragma once

#include "drivers/http/http.hpp"

#include <atomic>

namespace qnfv {

/// The answer to a request that somebody may still give. When the last who could is gone (an actor
/// died with the request in its mailbox), the requester gets `otherwise()` at once, no time-out. Any
/// thread.
class owed_answer {
public:
  owed_answer(http_reply reply, http_response (*otherwise)())
    : reply_(std::move(reply)), otherwise_(otherwise) {}
  ~owed_answer() {
    if (!sent_)
      reply_(otherwise_());
  }
  owed_answer(const owed_answer&) = delete;
  owed_answer& operator=(const owed_answer&) = delete;

  /// Only the first one counts.
  void send(http_response x) {
    if (!sent_.exchange(true))
      reply_(std::move(x));
  }
  bool sent() const { return sent_; }

private:
  const http_reply reply_;
  http_response (*const otherwise_)();
  std::atomic<bool> sent_{false};
};

} // namespace qnfv
