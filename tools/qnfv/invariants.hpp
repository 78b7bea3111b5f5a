#pragma once

#include "tools/qnfv/key_ledger.hpp"
#include "tools/qnfv/simulation.hpp"

#include <deque>

namespace qnfv {

/// Watches a simulation and holds it against the invariants that can be checked at every event:
///
///   I1 I2      a key is given once per end, to one use, with the same bits at both ends
///   I5 I6 I8-I11   in the ledger of the key stores, also of virtual links: nothing comes back, nothing
///              is lost, ranks only rise, a key leaves only after its state is durable
///   I7         mirrors join a port to one other; one link has a Bob
///   I22        a trusted node passes on what it was given: the ends of a virtual link never differ
///   I23 I44    a relayed key says who saw it, and nobody saw more than one of its shares
///   I25 I29    a block enters the pool of the pair that the light joins, while it does
///   I31        an event's cause has happened
///   I35        who is silent is dead within 3 heartbeats, and nobody is declared dead for nothing
///   I36        a role is started again so often in a minute, and no more
///   I43        each start of a site has a higher number than the one before, and each scheduler a
///              higher epoch
///
/// Lines of light are followed through one switch.
class invariant_checker {
public:
  /// `keys`: the ledger that the simulation was made with.
  invariant_checker(simulation&, std::shared_ptr<key_ledger> keys);
  ~invariant_checker();
  invariant_checker(const invariant_checker&) = delete;
  invariant_checker& operator=(const invariant_checker&) = delete;

  /// A fault is about to be injected: what it excuses, and what must be noticed.
  void expect(const fault&);

  /// All faults are over: whatever was to be noticed is not any more.
  void expect_nothing() { expected_.clear(); }

  /// A person at a site was given these keys, by way of no actor.
  void delivered(const site_id& at, const key_grants&, const std::string& pair);

  struct violation {
    double at_s = 0; ///< Since the simulation began.
    std::string what;
    std::vector<trace_event> before; ///< The last events.
  };
  const std::vector<violation>& found() const { return found_; }
  void fail(const std::string& what);

  /// Kinds that had an effect.
  const std::set<fault_kind>& fired() const { return fired_; }
  /// "drop", "link bob1/alice1 distilling" ... : what was under way when faults began; how often.
  const std::map<std::pair<fault_kind, std::string>, uint64_t>& coverage() const { return coverage_; }

private:
  struct line {
    site_id bob_site;
    switch_id at;
    cross_connection ports;
    bool switched = false, lit = true;
    time_point dark_since{};
  };
  struct pause {
    time_point from, until;
  };
  struct relayed {
    site_id a;
    size_t paths = 1;
  };
  struct silence {
    site_id at;    ///< Who must notice
    site_id of;    ///< that this site is gone,
    time_point by; ///< until then.
  };

  void ingest(const site_id&, const key_block&);
  void relay_ended(const relayed&, const key_block&, const std::string& what);
  void light(const switch_id&, const simulation::glass&);
  void event(const trace_record&);
  void noted(const trace_event&);
  void began(const trace_event&);
  /// A site stands still; what had arrived before waits.
  void pauses(const site_id&, duration span);
  /// The end of a time that began at `start`, for a site that may have stood still in it.
  time_point end_of(const site_id&, time_point start, duration span) const;
  void peer_went(const trace_event&, bool up);
  void site_began(const trace_event&);
  void scheduler_claims(uint64_t epoch);
  void role_died(const trace_event&);
  void link_went(const link_id&, const std::string& state);
  void look_for_silence();
  bool excused(const site_id& a, const site_id& b) const;
  double seconds() const { return to_seconds(sim_.elapsed()); }

  simulation& sim_;
  std::shared_ptr<key_ledger> keys_;
  std::map<link_id, line> lines_;
  std::map<link_id, device_id> bobs_; ///< Of the links that share one.
  std::map<link_id, relayed> virtual_lines_;
  /// Sequence number by site and epoch.
  std::map<std::pair<decltype(event_id::site), uint32_t>, uint64_t> newest_;
  std::deque<trace_record> last_;
  std::map<std::pair<site_id, site_id>, bool> up_;
  std::map<site_id, time_point> excused_until_;
  std::map<site_id, pause> pauses_; ///< The last one of each.
  std::vector<silence> expected_;
  std::map<std::string, fault> waiting_; ///< For their messages, by what their notes will say.
  std::map<std::string, uint64_t> starts_;                 ///< The number of a site's last one.
  std::map<std::string, std::deque<time_point>> restarts_; ///< Of a role, the last minute's.
  bool new_scheduler_ = true;
  uint64_t epoch_ = 0;
  std::map<link_id, std::string> link_states_;
  std::map<std::string, std::string> order_states_;
  std::vector<violation> found_;
  std::set<fault_kind> fired_;
  std::map<std::pair<fault_kind, std::string>, uint64_t> coverage_;
};

} // namespace qnfv
