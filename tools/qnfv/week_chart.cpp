#include "tools/qnfv/paper_figures.hpp"

#include <algorithm>
#include <cstdio>

namespace qnfv {

namespace {

// Colours of the palette.
enum : size_t { blue = 0, red = 1, green = 2, pink = 3, orange = 4, sky = 5, grey = 6, black = 7 };

size_t link_colour(size_t link) {
  constexpr size_t order[] = {blue, green, black, pink, orange, sky, grey};
  return order[link % std::size(order)];
}

std::string with_length(const link_config& x) {
  char text[64];
  std::snprintf(text, sizeof text, " (%.4g km)", x.length_km);
  return x.alice.value + text;
}

std::string hours(double from_s, double to_s) {
  char text[96];
  std::snprintf(text, sizeof text, ": hour %.2f to %.2f", from_s / 3600, to_s / 3600);
  return text;
}

bool broken(link_state x) {
  return x == link_state::lost || x == link_state::failed;
}

/// Visits as a whole: the phases of one follow each other without a gap.
timeline_group whom_bob_serves(const week_log& log) {
  timeline_group out{"Whom Bob serves", {}, {}};
  auto& links = log.lab.links;
  for (size_t i = 0; i < links.size(); ++i)
    out.kinds.push_back({with_length(links[i]), link_colour(i)});
  for (auto& link : links)
    if (std::none_of(out.rows.begin(), out.rows.end(),
                     [&](auto& row) { return row.name == link.bob.value; }))
      out.rows.push_back({link.bob.value, {}, {}});
  for (auto& x : log.phases)
    for (auto& row : out.rows) {
      if (row.name != links[x.link].bob.value || broken(x.phase))
        continue;
      auto& spans = row.spans;
      if (!spans.empty() && spans.back().kind == x.link && x.phase != link_state::switching
          && spans.back().to_s == x.from_s)
        spans.back().to_s = x.to_s;
      else
        spans.push_back({x.from_s, x.to_s, x.link});
    }
  for (auto& row : out.rows)
    for (auto& span : row.spans)
      span.tip = links[span.kind].alice.value + hours(span.from_s, span.to_s);
  return out;
}

timeline_group phases(const week_log& log) {
  constexpr link_state drawn[] = {link_state::switching, link_state::initialising,
                                  link_state::distilling, link_state::releasing};
  timeline_group out{"Phases of the links",
                     {{"switching", pink},
                      {"initialising", orange},
                      {"distilling", sky},
                      {"releasing", grey},
                      {"lost or failed", red}},
                     {}};
  for (auto& link : log.lab.links)
    out.rows.push_back({link.link.value, {}, {}});
  for (auto& x : log.phases) {
    auto kind = static_cast<size_t>(std::find(std::begin(drawn), std::end(drawn), x.phase)
                                    - std::begin(drawn));
    out.rows[x.link].spans.push_back(
      {x.from_s, x.to_s, kind, to_string(x.phase) + hours(x.from_s, x.to_s)});
  }
  return out;
}

timeline_group trouble(const week_log& log) {
  timeline_group out{"Alarms, and keys that applications did not get",
                     {{"alarm of the scheduler", red}, {"pool dry", pink}},
                     {}};
  std::vector<std::string> bobs;
  for (auto& link : log.lab.links)
    if (std::find(bobs.begin(), bobs.end(), link.bob.value) == bobs.end())
      bobs.push_back(link.bob.value);
  for (auto& bob : bobs) {
    timeline_row row{bob, {}, {}};
    for (auto& x : log.alarms)
      if (x.bob.value == bob)
        row.spans.push_back({x.from_s, x.to_s, 0, x.reason + hours(x.from_s, x.to_s)});
    out.rows.push_back(std::move(row));
  }
  for (size_t i = 0; i < log.lab.links.size(); ++i) {
    timeline_row row{log.lab.links[i].link.value, {}, {}};
    for (auto& x : log.dry)
      if (x.link == i)
        row.spans.push_back({x.from_s, x.to_s, 1, "keys refused" + hours(x.from_s, x.to_s)});
    out.rows.push_back(std::move(row));
  }
  return out;
}

timeline_group deliveries(const week_log& log) {
  timeline_group out{"Deliveries of images, from the order to the running function",
                     {{"delivered", grey}, {"under way at the end", orange}, {"not delivered", red}},
                     {}};
  for (auto& site : log.lab.sites) {
    if (site.vims.empty())
      continue;
    timeline_row row{"to " + site.site.value, {}, {}};
    for (auto& x : log.deliveries)
      if (x.site == site.site) {
        size_t kind = x.state == order_state::running ? 0 : is_final(x.state) ? 2 : 1;
        row.spans.push_back({x.from_s, x.to_s, kind,
                             x.id.value + " " + to_string(x.state) + hours(x.from_s, x.to_s)});
      }
    out.rows.push_back(std::move(row));
  }
  return out;
}

} // namespace

timeline week_timeline(const week_log& log, double from_s, double to_s, const std::string& id) {
  timeline out;
  out.id = id;
  out.description =
    "Whom Bob serves, the phases of each link, alarms, deliveries of images, and the "
    "keys in the pools, against time.";
  out.from_s = from_s;
  out.to_s = to_s;
  out.groups = {whom_bob_serves(log), phases(log), trouble(log), deliveries(log)};
  out.levels_title = "Unused keys at Bob's end of each link";
  double most = 1;
  for (size_t i = 0; i < log.pools.size(); ++i) {
    timeline_level level{log.lab.links[i].link.value, link_colour(i), {}};
    for (auto [at_s, keys] : log.pools[i].ready_keys) {
      level.points.emplace_back(at_s, keys / 1000);
      if (at_s >= from_s && at_s <= to_s)
        most = std::max(most, keys / 1000);
    }
    if (!level.points.empty())
      level.points.emplace_back(log.span_s, level.points.back().second);
    out.levels.push_back(std::move(level));
  }
  out.levels_axis = {"thousand keys of 256 bits", 0, 1.06 * most};
  return out;
}

} // namespace qnfv
