#pragma once

// How a socket gets to CAF's BASP broker, and nothing else of CAF's network.

#include "runtime/base/result.hpp"
#include "runtime/base/units.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <functional>

namespace qnfv {

/// Descriptors given away are non-blocking and CAF's from then on. Any thread.
class handover {
public:
  explicit handover(caf::actor_system&);

  /// Accepting side: the peer gets `root`.
  void serve(int descriptor, const caf::strong_actor_ptr& root);

  /// Dialling side: answers, on a thread of CAF, with the peer's root actor.
  void connect(int descriptor, duration timeout,
               std::function<void(result<caf::strong_actor_ptr>)> answer);

  /// Answers, on a thread of CAF, when the broker has worked off its mailbox as it is now.
  void after_pending(std::function<void()> answer);

  /// Lets go of the broker; nothing may follow.
  void stop() { broker_ = nullptr; }

private:
  caf::actor_system& system_;
  caf::actor broker_;
};

} // namespace qnfv
