#pragma once

// A switch driver of glass only: what is truly joined, what the switch says, and what goes wrong.

#include "runtime/messages/paths.hpp"
#include "runtime/system/actor.hpp"

#include <map>
#include <memory>

namespace qnfv::test {

struct fake_glass {
  /// Beside the faults of an emulated switch: it obeys, and its answer is lost.
  enum class fault : uint8_t { none, stuck, wrong, silent, lying, lost, deaf };
  struct trouble {
    fault what = fault::none;
    uint32_t times = 0; ///< 0: until further notice.
  };

  uint16_t size = 24;
  std::map<port_number, port_number> truth; ///< Egress by ingress.
  std::map<port_number, port_number> lies;  ///< Reported beside the truth.
  std::map<port_number, trouble> faults;    ///< By ingress port; 0: all.
  std::chrono::milliseconds settle{25};
  bool gone = false;
  uint64_t moves = 0;    ///< Commands that changed the truth.
  uint64_t overlaps = 0; ///< Commands that relied on the switch to refuse them.
  time_point free_at{};
  std::vector<port_number> failed;

  bool egress_free(port_number out) const {
    for (auto& x : truth)
      if (x.second == out)
        return false;
    return true;
  }
  std::vector<cross_connection> joined() const {
    auto all = truth;
    all.insert(lies.begin(), lies.end());
    std::vector<cross_connection> out;
    for (auto& x : all)
      out.push_back({x.first, x.second});
    return out;
  }
  fault next_fault(port_number in) {
    for (auto key : {in, port_number{0}}) {
      auto i = faults.find(key);
      if (i == faults.end())
        continue;
      auto what = i->second.what;
      if (i->second.times > 0 && --i->second.times == 0)
        faults.erase(i);
      return what;
    }
    return fault::none;
  }
};

struct fake_switch_state {
  static inline const char* name = "fake_switch";
};

/// Nothing: never answered.
inline std::optional<status> obey(fake_glass& g, cross_connection x, bool join) {
  auto what = g.next_fault(x.in);
  using f = fake_glass::fault;
  if (what == f::stuck)
    return status{ec::device_failed, "port " + std::to_string(x.in) + " does not move"};
  if (what == f::lost)
    return std::nullopt;
  auto there = g.truth.find(x.in);
  auto is_joined = there != g.truth.end() && there->second == x.out;
  if (join && !is_joined && (there != g.truth.end() || !g.egress_free(x.out))) {
    ++g.overlaps;
    return status{ec::busy, "a port is joined elsewhere"};
  }
  if (what == f::silent)
    return status{done{}};
  if (what == f::lying) {
    if (join)
      g.lies[x.in] = x.out;
    else
      g.lies.erase(x.in);
    return status{done{}};
  }
  if (join && !is_joined) {
    auto out = x.out;
    if (what == f::wrong)
      do
        out = out == 2 * g.size ? g.size + 1 : out + 1;
      while (!g.egress_free(out));
    g.truth[x.in] = out;
    ++g.moves;
  } else if (!join) {
    g.lies.erase(x.in);
    if (is_joined) {
      g.truth.erase(x.in);
      ++g.moves;
    }
  }
  if (what == f::deaf)
    return std::nullopt;
  return status{done{}};
}

inline switch_driver_actor::behavior_type
fake_switch(stateful<switch_driver_actor, fake_switch_state>* self, std::shared_ptr<fake_glass> g) {
  auto move = [self, g](cross_connection x, bool join) -> caf::result<accepted> {
    if (g->gone)
      return fail(ec::site_unreachable, "the switch is gone");
    auto promise = self->make_response_promise<accepted>();
    g->free_at = std::max(g->free_at, self->now()) + g->settle;
    self->after(g->free_at - self->now(), continuation{[g, x, join, promise]() mutable {
                  auto out = obey(*g, x, join);
                  if (!out)
                    return;
                  if (*out)
                    promise.deliver(accepted{});
                  else
                    promise.deliver(fail(out->error()));
                }});
    return promise;
  };
  return {
    [move](const cross_connect& x) { return move(x.ports, true); },
    [move](const disconnect& x) { return move(x.ports, false); },
    [g](const read_cross_connections&) -> caf::result<cross_connections> {
      if (g->gone)
        return fail(ec::site_unreachable, "the switch is gone");
      return cross_connections{g->joined()};
    },
    [g](const switch_status_query&) {
      switch_status out;
      out.reachable = !g->gone;
      out.model = "fake";
      out.size = g->size;
      out.joined = g->joined();
      out.failed = g->failed;
      return out;
    },
    [](const switch_fault&) { return accepted{}; },
    [](const tick&) {},
    [](const continuation& x) { x.run(); },
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

/// Sends `x` from an actor of `site`.
template <class World, class Handle, class T>
void tell_as(World& w, const std::string& site, const Handle& to, T x) {
  w.spawn(site, [=](instrumented<caf::event_based_actor>* self) { self->send(to, x); });
  w.run();
}

} // namespace qnfv::test
