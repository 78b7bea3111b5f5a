// The message trace: of a running lab, or from the trace files that its sites left.

#include "runtime/messages/message_names.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/operator_session.hpp"
#include "tools/traces/causality.hpp"
#include "tools/traces/chart.hpp"
#include "tools/traces/diff.hpp"
#include "tools/traces/exports.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

struct trace_choice {
  std::string id;
  bool last = false;
  bool all = false;
  std::vector<std::string> from;
  // tail
  std::string actor;
  std::string site;
  std::string message;
  size_t lines = 20;
  // export
  std::string format = "html";
  std::string out;
  // diff
  std::string other;
  bool fields = false;
  size_t context = 5;
};

/// A connection to the lab whose trace is meant.
struct watched_lab {
  explicit watched_lab(const command_settings& settings)
    : lab(value_or_throw(find_lab(settings.lab))), network(value_or_throw(load_topology(lab.topology()))),
      session(lab, network) {}

  lab_dir lab;
  topology network;
  operator_session session;
};

/// The next question is for what follows the page; false: it held nothing new.
bool advance(trace_query& query, const trace_page& page) {
  bool more = false;
  for (auto& [site, seen] : page.seen) {
    auto& before = query.after[site];
    more = more || seen != before;
    before = seen;
  }
  return more;
}

/// Every event of one trace, or of all if that is empty, from all sites that answer.
trace_log fetch(operator_session& session, const std::string& trace) {
  trace_log out;
  trace_query query;
  query.trace = trace;
  for (bool more = true; more;) {
    auto page = session.ask<trace_page>(session.node(), query);
    more = advance(query, page);
    for (auto& [site, lost] : page.lost)
      out.lost[site] += lost;
    for (auto& line : page.lines)
      out.add(line);
  }
  return out;
}

/// The trace that a running lab knows by this name: "order-N", "last", or its own.
std::string trace_called(operator_session& session, const std::string& name) {
  if (name != "last" && name.rfind("order-", 0) != 0)
    return name;
  std::string trace;
  if (name == "last") {
    for (auto& x : session.ask<order_list>(session.orchestrator(), list_orders{}).orders)
      if (!x.trace.empty())
        trace = x.trace;
    if (trace.empty())
      throw command_error{{ec::not_found, "no delivery has been traced yet"}};
    return trace;
  }
  trace = session.ask<order>(session.orchestrator(), order_query{order_id{name}}).trace;
  if (trace.empty())
    throw command_error{{ec::not_found, name + " was ordered before this start of the orchestrator; its "
                                               "trace is in the trace files only (--from)"}};
  return trace;
}

trace_log from_lab(const std::string& name, const command_settings& settings) {
  watched_lab x{settings};
  auto trace = name.empty() ? name : trace_called(x.session, name);
  auto log = fetch(x.session, trace);
  if (log.events.empty())
    throw command_error{{ec::not_found, "no event of trace " + trace + " is remembered; older ones are in "
                                          + x.lab.path + "/sites (--from)"}};
  return log;
}

trace_log from_files(const std::vector<std::string>& files, const std::string& name) {
  auto log = value_or_throw(read_traces(files));
  for (auto& x : log.damage)
    std::fprintf(stderr, "qnfv: %s\n", x.c_str());
  if (name.empty())
    return log;
  auto trace = log.find_trace(name);
  log.keep_trace(trace);
  if (trace.empty() || log.events.empty())
    throw command_error{{ec::not_found, files.front() + ": " + (name == "last" ? "no delivery" : name)
                                          + " is not in this trace"}};
  return log;
}

/// What the command line means: one trace, the last delivery's by default, or all.
trace_log gather(const trace_choice& x, const std::string& name, const command_settings& settings) {
  return x.from.empty() ? from_lab(name, settings) : from_files(x.from, name);
}

void show_trace(const trace_choice& x, const command_settings& settings) {
  auto log = gather(x, x.last || x.id.empty() ? "last" : x.id, settings);
  if (settings.json) {
    std::printf("[");
    for (auto& event : log.events)
      std::printf("%s%s", &event == &log.events.front() ? "" : ",\n", to_json(event).c_str());
    std::printf("]\n");
  } else
    std::printf("%s", render_chart(log, x.all, face_settings_of(stdout)).c_str());
}

void export_to_file(const trace_choice& x, const command_settings& settings) {
  auto name = !x.id.empty() ? x.id : x.all ? std::string{} : std::string{"last"};
  auto log = gather(x, name, settings);
  auto events = log.events.size();
  auto text = value_or_throw(export_trace(std::move(log), x.format, x.all));
  if (x.out == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  errno = 0;
  std::ofstream file{x.out, std::ios::binary | std::ios::trunc};
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file)
    throw command_error{{ec::storage_failed, x.out + ": " + std::strerror(errno)}};
  if (settings.json)
    std::printf("{\"events\":%zu,\"bytes\":%zu}\n", events, text.size());
  else
    std::printf("%zu events as %s in %s\n", events, x.format.c_str(), x.out.c_str());
}

bool is_wanted(const trace_event& event, const trace_choice& x) {
  auto holds = [](const std::string& text, const std::string& word) {
    return text.find(word) != std::string::npos;
  };
  return (x.site.empty() || event.site == x.site) && (x.message.empty() || event.message == x.message)
         && (x.actor.empty() || holds(event.from, x.actor) || holds(event.to, x.actor));
}

void tail(const trace_choice& x, const command_settings& settings) {
  watched_lab lab{settings};
  auto& sites = lab.network.sites;
  if (!x.site.empty() && std::none_of(sites.begin(), sites.end(), [&](auto& y) { return y.site.value == x.site; }))
    throw command_error{{ec::invalid_argument, "this lab has no site " + x.site}};
  if (!x.message.empty())
    if (auto ok = check_message_name(x.message); !ok)
      std::fprintf(stderr, "qnfv: %s (kinds of notes are taken as they are)\n", ok.error().text.c_str());
  trace_query query;
  if (!x.id.empty())
    query.trace = trace_called(lab.session, x.id);
  auto face = face_settings_of(stdout);
  trace_log log; // What was not printed yet: at first all that passed before.
  auto patience = std::chrono::steady_clock::now() + 2s; // More may come all the time.
  for (bool live = false;;) {
    auto page = lab.session.ask<trace_page>(lab.session.node(), query);
    auto more = advance(query, page);
    for (auto& line : page.lines)
      log.add(line);
    if (!live && more && std::chrono::steady_clock::now() < patience)
      continue;
    auto& events = log.events;
    events.erase(std::remove_if(events.begin(), events.end(), [&](auto& y) { return !is_wanted(y, x); }), events.end());
    log.sort();
    if (!live && events.size() > x.lines)
      events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(x.lines));
    for (auto& [site, lost] : page.lost)
      if (live)
        std::printf("... %llu events lost at %s\n", static_cast<unsigned long long>(lost), site.c_str());
    for (auto& event : events)
      std::printf("%s\n", settings.json ? to_json(event).c_str() : render_event(event, face).c_str());
    std::fflush(stdout);
    events.clear();
    live = true;
    std::this_thread::sleep_for(300ms);
  }
}

/// An export of one delivery: all others are missing in it, and nothing can be said of gaps.
bool is_one_trace(const trace_log& log) {
  auto& first = log.events.front().trace;
  return !first.empty()
         && std::all_of(log.events.begin(), log.events.end(), [&](auto& y) { return y.trace == first; });
}

void check(const trace_choice& x, const command_settings& settings) {
  auto log = gather(x, {}, settings);
  if (!x.from.empty() && is_one_trace(log))
    throw command_error{{ec::invalid_argument, x.from.front() + " holds one trace only; whether something is missing "
                                                 "shows in all that a lab has: qnfv trace export --all"}};
  auto found = check_causality(log);
  auto n = [](uint64_t count) { return static_cast<unsigned long long>(count); };
  if (settings.json)
    std::printf("{\"receives\":%llu,\"paired\":%llu,\"send_lost\":%llu,\"send_cut\":%llu,\"on_the_way\":%llu,"
                "\"events_lost\":%llu,\"violations\":%zu}\n",
                n(found.receives), n(found.paired), n(found.uncovered), n(found.cut), n(found.on_the_way),
                n(found.missing), found.violations.size());
  else
    std::printf("%llu messages of other sites arrived, %llu of them with their send, %llu whose send is lost,\n"
                "%llu whose send a killed site had not written yet\n"
                "%llu sends nobody received; %llu events are lost and counted; %zu violations\n",
                n(found.receives), n(found.paired), n(found.uncovered), n(found.cut), n(found.on_the_way),
                n(found.missing), found.violations.size());
  for (auto& violation : found.violations)
    std::fprintf(stderr, "qnfv: %s\n", violation.c_str());
  std::fflush(stdout);
  if (!found.violations.empty())
    throw command_error{{ec::internal, "the trace is not causal"}};
  if (!found.absent.empty())
    throw command_error{{ec::not_found, "nothing of site " + *found.absent.begin()
                                          + " is here: what it sent cannot be checked"}};
}

void compare(const trace_choice& x, const command_settings& settings) {
  auto name = x.last ? std::string{"last"} : x.id;
  auto where = first_difference(from_files({x.from.front()}, name), from_files({x.other}, name), x.fields);
  if (settings.json)
    std::printf("%s\n", where ? to_json(*where, x.context).c_str() : "null");
  else if (!where)
    std::printf("no difference\n");
  else
    std::printf("%s", render(*where, x.context).c_str());
  std::fflush(stdout);
  if (where)
    throw command_error{{ec::invalid_argument, x.from.front() + " and " + x.other + " differ"}};
}

} // namespace

void add_trace_commands(CLI::App& app, command_settings& settings) {
  auto x = std::make_shared<trace_choice>();
  auto* trace = app.add_subcommand("trace", "The message trace of the whole lab");
  trace->require_subcommand(1);
  auto* show_command = trace->add_subcommand("show", "The chain of one delivery as a sequence chart");
  show_command->add_option("id", x->id, "order-N, or the id of a trace (default: the last delivery)");
  show_command->add_flag("--last", x->last, "The last delivery");
  show_command->add_flag("--all", x->all, "Every message, not only the paper's chain");
  show_command->footer("Example:  qnfv trace show --last");
  auto* tail_command = trace->add_subcommand("tail", "Follow the messages of all sites as they pass");
  tail_command->add_option("--trace,--request", x->id, "Only what follows from order-N, or this trace");
  tail_command->add_option("--site", x->site, "Only events of this site");
  tail_command->add_option("--actor", x->actor, "Only from or to this actor");
  tail_command->add_option("--message", x->message, "Only messages of this name");
  tail_command->add_option("--lines", x->lines, "How many of those that passed before")->capture_default_str();
  tail_command->footer("Example:  qnfv trace tail --actor key_pool --message reserve_keys");
  tail_command->callback([x, &settings] { tail(*x, settings); });
  auto* export_command = trace->add_subcommand("export", "A trace as a file for another viewer");
  export_command->add_option("id", x->id, "order-N, or the id of a trace (default: the last delivery)");
  export_command->add_flag("--last", x->last, "The last delivery");
  export_command->add_flag("--all", x->all, "Every message, not only the paper's chain; of all that the lab remembers if no trace is named");
  export_command->add_option("--format", x->format, "jsonl, perfetto, mermaid, html (a page by itself) or pcapng (Wireshark)")
    ->check(CLI::IsMember({"jsonl", "perfetto", "mermaid", "html", "pcapng"}))
    ->capture_default_str();
  export_command->add_option("--out", x->out, "File to write; -: standard output")->required();
  export_command->footer("Example:  qnfv trace export --last --format html --out delivery.html\n"
                         "          qnfv trace export --all --from LAB/sites --format pcapng --out lab.pcapng\n"
                         "A capture of all holds what was on the wires, too, decrypted, but for keys and passwords. Ports\n"
                         "that Wireshark does not know:  tshark -r lab.pcapng -d tcp.port==7321,http -Y http");
  export_command->callback([x, &settings] { export_to_file(*x, settings); });
  auto* check_command = trace->add_subcommand(
    "check", "Has every message its send, is every gap counted? Exit status 1 if not");
  check_command->footer("Example:  qnfv trace check --from LAB/sites");
  check_command->callback([x, &settings] { check(*x, settings); });
  for (auto* command : {show_command, export_command, check_command})
    command->add_option("--from", x->from, "Trace files, or folders of them, instead of a running lab");
  show_command->callback([x, &settings] { show_trace(*x, settings); });
  auto* diff_command = trace->add_subcommand("diff", "Where two runs part; exit status 1 if they differ");
  auto first = std::make_shared<std::string>();
  diff_command->add_option("a", *first, "Trace file, or folder of them")->required();
  diff_command->add_option("b", x->other, "The other run's")->required();
  diff_command->add_option("--trace", x->id, "Only what followed from order-N, or this trace");
  diff_command->add_flag("--last", x->last, "Only the last delivery of each");
  diff_command->add_flag("--fields", x->fields, "The messages' fields must be the same, too");
  diff_command->add_option("--context", x->context, "How many of the events that led there are shown")
    ->capture_default_str();
  diff_command->footer("Example:  qnfv trace diff good/sites bad/sites --last");
  diff_command->callback([x, first, &settings] {
    x->from = {*first};
    compare(*x, settings);
  });
}

} // namespace qnfv
