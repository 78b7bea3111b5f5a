#pragma once

#include "drivers/qkd_drawn/drawn_keys.hpp"

#include <functional>

namespace qnfv {

/// A key server beside this end, as the drawing of keys sees it. One question at a time; the answer
/// comes once, on any thread, and never after the client was destroyed but for one that is on its
/// way. A key whose answer is lost is lost.
class key_server_client {
public:
  /// Errors: site_unreachable (nobody answers), device_failed (it answers nonsense), not_allowed
  /// (it does not want this client: trying again is of no use).
  using taker = std::function<void(result<std::vector<drawn_key>>)>;
  virtual ~key_server_client() = default;
  /// New keys, at most `count_max`. None: the server has no more now.
  virtual void draw(uint32_t count_max, taker) = 0;
  /// Of the keys with these names those that the server hands out, in any order.
  virtual void fetch(std::vector<std::string> names, taker) = 0;
};

} // namespace qnfv
