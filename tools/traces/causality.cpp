#include "tools/traces/causality.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace qnfv {

namespace {

constexpr size_t violations_max = 100;

/// What became of an event that is not here.
enum class fate {
  unknown, ///< It should be here.
  lost,    ///< Told to be lost, or before what was gathered.
  cut      ///< After the last one that its start of the site wrote.
};

/// Numbers that one start of a site gave to events. A note "dropped(n)" stands for n of them.
struct numbers {
  std::map<uint64_t, const trace_event*> here;

  fate of(uint64_t sequence) const {
    auto next = here.lower_bound(sequence);
    if (next == here.end())
      return fate::cut;
    return next == here.begin() || dropped_events(*next->second) > next->first - sequence ? fate::lost
                                                                                          : fate::unknown;
  }
};

class checker {
public:
  explicit checker(const trace_log& log) : log_(log), causes_(log.causes()) {
    for (auto& x : log.events)
      sites_[x.site][x.epoch].here.emplace(x.sequence, &x);
  }

  causality check() {
    for (auto& [site, starts] : sites_)
      check_gaps(site, starts);
    for (size_t i = 0; i < log_.events.size(); ++i)
      check_event(i);
    check_circles();
    for (auto& x : log_.events)
      if (x.kind == trace_kind::send && received_.count(x.id()) == 0)
        ++out_.on_the_way;
    return std::move(out_);
  }

private:
  void violated(const trace_event& x, const std::string& what) {
    if (out_.violations.size() < violations_max)
      out_.violations.push_back(x.id() + " (" + to_string(x.kind) + " " + x.message + " from " + x.from
                                + " to " + x.to + "): " + what);
  }

  using starts_of_site = std::map<uint32_t, numbers>; ///< By epoch.

  void check_gaps(const std::string& site, const starts_of_site& starts) {
    auto lost = log_.lost.find(site);
    auto told = lost == log_.lost.end() ? 0 : lost->second; // The site does not say which.
    for (auto& [epoch, of] : starts) {
      uint64_t before = 0;
      for (auto& [sequence, x] : of.here) {
        auto gap = sequence - before - 1;
        auto dropped = dropped_events(*x);
        auto counted = dropped > 0 ? dropped - 1 : 0; // The last of them has the note's own number.
        out_.missing += gap + (dropped > 0 ? 1 : 0);
        if (counted == 0 && (before == 0 || told >= gap))
          told -= std::min(told, gap);
        else if (gap != counted)
          violated(*x, std::to_string(gap) + " events of " + site + " before it are not here, "
                         + std::to_string(counted) + " are counted as lost");
        before = sequence;
      }
    }
  }

  fate fate_of(const std::string& name) const {
    auto id = parse_event_id(name);
    if (!id || !*id)
      return fate::unknown;
    auto site = sites_.find(std::string{id->site_name()});
    if (site == sites_.end())
      return fate::lost;
    auto start = site->second.find(id->epoch);
    if (start != site->second.end())
      return start->second.of(id->sequence);
    // Of a start that wrote nothing, or whose events are gone.
    return id->epoch < site->second.begin()->first ? fate::lost : fate::cut;
  }

  void check_event(size_t i) {
    auto& x = log_.events[i];
    auto cause = causes_[i] == trace_log::nobody ? nullptr : &log_.events[causes_[i]];
    if (cause && dropped_events(*cause) > 0)
      cause = nullptr; // Its number is a lost one's.
    if (cause && cause->site == x.site
        && std::tie(cause->epoch, cause->sequence) >= std::tie(x.epoch, x.sequence))
      violated(x, "its cause " + cause->id() + " comes after it");
    auto sender = site_of_address(x.from);
    // One that an actor of this site handed on keeps its first sender.
    auto handed_on = cause && cause->site == x.site && cause->from == x.from;
    auto crossed = x.kind == trace_kind::receive && sender != x.site && !sender.empty()
                   && sender != "operator" && !handed_on;
    if (!crossed && x.kind != trace_kind::reply)
      return;
    out_.receives += crossed ? 1 : 0;
    if (!cause) {
      if (crossed && sites_.count(sender) == 0)
        out_.absent.insert(sender);
      auto what = fate_of(x.cause);
      if (what == fate::unknown)
        return violated(x, crossed ? "its send is not here" : "its request is not here");
      if (crossed)
        ++(what == fate::cut ? out_.cut : out_.uncovered);
      return;
    }
    if (!crossed)
      return;
    if (cause->kind != trace_kind::send || cause->site != sender)
      return violated(x, "its cause " + cause->id() + " is no send of " + sender);
    if (cause->message != x.message || site_of_address(cause->to) != x.site)
      return violated(x, "but " + cause->id() + " sent " + cause->message + " to " + cause->to);
    received_.insert(cause->id());
    ++out_.paired;
  }

  /// Only causes of other sites can make a circle: at one site they have smaller numbers.
  void check_circles() {
    std::vector<int> state(log_.events.size()); // 0 not seen, 1 on the way, 2 done.
    for (size_t first = 0; first < state.size(); ++first) {
      auto i = first;
      while (i != trace_log::nobody && state[i] == 0) {
        state[i] = 1;
        i = causes_[i];
      }
      if (i != trace_log::nobody && state[i] == 1)
        violated(log_.events[i], "it is among its own causes");
      for (i = first; i != trace_log::nobody && state[i] == 1; i = causes_[i])
        state[i] = 2;
    }
  }

  const trace_log& log_;
  const std::vector<size_t> causes_;
  std::map<std::string, starts_of_site> sites_;
  std::set<std::string> received_;
  causality out_;
};

} // namespace

causality check_causality(const trace_log& log) {
  return checker{log}.check();
}

} // namespace qnfv
