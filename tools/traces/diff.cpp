#include "tools/traces/diff.hpp"

#include "tools/traces/packets.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace qnfv {

namespace {

/// A connection's number or an anonymous actor's says nothing: "co/#17" is "co/#".
std::string without_number(const std::string& address) {
  auto at = address.find("/#");
  return at == std::string::npos ? address : address.substr(0, at + 2);
}

struct run {
  explicit run(trace_log x) : log(std::move(x)) {
    let_go_of_pieces(log); // Ports and pieces differ from run to run.
    log.sort();
    causes = log.causes();
    effects.resize(log.events.size());
    for (size_t i = 0; i < log.events.size(); ++i)
      (causes[i] == trace_log::nobody ? beginnings : effects[causes[i]]).push_back(i);
  }

  trace_log log;
  std::vector<size_t> causes;
  std::vector<std::vector<size_t>> effects;
  std::vector<size_t> beginnings;
};

using pair_of_actors = std::tuple<std::string, std::string, std::string>; ///< Site, from, to.

std::map<pair_of_actors, std::vector<size_t>> per_pair(const run& x, const std::vector<size_t>& of) {
  std::map<pair_of_actors, std::vector<size_t>> out;
  for (auto i : of) {
    auto& e = x.log.events[i];
    out[{e.site, without_number(e.from), without_number(e.to)}].push_back(i);
  }
  return out;
}

bool alike(const trace_event& a, const trace_event& b, bool fields) {
  return a.kind == b.kind && a.message == b.message && (!fields || a.text == b.text);
}

struct parting {
  size_t a = trace_log::nobody;
  size_t b = trace_log::nobody;
};

class comparison {
public:
  comparison(const run& a, const run& b, bool fields) : a_(a), b_(b), fields_(fields) {
    compare(a.beginnings, b.beginnings);
    while (!next_.empty()) {
      auto [i, j] = next_.back();
      next_.pop_back();
      compare(a.effects[i], b.effects[j]);
    }
  }

  std::optional<parting> first() const { return first_; }

private:
  void compare(const std::vector<size_t>& in_a, const std::vector<size_t>& in_b) {
    auto groups_a = per_pair(a_, in_a);
    auto groups_b = per_pair(b_, in_b);
    for (auto& [actors, events] : groups_b)
      groups_a[actors];
    for (auto& [actors, events] : groups_a)
      align(events, groups_b[actors]);
  }

  void align(const std::vector<size_t>& in_a, const std::vector<size_t>& in_b) {
    for (size_t i = 0; i < std::max(in_a.size(), in_b.size()); ++i) {
      parting here;
      if (i < in_a.size())
        here.a = in_a[i];
      if (i < in_b.size())
        here.b = in_b[i];
      if (here.a == trace_log::nobody || here.b == trace_log::nobody
          || !alike(a_.log.events[here.a], b_.log.events[here.b], fields_))
        return part(here);
      next_.push_back({here.a, here.b});
    }
  }

  /// Since the run's begin; of b only where a has nothing.
  int64_t time_of(const parting& x) const {
    auto& of = x.a != trace_log::nobody ? a_ : b_;
    auto i = x.a != trace_log::nobody ? x.a : x.b;
    return of.log.events[i].unix_ns - of.log.events.front().unix_ns;
  }

  void part(const parting& x) {
    if (!first_ || time_of(x) < time_of(*first_))
      first_ = x;
  }

  const run& a_;
  const run& b_;
  const bool fields_;
  std::vector<std::pair<size_t, size_t>> next_; ///< Alike, their effects not yet looked at.
  std::optional<parting> first_;
};

std::string line_of(const trace_event& x) {
  return to_string(x.kind) + "  " + x.from + (x.to == x.from ? "" : " -> " + x.to) + "  "
         + (x.text.rfind(x.message, 0) == 0 ? x.text : x.message + ": " + x.text);
}

} // namespace

std::optional<trace_difference> first_difference(trace_log log_a, trace_log log_b, bool fields) {
  run a{std::move(log_a)};
  run b{std::move(log_b)};
  auto at = comparison{a, b, fields}.first();
  if (!at)
    return std::nullopt;
  trace_difference out;
  auto& known = at->a != trace_log::nobody ? a : b;
  auto i = at->a != trace_log::nobody ? at->a : at->b;
  if (at->a != trace_log::nobody)
    out.a = a.log.events[at->a];
  if (at->b != trace_log::nobody)
    out.b = b.log.events[at->b];
  for (auto j = known.causes[i]; j != trace_log::nobody; j = known.causes[j])
    out.before.push_back(known.log.events[j]);
  std::reverse(out.before.begin(), out.before.end());
  return out;
}

std::string render(const trace_difference& x, size_t context) {
  std::string out;
  auto first = x.before.size() > context ? x.before.size() - context : 0;
  if (first > 0)
    out += "    ... " + std::to_string(first) + " events before\n";
  for (auto i = first; i < x.before.size(); ++i)
    out += "    " + line_of(x.before[i]) + "\n";
  if (out.empty())
    out = "    (a beginning: nothing led here)\n";
  out += "A:  " + (x.a ? line_of(*x.a) + "  (" + x.a->id() + ")" : "nothing more") + "\n";
  out += "B:  " + (x.b ? line_of(*x.b) + "  (" + x.b->id() + ")" : "nothing more") + "\n";
  return out;
}

std::string to_json(const trace_difference& x, size_t context) {
  auto value = [](const std::optional<trace_event>& y) { return y ? to_json(*y) : "null"; };
  auto out = "{\"a\":" + value(x.a) + ",\"b\":" + value(x.b) + ",\"before\":[";
  auto first = x.before.size() > context ? x.before.size() - context : 0;
  for (auto i = first; i < x.before.size(); ++i)
    out += (i > first ? "," : "") + to_json(x.before[i]);
  return out + "]}";
}

} // namespace qnfv
