#include "runtime/deployment/peers.hpp"

namespace qnfv {

peer_table::peer_table(settings s, std::vector<site_id> sites) : settings_(s) {
  for (auto& site : sites)
    peers_[site];
}

void peer_table::remember(const site_id& site, uint64_t epoch) {
  if (auto i = peers_.find(site); i != peers_.end())
    i->second.epoch = std::max(i->second.epoch, epoch);
}

result<bool> peer_table::join(const site_id& site, uint64_t epoch, time_point now) {
  auto i = peers_.find(site);
  if (i == peers_.end())
    return {ec::unknown_site, "no site " + site.value + " next to this one"};
  auto& x = i->second;
  if (epoch < x.epoch)
    return {ec::stale_epoch, site.value + " joins with epoch " + std::to_string(epoch)
                               + ", but epoch " + std::to_string(x.epoch)
                               + " was seen: an old process, or its state folder was restored"};
  bool was_up = x.up && epoch != x.epoch;
  if (epoch != x.epoch)
    x.sequence = 0;
  x.epoch = epoch;
  x.up = true;
  x.heard = now;
  x.reason.clear();
  return was_up;
}

bool peer_table::heard(const site_id& site, uint64_t epoch, uint64_t sequence, time_point now) {
  auto i = peers_.find(site);
  if (i == peers_.end() || !i->second.up || i->second.epoch != epoch || sequence <= i->second.sequence)
    return false;
  i->second.sequence = sequence;
  i->second.heard = now;
  return true;
}

std::vector<site_id> peer_table::bury(time_point now) {
  std::vector<site_id> out;
  for (auto& [site, x] : peers_)
    if (x.up && now - x.heard >= settings_.heartbeats_missed * settings_.heartbeat) {
      lost(site, "silent for " + std::to_string(settings_.heartbeats_missed) + " heartbeats");
      out.push_back(site);
    }
  return out;
}

bool peer_table::lost(const site_id& site, std::string reason) {
  auto i = peers_.find(site);
  if (i == peers_.end())
    return false;
  auto was_up = i->second.up;
  i->second.up = false;
  i->second.reason = std::move(reason);
  return was_up;
}

bool peer_table::up(const site_id& site) const {
  auto i = peers_.find(site);
  return i != peers_.end() && i->second.up;
}

uint64_t peer_table::epoch(const site_id& site) const {
  auto i = peers_.find(site);
  return i == peers_.end() ? 0 : i->second.epoch;
}

std::vector<site_id> peer_table::all_up() const {
  std::vector<site_id> out;
  for (auto& [site, x] : peers_)
    if (x.up)
      out.push_back(site);
  return out;
}

std::vector<site_id> peer_table::all_down() const {
  std::vector<site_id> out;
  for (auto& [site, x] : peers_)
    if (!x.up)
      out.push_back(site);
  return out;
}

std::vector<peer_status> peer_table::status(time_point now) const {
  std::vector<peer_status> out;
  for (auto& [site, x] : peers_) {
    peer_status s;
    s.site = site;
    s.up = x.up;
    s.epoch = x.epoch;
    s.silent_s = x.heard == time_point{} ? 0 : to_seconds(now - x.heard);
    s.reason = x.reason;
    out.push_back(std::move(s));
  }
  return out;
}

} // namespace qnfv
