// What an operator sees of time sharing: whom each Bob serves, what is planned and why; and which policy
// decides.

#include "runtime/base/units.hpp"
#include "runtime/messages/schedule.hpp"
#include "tools/face/json.hpp"
#include "tools/face/table.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/operator_session.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qnfv {

namespace {

constexpr double a_year_s = 365.0 * 86400;

std::string span(double seconds) {
  if (!std::isfinite(seconds) || seconds > a_year_s)
    return "-";
  return format_duration(from_seconds(std::max(0.0, seconds)));
}

/// The longest life of all is the whole bar.
std::string bar(double part) {
  constexpr int width = 16;
  auto full = static_cast<int>(std::lround(std::clamp(part, 0.0, 1.0) * width));
  std::string out;
  for (int i = 0; i < width; ++i)
    out += i < full ? "█" : "·";
  return out;
}

std::string render_links(const schedule_status& x, const face_settings& face) {
  double longest = 1;
  for (auto& link : x.links)
    if (link.remaining_life_s < a_year_s)
      longest = std::max(longest, link.remaining_life_s);
  table t{{"LINK", "STATE", "LIFE", "LASTS#", "STOCK#", "DEMAND#", "RATE#", "START#", "DUE#",
           "VISITS#", "NOTE"}};
  for (auto& link : x.links) {
    auto fill = link.capacity_bits > 0 ? 100 * link.stock_bits / link.capacity_bits : 0;
    char stock[16], demand[24], rate[24];
    std::snprintf(stock, sizeof stock, "%.0f %%", fill);
    std::snprintf(demand, sizeof demand, "%.1f bit/s", link.demand_bps);
    std::snprintf(rate, sizeof rate, "%.0f bit/s", link.rate_bps);
    auto note = link.note;
    if (link.blocked_s > 0)
      note += (note.empty() ? "" : "; ") + ("again in " + span(link.blocked_s));
    t.add({link.link.value, coloured(to_string(link.state), face),
           bar(link.remaining_life_s / longest), span(link.remaining_life_s), stock, demand, rate,
           span(link.initialisation_s), span(link.due_s), std::to_string(link.visits), note});
  }
  return t.text(face, "no Bob of this lab is shared");
}

std::string render_schedule(const schedule_status& x, const face_settings& face) {
  std::string out =
    "policy " + x.policy + ", epoch " + std::to_string(x.epoch) + ", " + std::to_string(x.switches)
    + " visits, " + std::to_string(x.decisions) + " decisions"
    + (x.standing_down ? ", " + coloured("failed", face) + ": superseded" : "") + "\n\n";
  for (auto& bob : x.bobs) {
    out += bob.bob.value + ": "
           + (bob.active.empty() ? "free" : bob.active.value + " for " + span(bob.since_s))
           + (bob.until_s > 0 ? ", about " + span(bob.until_s) + " more" : "") + "\n";
    if (!bob.why.empty())
      out += "  because: " + bob.why + "\n";
    std::string next;
    constexpr size_t shown = 6;
    for (size_t i = 0; i < bob.next.size() && i < shown; ++i)
      next += (next.empty() ? "" : ", ") + bob.next[i].value;
    if (!next.empty())
      out += "  then: " + next + (bob.next.size() > shown ? ", ..." : "") + "\n";
  }
  out += "\n" + render_links(x, face);
  for (auto& alarm : x.alarms) {
    out += "\n" + coloured("failed", face) + " " + alarm.bob.value + ": " + alarm.reason;
    if (!alarm.worst.empty())
      out += "\n  " + alarm.worst.value
             + (alarm.runs_dry_s > 0 ? " runs dry in " + span(alarm.runs_dry_s) : " is dry");
    out += "\n  would help: " + alarm.help + "; raised " + span(alarm.raised_s) + " ago";
  }
  return out;
}

/// One JSON value, snake_case keys, units in the names; null for what never happens.
std::string schedule_json(const schedule_status& x) {
  json out;
  auto figure = [](json& to, const char* name, double value) {
    if (std::isfinite(value) && value < 1e300) // What is infinite crosses hosts as the largest double.
      to.field(name, value);
    else
      to.nothing(name);
  };
  out.begin();
  out.field("policy", x.policy);
  out.field("epoch", x.epoch);
  out.flag("standing_down", x.standing_down);
  out.field("decisions", x.decisions);
  out.field("switches", x.switches);
  out.objects("bobs", x.bobs, [&](json& to, auto& bob) {
    to.field("bob", bob.bob.value);
    to.field("active", bob.active.value);
    figure(to, "since_s", bob.since_s);
    figure(to, "until_s", bob.until_s);
    to.field("why", bob.why);
    to.list("next", bob.next, [](json& names, auto& link) { names.text(link.value); });
  });
  out.objects("links", x.links, [&](json& to, auto& link) {
    to.field("link", link.link.value);
    to.field("bob", link.bob.value);
    to.field("state", to_string(link.state));
    figure(to, "stock_bits", link.stock_bits);
    figure(to, "capacity_bits", link.capacity_bits);
    figure(to, "demand_bps", link.demand_bps);
    figure(to, "rate_bps", link.rate_bps);
    figure(to, "initialisation_s", link.initialisation_s);
    figure(to, "remaining_life_s", link.remaining_life_s);
    figure(to, "due_s", link.due_s);
    to.field("visits", uint64_t{link.visits});
    to.field("failures", uint64_t{link.failures});
    figure(to, "blocked_s", link.blocked_s);
    to.field("note", link.note);
  });
  out.objects("alarms", x.alarms, [&](json& to, auto& alarm) {
    to.field("bob", alarm.bob.value);
    figure(to, "raised_s", alarm.raised_s);
    to.field("reason", alarm.reason);
    to.field("worst", alarm.worst.value);
    figure(to, "runs_dry_s", alarm.runs_dry_s);
    to.field("help", alarm.help);
  });
  out.end();
  return out.whole();
}

template <class Question>
void ask_scheduler(const command_settings& settings, Question question) {
  auto lab = value_or_throw(find_lab(settings.lab));
  operator_session session{lab, value_or_throw(load_topology(lab.topology()))};
  auto x =
    session.ask<schedule_status>(session.role<scheduler_actor>("scheduler"), std::move(question));
  std::printf("%s\n", settings.json ? schedule_json(x).c_str()
                                    : render_schedule(x, face_settings_of(stdout)).c_str());
}

} // namespace

void add_schedule_commands(CLI::App& app, command_settings& settings) {
  auto* schedule = app.add_subcommand("schedule", "Shared Bobs: whom they serve, and who decides");
  schedule->require_subcommand(1);
  auto* show = schedule->add_subcommand("show", "The plan, what each link lives on, and why");
  show->footer("Example:  qnfv schedule show");
  show->callback([&settings] { ask_scheduler(settings, schedule_query{}); });
  auto policy = std::make_shared<std::string>();
  auto* set = schedule->add_subcommand("set-policy", "Decide by another policy from now on");
  set->add_option("POLICY", *policy, "round_robin, longest_queue, earliest_deadline, paper or best")
    ->required();
  set->footer("Example:  qnfv schedule set-policy paper");
  set->callback([policy, &settings] { ask_scheduler(settings, set_policy{*policy}); });
}

} // namespace qnfv
