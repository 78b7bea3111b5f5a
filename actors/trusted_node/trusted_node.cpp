#include "actors/trusted_node/relay.hpp"

namespace qnfv {

namespace {

using namespace std::chrono;

void came_up(trusted_node_ptr self, const site_id& site) {
  auto& s = self->state;
  if (s.config.others.count(site) == 0)
    return;
  s.up.insert(site);
  s.book.saw_site(site, true);
  send_drops(self);
}

/// Whatever is under way with a site that is gone has an unknown outcome: it fails.
void went_down(trusted_node_ptr self, const site_id& site) {
  auto& s = self->state;
  if (s.up.erase(site) == 0)
    return;
  s.book.saw_site(site, false);
  std::vector<std::pair<relay_id, size_t>> ended;
  for (auto& [id, x] : s.relays) {
    if (x.at > 0 && x.route.path[x.at - 1] == site)
      ended.emplace_back(id, x.at);
    else if (x.at + 1 < x.route.path.size() && x.route.path[x.at + 1] == site)
      ended.emplace_back(id, x.at + 1);
  }
  for (auto& [id, hop] : ended)
    fail_relay(self, id, {ec::site_unreachable, site.value + " is gone"}, hop);
}

} // namespace

trusted_node_actor::behavior_type
trusted_node(stateful<trusted_node_actor, trusted_node_state>* self, trusted_node_config config) {
  auto& s = self->state;
  s.config = std::move(config);
  s.book = path_book{s.config.paths, s.config.hops, s.config.untrusted};
  s.quota = relay_quota{s.config.keys_per_s_per_origin};
  for (auto& other : s.config.others)
    s.book.saw_site(other.first, false);
  for (auto& x : s.config.supplies)
    s.supplies[x.ends.link].config = x;
  for (auto& x : s.config.links)
    if (x.b == s.config.site)
      s.arrivals[x.link].ends = x;
  self->send(self, tick{0, "look"});
  return {
      [self](const relay_keys& x) { return take_relay(self, x); },
      [self](const drop_relay& x) { return take_drop(self, x); },
      [self](const announce_session& x) { return take_announcement(self, x); },
      [self](const relay_status_query&) { return status_of(self); },
      [self](const peer_up& x) { came_up(self, x.site); },
      [self](const peer_down& x) { went_down(self, x.site); },
      [self](const tick&) {
        look_around(self);
        self->after(milliseconds{self->state.config.look_ms}, tick{0, "look"});
      },
  };
}

} // namespace qnfv
