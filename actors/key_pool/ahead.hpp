#pragma once

#include "runtime/clock/clock.hpp"
#include "runtime/messages/keys.hpp"

#include <deque>
#include <map>
#include <optional>

namespace qnfv {

/// Keys that the peer holds already for users who ask often: their next request costs neither a round
/// trip nor the peer's disk. A key that waits here is RESERVED at this end and ASSIGNED at the other
/// like any promised key: it never becomes free again, so what nobody asks for in time is given up.
/// Pure.
class ahead_stock {
public:
  struct settings {
    uint32_t keys_max = 64;                        ///< Per users; 0: nothing is done ahead.
    double horizon_s = 0.05;                       ///< Of their demand of the last second or so.
    duration keep = std::chrono::seconds{30};      ///< Then a key is given up.
    size_t users_max = 256;
  };
  explicit ahead_stock(settings s) : settings_(s) {}
  ahead_stock() = default;

  /// `count` keys were asked for now. Returns how many to prepare: none while half of what their
  /// demand calls for is here or on its way, and none for who asks for many at once; the caller
  /// begins with as many as it says.
  uint32_t ask(const key_users& users, uint32_t size_bits, uint32_t count, time_point now);
  /// How many are ready for these users.
  uint32_t count(const key_users& users, uint32_t size_bits) const;
  /// The oldest of them.
  std::optional<key_assignment> take(const key_users& users, uint32_t size_bits);
  /// One that `ask` wanted is ready, or could not be had.
  void put(const key_assignment& key, time_point now);
  void failed(const key_users& users, uint32_t size_bits);
  /// What waited too long: to be destroyed.
  std::vector<key_id> expire(time_point now);

private:
  struct entry {
    double rate = 0; ///< Keys a second, decaying with a time constant of one second.
    time_point last{};
    uint32_t coming = 0;
    std::deque<std::pair<time_point, key_assignment>> keys;
  };
  using name = std::pair<std::string, uint32_t>;
  static name name_of(const key_users& users, uint32_t size_bits);

  settings settings_;
  std::map<name, entry> entries_;
};

} // namespace qnfv
