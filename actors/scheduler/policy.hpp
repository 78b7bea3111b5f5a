#pragma once

// What a scheduling policy sees, and what it answers. Pure: no actor, no clock; same input, same
// decision.

#include "runtime/base/ids.hpp"

#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qnfv {

constexpr double never_s = std::numeric_limits<double>::infinity();
/// How long a link that was let down is owed something.
constexpr double unserved_memory_s = 2 * 86400;
constexpr size_t no_link = static_cast<size_t>(-1);

/// How demand goes through a day: factors of its hours, with mean 1.
struct day_shape {
  std::array<double, 24> factor{};
  std::array<double, 25> before{}; ///< Sum of the factors before an hour, times 3600.

  void set(const std::array<double, 24>&);
  /// The integral of the factor from midnight to `t`; any t >= 0.
  double integral(double t) const;
  /// Where the integral has that value.
  double when(double integral) const;
};

/// Demand to come: a level that lasts, a surplus that fades, and the shape of a day.
struct demand_forecast {
  double level_bps = 0;   ///< Lasting.
  double surplus_bps = 0; ///< Of now, above or below the level; fades within `fade_s`.
  double fade_s = 3600;
  /// Of the variance of the bits asked for in one second [bit^2/s]: 2 kbit requests come in lumps.
  double variance = 0;
  /// Of the hours of a day; null: every hour is alike. Belongs to the estimator.
  const day_shape* day = nullptr;
  double time_of_day_s = 0;

  double now_bps() const;
  /// Bits asked for between now + `from_s` and now + `to_s`.
  double bits(double from_s, double to_s) const {
    if (!day && surplus_bps == 0) // Nearly always, and a look-ahead asks a hundred times a microsecond.
      return to_s > from_s && level_bps > 0 ? level_bps * (to_s - from_s) : 0;
    return changing_bits(from_s, to_s);
  }
  /// How long `stock` lasts, counted from now + `from_s`.
  double run_out_s(double stock, double from_s) const;

private:
  double changing_bits(double from_s, double to_s) const;
};

/// One link of a shared Bob.
struct link_outlook {
  link_id link;
  double stock_bits = 0;
  double capacity_bits = 0;
  demand_forecast demand;
  double rate_bps = 0;         ///< Measured; as calibrated before the first visit.
  double initialisation_s = 0; ///< The same.
  bool available = true;       ///< May be served now: joined, claimed, not waiting after a failure.
  double last_end_s = 0;       ///< When its last visit ended.
  double unserved_bits = 0;    ///< Asked for of an empty pool; forgotten within `unserved_memory_s`.

  double demand_bps() const { return demand.now_bps(); }
  /// Stock over demand; infinite without demand.
  double life_s() const;
  bool full() const { return stock_bits >= 0.999 * capacity_bits; }
};

enum class bob_activity : uint8_t { free, starting, producing };

/// One shared Bob.
struct bob_outlook {
  device_id bob;
  bool up = true;
  bool spare = false; ///< Called in by an alarm.
  bob_activity doing = bob_activity::free;
  size_t active = no_link;   ///< Whom it serves; no_link while free.
  double since_s = 0;        ///< When the visit began,
  double ready_s = 0;        ///< and when its first key came.
  std::vector<size_t> links; ///< Those that belong to it,
  uint32_t generation = 0;   ///< which changes when they do.
};

struct outlook {
  double now_s = 0;
  std::vector<link_outlook> links;
  std::vector<bob_outlook> bobs;
};

/// To do with one Bob now.
struct decision {
  enum class what : uint8_t { stay, go };
  what to_do = what::stay;
  size_t link = no_link; ///< Whom to serve next; no_link with `go`: nobody, let go.
  std::string why;       ///< In words; empty: as before.
  double until_s = 0;    ///< Lab time when the visit should end; 0: open.
};

/// The devices cannot keep up. Kept raised until a later decision withdraws it.
struct policy_alarm {
  std::string reason;
  size_t worst = no_link;
  double runs_dry_s = 0; ///< From now.
  std::string help;
};

/// A policy decides for one Bob at a time: when a link becomes ready, at each tick, when something
/// fails. `at` must be up; `now.links` keeps its order and length for the life of the policy.
class policy {
public:
  virtual ~policy() = default;
  virtual const char* name() const = 0;
  virtual decision decide(const outlook& now, size_t bob) = 0;
  /// As of the last decision for this Bob.
  virtual std::optional<policy_alarm> alarm(size_t bob) const;
  /// When the next visit of a link should begin, lab time; never_s if the policy has no idea.
  virtual double due_s(const outlook& now, size_t link) const;
};

/// How the paper's adaptive stop reads "the remaining live time of the other connections".
enum class adaptive_stop : uint8_t { off, max, mean };

struct policy_options {
  adaptive_stop stop = adaptive_stop::off; ///< Of `paper`.
};

/// "round_robin", "longest_queue", "earliest_deadline", "paper", "best".
const std::vector<std::string>& policy_names();
/// Null for a name that is not one of them.
std::unique_ptr<policy> make_policy(const std::string& name, const policy_options& = {});

/// The links of a Bob, shortest remaining life first; ties by name. Keeps its last answer: sorting what
/// is nearly in order costs little.
class life_order {
public:
  const std::vector<size_t>& sort(const outlook&, size_t bob);

private:
  std::vector<size_t> order_;
  std::vector<double> life_;
  uint32_t generation_ = static_cast<uint32_t>(-1);
};

/// "40 s", "35 min", "3.2 h", "never".
std::string span_text(double seconds);

} // namespace qnfv
