#include "tools/traces/chain.hpp"
#include "tools/traces/exports.hpp"

#include <algorithm>

namespace qnfv {

namespace {

/// A semicolon ends a line of Mermaid, # begins one of its entities.
std::string escaped(const std::string& x) {
  std::string out;
  for (char c : x) {
    if (c == '#')
      out += "#35;";
    else if (c == ';')
      out += "#59;";
    else
      out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out;
}

/// Participants in the order of their first word, grouped by site.
class cast_of_actors {
public:
  const std::string& name(const std::string& address) {
    auto& slot = names_[address];
    if (slot.empty()) {
      slot = "p" + std::to_string(names_.size());
      auto site = site_of_address(address);
      if (groups_.count(site) == 0)
        sites_.push_back(site);
      groups_[site].push_back(address);
    }
    return slot;
  }

  std::string text() {
    std::string out;
    for (auto& site : sites_) {
      out += "  box " + escaped(site) + "\n";
      for (auto& address : groups_[site]) {
        auto role = role_of_address(address);
        out += "    participant " + names_[address] + " as " + escaped(role.empty() ? site : role) + "\n";
      }
      out += "  end\n";
    }
    return out;
  }

private:
  std::map<std::string, std::string> names_;
  std::map<std::string, std::vector<std::string>> groups_;
  std::vector<std::string> sites_;
};

/// "operator" for every operator: the number of its connection says nothing.
std::string participant(const std::string& address) {
  return site_of_address(address) == "operator" ? "operator" : address;
}

std::string label(const trace_event& x, bool all) {
  if (x.kind == trace_kind::note)
    return x.message + ": " + x.text;
  auto step = all ? std::string{} : paper_step(x.message);
  return x.message + (step.empty() ? "" : " (" + step + ")");
}

} // namespace

std::string to_mermaid(trace_log log, bool all) {
  log.sort();
  auto events = folded(log);
  if (!all) {
    events = paper_chain(events);
    // Frames flow at both ends at once: which is first differs from run to run.
    events.erase(std::remove_if(events.begin(), events.end(),
                                [](auto& x) { return x.kind == trace_kind::note; }),
                 events.end());
    // Who waits for a key asks again.
    events.erase(std::unique(events.begin(), events.end(),
                             [](auto& a, auto& b) {
                               return a.from == b.from && a.to == b.to && a.message == b.message;
                             }),
                 events.end());
  }
  cast_of_actors actors;
  std::string lines;
  for (auto& x : events) {
    auto from = actors.name(participant(x.from));
    auto to = actors.name(participant(x.to));
    auto words = escaped(label(x, all));
    if (x.kind == trace_kind::note)
      lines += "  Note over " + to + ": " + words + "\n";
    else
      lines += "  " + from
               + (x.kind == trace_kind::reply  ? "-->>"
                  : x.kind == trace_kind::drop ? "-x"
                                               : "->>")
               + to + ": " + words + "\n";
  }
  for (auto& [site, n] : log.lost)
    lines += "  Note over " + actors.name(site + "/node") + ": " + std::to_string(n) + " events lost\n";
  return "sequenceDiagram\n" + actors.text() + lines;
}

} // namespace qnfv
