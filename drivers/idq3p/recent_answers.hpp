#pragma once

#include "drivers/idq3p/codec.hpp"
#include "runtime/clock/clock.hpp"

#include <deque>
#include <map>
#include <string>
#include <tuple>

namespace qnfv {

/// Who asked: a request that is repeated comes from the same address, with the same request id, for
/// the same device.
struct idq3p_asker {
  std::string address; ///< "127.0.0.1:40001"
  uint32_t request = 0;
  uint8_t device = 0;

  friend bool operator<(const idq3p_asker& a, const idq3p_asker& b) {
    return std::tie(a.address, a.request, a.device) < std::tie(b.address, b.request, b.device);
  }
};

/// The keys that were handed out in the last seconds, for the same askers only: UDP loses answers,
/// and the pool has no key twice. In memory, bounded, wiped in time. The clock is an argument.
class recent_answers {
public:
  recent_answers(size_t answers_max, duration lifetime) : max_(answers_max), lifetime_(lifetime) {}

  /// The datagram that this very request was answered with; empty if there is none.
  secret find(const idq3p_asker&, const idq3p_request&, time_point now);
  /// The length that this key was handed out with; 0 if it is not remembered.
  uint8_t length_of(const idq3p_id&, time_point now);
  /// The oldest one is forgotten if there is no room.
  void put(const idq3p_asker&, const idq3p_request&, const idq3p_id& key, secret datagram,
           time_point now);
  /// Forgets what is too old; its bits are wiped.
  void expire(time_point now);
  size_t size() const { return answers_.size(); }

private:
  struct answer {
    idq3p_request request;
    idq3p_id key;
    secret datagram;
    time_point since{};
  };
  void forget_oldest();

  const size_t max_;
  const duration lifetime_;
  std::map<idq3p_asker, answer> answers_;
  std::deque<idq3p_asker> order_; ///< Oldest first.
};

} // namespace qnfv
