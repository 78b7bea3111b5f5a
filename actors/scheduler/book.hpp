#pragma once

// The scheduler's memory and rules, all but the deciding: who is served, who failed and must wait,
// what was learnt. Pure: events in, commands out; the actor only wires.

#include "actors/scheduler/estimator.hpp"
#include "actors/scheduler/policy.hpp"

#include <functional>

namespace qnfv {

struct book_options {
  double backoff_first_s = 60; ///< After a failure; doubles with each one in a row,
  double backoff_max_s = 900;  ///< up to this, or for as long as the retry budget asks.
  /// The retry budget of a link: tries in a row that brought no key may take this share of a Bob's
  /// time, and a credit beyond it. In any time T they take at most credit + share * T and one try.
  double retry_share = 0.05;
  double retry_credit_s = 3600;
  unsigned alarm_after = 4; ///< Failures in a row: an alarm of its own.
  double settle_s = 60;          ///< A link that does not say within it what it did is asked again.
  double patience = 4;           ///< Times the usual initialisation without a key: given up.
  double patience_floor_s = 900; ///< At least so long.
  policy_options policy;
};

/// What a link says; the part of link_status that scheduling needs.
struct link_word {
  bool serving = false;
  bool producing = false;
  double rate_bps = 0; ///< Of the session that runs; 0: unknown.
  std::string reason;  ///< Why it failed.
  uint64_t visit = 0;  ///< The last one it was told of; 0 if it has started anew.
};

struct command {
  enum class what : uint8_t { serve, release, ask };
  what to_do = what::ask;
  size_t link = no_link;
  uint64_t visit = 0; ///< Of `serve`.
};

class schedule_book {
public:
  explicit schedule_book(book_options = {});

  size_t add_bob(const device_id&, bool up = true, bool spare = false);
  struct new_link {
    link_id link;
    size_t bob = 0;
    double rate_bps = 0;         ///< Calibrated.
    double initialisation_s = 0; ///< Calibrated.
    double declared_bps = 0;
    bool movable = false; ///< Any Bob of this scheduler reaches its Alice.
    learnt_demand learnt; ///< By a scheduler before; says more than what was declared.
  };
  size_t add_link(const new_link&);

  /// False for a name that is no policy. What was learnt stays.
  bool set_policy(const std::string& name);
  const policy& current() const { return *policy_; }

  // -- events; times are lab seconds, never falling
  /// `asked_bits` is a total that only grows, or starts over with its site.
  void pool_seen(size_t link, double stock_bits, double capacity_bits, double asked_bits,
                 double now_s);
  /// Pools could not be asked: stocks are carried on with what is expected.
  void pool_silent(size_t link, double now_s);
  void link_said(size_t link, const link_word&, double now_s);
  /// The command was refused or lost; `lost`: it may have been done.
  void refused(size_t link, bool lost, const std::string& why, double now_s);
  void reachable(size_t link, bool, double now_s); ///< Both sites, and the claim stands.
  void bob_up(size_t bob, bool, double now_s);
  /// Links may have this Bob without our knowledge: each must say so before he is given to one.
  void doubt(size_t bob);

  /// What to do now. Of a Bob at most one link is told to begin, and none while another one has him.
  std::vector<command> plan(double now_s);

  // -- for people
  struct visit_count {
    uint64_t decisions = 0, visits = 0;
  };
  const visit_count& counts() const { return counts_; }
  const outlook& now() const { return outlook_; }
  struct raised_alarm {
    size_t bob = no_link;
    bool of_link = false; ///< Not that Bob cannot keep up, but that this link failed too often.
    policy_alarm alarm;
    double since_s = 0;
  };
  std::vector<raised_alarm> alarms() const;
  struct link_record {
    bool asked = false;   ///< serve_link was sent, and it has not said what came of it,
    bool serving = false; ///< or Bob is its own,
    bool leaving = false; ///< or it was told to let go.
    bool known = true;    ///< Whether it has Bob; see `doubt`.
    uint64_t visit = 0;   ///< Of the above.
    uint64_t last_visit = 0; ///< The highest number there was.
    double changed_s = 0; ///< Of the above.
    double begun_s = -1;  ///< The visit's serve_link; -1: a scheduler before this one sent it.
    bool reachable = false;
    uint32_t visits = 0, failures = 0;
    double failing_since_s = 0; ///< The first of those failures.
    double blocked_until_s = 0;
    double tried_since_s = -1; ///< Has Bob, and no key yet; -1: neither.
    double wasted_s = 0;       ///< Of Bob, by tries in a row; what the share has paid is taken off,
    double wasted_at_s = 0;    ///< up to here.
    double asked_bits = -1, seen_s = -1;
    bool producing = false;
    std::string note;
    demand_estimator demand;
    measured_figure rate, initialisation;
    bool movable = false;
    size_t home = 0;
  };
  const link_record& record(size_t link) const { return links_[link]; }
  size_t bob_of(size_t link) const { return bob_of_[link]; }
  const std::string& why(size_t bob) const { return bobs_[bob].why; }
  double until_s(size_t bob) const { return bobs_[bob].until_s; }
  /// Microseconds are the caller's: it hands a stopwatch in. Called around each policy decision.
  std::function<void(bool begins)> stopwatch;

private:
  struct bob_record {
    size_t next = no_link; ///< Served once the active one has let go.
    std::string why;
    double waits_since_s = -1; ///< For links in doubt to say whether they have him; -1: not begun.
    double until_s = 0;
    double alarm_since_s = -1;
  };

  void refresh(size_t link, double now_s);
  void failed(size_t link, const std::string& why, double now_s);
  void ended(size_t link, double now_s);
  void share_out();
  void plan_bob(size_t bob, double now_s, std::vector<command>& out);

  book_options options_;
  std::unique_ptr<policy> policy_;
  outlook outlook_;
  std::vector<link_record> links_;
  std::vector<bob_record> bobs_;
  std::vector<size_t> bob_of_;
  std::vector<size_t> to_ask_; ///< After a Bob went: who is served by the others?
  visit_count counts_;
};

} // namespace qnfv
