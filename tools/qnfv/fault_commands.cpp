// `qnfv fault`: things go wrong in a running lab, on demand or by a plan.

#include "runtime/messages/message_names.hpp"
#include "tools/face/json.hpp"
#include "tools/face/table.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/compose.hpp"
#include "tools/qnfv/operator_session.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

struct fault_choice {
  std::string kind;
  std::string where;
  std::optional<double> amount;
  double probability = 1;
  std::string span;
  std::string message;
  uint32_t nth = 1;
  std::string plan;
  uint64_t seed = 1;
};

fault_injector_actor injector(operator_session& session) {
  try {
    return session.role<fault_injector_actor>("fault_injector");
  } catch (const command_error&) {
    throw command_error{{ec::not_allowed, "this lab takes no faults; start it with --allow-faults"}};
  }
}

std::string for_how_long(const fault_status& x) {
  if (x.waiting)
    return "waits for " + x.what.message;
  return x.left_s > 0 ? format_duration(from_seconds(x.left_s)) : "until cleared";
}

double seconds_of(const std::string& text, const char* option) {
  auto span = parse_duration(text);
  if (!span)
    throw command_error{{ec::invalid_argument, std::string{option} + " " + text + ": not a duration; write 10s or 5m"}};
  return to_seconds(*span);
}

fault_kind kind_named(const std::string& name) {
  auto what = parse_fault_kind(name);
  if (!what)
    throw command_error{{ec::invalid_argument, "no fault is called " + name + "; qnfv fault kinds lists them"}};
  return *what;
}

fault chosen(const fault_choice& x, const fault_places& places) {
  auto what = kind_named(x.kind);
  auto& about = traits(what);
  done_or_throw(check_place(places, what, x.where));
  if (!x.message.empty())
    done_or_throw(check_message_name(x.message));
  if (x.amount && !std::isfinite(*x.amount))
    throw command_error{{ec::invalid_argument, "--amount: that is no number"}};
  if (x.amount && !about.amount)
    throw command_error{{ec::invalid_argument, x.kind + " has no amount"}};
  fault out;
  out.what = what;
  out.where = x.where;
  out.amount = x.amount.value_or(about.amount_default);
  out.probability = x.probability;
  out.for_s = x.span.empty() ? about.for_s_default : seconds_of(x.span, "--for");
  if (!x.span.empty() && !(out.for_s > 0))
    throw command_error{{ec::invalid_argument, "--for " + x.span + ": a fault lasts longer than that"}};
  out.message = x.message;
  out.nth = x.message.empty() ? 0 : x.nth;
  return out;
}

void add(const fault_choice& x, const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  auto what = chosen(x, places_of(network));
  operator_session session{lab, network};
  auto done = session.ask<fault_injected>(injector(session), inject_fault{what});
  if (settings.json)
    std::printf("{\"fault\":\"%s\",\"sites\":%zu}\n", traits(what.what).name, done.ids.size());
  else
    std::printf("%s\n", describe(what).c_str());
}

/// What the sites say, and which say nothing.
struct gathered {
  std::vector<fault_status> faults;
  std::string silent;
  std::string why; ///< Of the first of them.

  /// After what is known was shown: it is not all.
  void throw_if_partial() const {
    std::fflush(stdout);
    if (!silent.empty())
      throw command_error{{ec::site_unreachable, silent + ": no answer; what is wrong there is not known (" + why + ")"}};
  }
};

/// Every site over a connection of its own: a fault may keep the sites from each other, not from us.
template <class Question>
gathered gather(const command_settings& settings, const Question& question) {
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  gathered all;
  size_t silent = 0;
  for (auto& site : network.sites) {
    try {
      operator_session session{lab, network, site.site};
      auto here = session.ask<fault_list>(injector(session), question);
      all.faults.insert(all.faults.end(), here.faults.begin(), here.faults.end());
    } catch (const command_error& x) {
      if (x.why.code == ec::not_allowed)
        throw;
      if (all.silent.empty())
        all.why = x.why.text;
      all.silent += (all.silent.empty() ? "" : ", ") + site.site.value;
      ++silent;
    }
  }
  if (silent == network.sites.size())
    throw command_error{{ec::site_unreachable, "no site of the lab answers: " + all.why}};
  return all;
}

/// Which it is; the object stays open.
void begin(json& to, const fault_status& x) {
  to.begin();
  to.field("site", x.site.value);
  to.field("fault", to_string(x.what.what));
  to.field("where", x.what.where);
}

void list(const command_settings& settings) {
  auto all = gather(settings, list_faults{});
  if (!settings.json) {
    table out{{"AT", "FAULT", "LEFT", "HITS#"}};
    for (auto& x : all.faults)
      out.add({x.site.value, describe(x.what), for_how_long(x), counts_hits(x.what.what) ? std::to_string(x.hits) : "-"});
    std::printf("%s\n", out.text(face_settings_of(stdout), all.silent.empty()
                                                             ? "nothing is wrong; qnfv fault kinds says what could be"
                                                             : "nothing is known to be wrong").c_str());
    return all.throw_if_partial();
  }
  json out;
  out.list(all.faults, [](json& to, const fault_status& x) {
    begin(to, x);
    if (traits(x.what.what).amount)
      to.field("amount", x.what.amount);
    to.field("probability", x.what.probability);
    to.field("for_s", x.what.for_s);
    if (x.what.nth > 0) {
      to.field("message", x.what.message);
      to.field("nth", uint64_t{x.what.nth});
    }
    to.flag("waiting", x.waiting);
    to.field("left_s", x.left_s);
    if (counts_hits(x.what.what))
      to.field("hits", x.hits);
    to.end();
  });
  std::printf("%s\n", out.whole().c_str());
  all.throw_if_partial();
}

/// A part of it, if a kind is given; that there is none such is an error then.
void clear(const fault_choice& x, const command_settings& settings) {
  if (!x.kind.empty())
    (void) kind_named(x.kind);
  auto ended = gather(settings, clear_faults{x.kind, x.where});
  if (ended.faults.empty() && ended.silent.empty() && !x.kind.empty())
    throw command_error{{ec::not_found, "no " + x.kind + (x.where.empty() ? "" : " at " + x.where)
                                          + " is there; qnfv fault list shows what is"}};
  if (settings.json) {
    json out;
    out.list(ended.faults, [](json& to, const fault_status& y) {
      begin(to, y);
      to.end();
    });
    std::printf("%s\n", out.whole().c_str());
    return ended.throw_if_partial();
  }
  for (auto& y : ended.faults)
    std::printf("%s: ended %s\n", y.site.value.c_str(), describe(y.what).c_str());
  ended.throw_if_partial();
}

void kinds(const command_settings& settings) {
  std::vector<fault_traits> all;
  for (size_t i = 0; i < fault_kind_count; ++i)
    all.push_back(traits(static_cast<fault_kind>(i)));
  if (settings.json) {
    json out;
    out.list(all, [](json& to, const fault_traits& x) {
      to.begin();
      to.field("fault", std::string{x.name});
      to.field("place", to_string(x.place));
      to.field("about", std::string{x.about});
      to.end();
    });
    std::printf("%s\n", out.whole().c_str());
    return;
  }
  table out{{"FAULT", "WHERE", "AMOUNT", "FOR", "WHAT HAPPENS"}};
  for (auto& x : all) {
    char amount[64] = "";
    if (x.amount)
      std::snprintf(amount, sizeof amount, "%s %g", x.amount, x.amount_default);
    out.add({x.name, to_string(x.place), amount,
             x.for_s_default > 0 ? format_duration(from_seconds(x.for_s_default)) : "at once", x.about});
  }
  std::printf("%s\n", out.text(face_settings_of(stdout)).c_str());
}

/// The faults of a plan at their times; what a site does not take (it is down) is told and left out.
void run(const fault_choice& x, const command_settings& settings) {
  auto plan = value_or_throw(load_fault_plan(x.plan));
  auto span_s = seconds_of(x.span.empty() ? "10m" : x.span, "--for");
  auto lab = value_or_throw(find_lab(settings.lab));
  auto network = value_or_throw(load_topology(lab.topology()));
  auto faults = value_or_throw(draw_faults(plan, places_of(network), x.seed, span_s));
  {
    operator_session session{lab, network};
    (void) injector(session); // Or it takes no faults: better known now than at the first.
  }
  // What lasts ends with the run.
  bool some_wait = false;
  for (auto& next : faults) {
    next.what.for_s = std::min(next.what.for_s, std::max(span_s - next.at_s, 0.1));
    some_wait = some_wait || !next.what.message.empty();
  }
  if (!settings.json && (faults.empty() || faults.front().at_s > 10))
    std::printf("the first fault is due %s\n",
                faults.empty() ? "after the end: a longer --for?"
                               : ("in " + format_duration(from_seconds(faults.front().at_s))).c_str());
  std::fflush(stdout);
  auto began = std::chrono::steady_clock::now();
  size_t taken = 0;
  for (auto& next : faults) {
    std::this_thread::sleep_until(began + from_seconds(next.at_s));
    std::string trouble;
    try {
      // A connection of its own for each: the last fault may have broken the one before.
      operator_session session{lab, network};
      auto done = session.try_ask<fault_injected>(injector(session), inject_fault{next.what});
      if (done)
        ++taken;
      else
        trouble = done.error().text;
    } catch (const command_error& why) {
      if (why.why.code == ec::not_allowed)
        throw;
      trouble = why.why.text;
    }
    if (!settings.json)
      std::printf("%8.1f s  %s%s\n", next.at_s, describe(next.what).c_str(),
                  trouble.empty() ? "" : (": not taken: " + trouble).c_str());
    std::fflush(stdout);
  }
  if (!faults.empty())
    std::this_thread::sleep_until(began + from_seconds(span_s));
  if (settings.json) {
    json out;
    out.begin();
    out.field("plan", plan.name);
    out.field("seed", x.seed);
    out.field("faults", uint64_t{faults.size()});
    out.field("taken", uint64_t{taken});
    out.end();
    std::printf("%s\n", out.whole().c_str());
  } else {
    std::printf("%zu of %zu faults of %s injected%s\n", taken, faults.size(), plan.name.c_str(),
                some_wait ? "; qnfv fault list shows which still wait for their message" : "");
  }
}

} // namespace

void add_fault_commands(CLI::App& app, command_settings& settings) {
  auto x = std::make_shared<fault_choice>();
  auto* command = app.add_subcommand("fault", "Make things go wrong in a lab that was started with --allow-faults");
  command->require_subcommand(1);
  auto* add_command = command->add_subcommand("add", "One fault, now or when a message comes");
  add_command->add_option("kind", x->kind, "As in qnfv fault kinds")->required();
  add_command->add_option("where", x->where, "co<>dc1, co>dc1, dc1, dc1/key_pool, bob1/alice1, polatis1:3")->required();
  add_command->add_option("--for", x->span, "How long, in real time: 500ms, 10s, 5m");
  add_command->add_option("--amount", x->amount, "In the unit that qnfv fault kinds names");
  add_command->add_option("--probability", x->probability, "Per message or request")->check(CLI::Range(0.0, 1.0));
  auto* on_message = add_command->add_option("--on-message", x->message,
                                             "Not now but when a message of this type arrives at the site");
  add_command->add_option("--nth", x->nth, "The how manieth of them")
    ->check(more_than_zero)
    ->needs(on_message);
  add_command->footer("Example:  qnfv fault add partition 'co<>dc1' --for 20s\n"
                      "          qnfv fault add crash dc1 --on-message assign_keys --nth 3");
  add_command->callback([x, &settings] { add(*x, settings); });
  auto* list_command = command->add_subcommand("list", "What is wrong now, at every site");
  list_command->footer("Example:  qnfv fault list");
  list_command->callback([&settings] { list(settings); });
  auto* clear_command = command->add_subcommand("clear", "End all of it, or those of one kind, or one");
  clear_command->add_option("kind", x->kind, "Only of this kind");
  clear_command->add_option("where", x->where, "and at this place, as qnfv fault list shows it");
  clear_command->footer("Example:  qnfv fault clear\n"
                        "          qnfv fault clear stuck_port polatis1:3");
  clear_command->callback([x, &settings] { clear(*x, settings); });
  auto* kinds_command = command->add_subcommand("kinds", "Everything that can go wrong");
  kinds_command->footer("Example:  qnfv fault kinds");
  kinds_command->callback([&settings] { kinds(settings); });
  auto* run_command = command->add_subcommand("run", "The faults of a plan, at their times");
  run_command->add_option("plan", x->plan, "Fault plan")->required();
  run_command->add_option("--seed", x->seed, "Same seed, same faults")->capture_default_str();
  run_command->add_option("--for", x->span, "How long, in real time (default 10m)");
  run_command->footer("Example:  qnfv fault run config/faults/all.json --seed 7 --for 30m\n"
                      "Times are real time, also in a lab whose devices live 1000 times faster");
  run_command->callback([x, &settings] { run(*x, settings); });
}

} // namespace qnfv
