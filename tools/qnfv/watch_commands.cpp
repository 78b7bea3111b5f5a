// What an operator looks at: functions, links and traces.

#include "tools/face/chart.hpp"
#include "tools/face/json_out.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/operator_session.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

template <class T>
void print(const T& x, const command_settings& settings) {
  std::printf("%s\n", settings.json ? to_json(x).c_str()
                                    : render(x, face_settings_of(stdout)).c_str());
}

void show_vnfs(const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  operator_session session{lab, value_or_throw(load_topology(lab.topology()))};
  print(session.ask<vnf_list>(session.orchestrator(), list_vnfs{}), settings);
}

void stop(const std::string& vnf, const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  operator_session session{lab, value_or_throw(load_topology(lab.topology()))};
  auto x = session.ask<vnf_info>(session.orchestrator(), stop_vnf{vnf_id{vnf}}, 60s);
  if (settings.json)
    std::printf("%s\n", to_json(x).c_str());
  else
    std::printf("%s at %s is %s\n", x.vnf.value.c_str(), x.site.value.c_str(),
                to_string(x.state).c_str());
}

void show_links(const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  operator_session session{lab, value_or_throw(load_topology(lab.topology()))};
  print(session.ask<link_list>(session.orchestrator(), links_query{}), settings);
}

struct trace_choice {
  std::string id;
  bool last = false;
  bool all = false;
  std::string actor;
  std::string site;
};

/// Every event of one trace, from all sites that answer.
trace_log fetch(operator_session& session, const std::string& trace) {
  trace_log out;
  trace_query query;
  query.trace = trace;
  for (bool more = true; more;) {
    auto page = session.ask<trace_page>(session.node(), query);
    more = false;
    for (auto& [site, seen] : page.seen) {
      auto& before = query.after[site];
      more = more || seen > before;
      before = seen;
    }
    for (auto& [site, lost] : page.lost)
      out.lost[site] += lost;
    for (auto& line : page.lines)
      out.add(line);
  }
  return out;
}

void show_trace(const trace_choice& x, const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  operator_session session{lab, value_or_throw(load_topology(lab.topology()))};
  std::string trace = x.id;
  if (x.last || x.id.empty())
    trace = "last";
  else if (x.id.rfind("order-", 0) == 0)
    trace = session.ask<order>(session.orchestrator(), order_query{order_id{x.id}}).trace;
  if (trace.empty())
    throw command_error{{ec::not_found, x.id + " was ordered before this start of the orchestrator; "
                                               "its trace is in the trace files only"}};
  if (trace == "last") {
    auto newest = session.ask<order_list>(session.orchestrator(), list_orders{});
    trace.clear();
    for (auto& y : newest.orders)
      if (!y.trace.empty())
        trace = y.trace;
    if (trace.empty())
      throw command_error{{ec::not_found, "no delivery has been traced yet"}};
  }
  auto log = fetch(session, trace);
  if (log.events.empty())
    throw command_error{{ec::not_found, "no event of trace " + trace + " is remembered"}};
  if (settings.json)
    for (auto& event : log.events)
      std::printf("%s\n", to_json(event).c_str());
  else
    std::printf("%s", render_chart(log, x.all, face_settings_of(stdout)).c_str());
}

void tail(const trace_choice& x, const command_settings& settings) {
  auto lab = value_or_throw(find_lab(settings.lab));
  operator_session session{lab, value_or_throw(load_topology(lab.topology()))};
  trace_query query;
  query.trace = x.id;
  auto face = face_settings_of(stdout);
  for (;;) {
    auto page = session.ask<trace_page>(session.node(), query);
    trace_log log;
    for (auto& line : page.lines)
      log.add(line);
    for (auto& [site, seen] : page.seen)
      query.after[site] = seen;
    for (auto& [site, lost] : page.lost)
      std::printf("... %llu events lost at %s\n", static_cast<unsigned long long>(lost), site.c_str());
    log.sort();
    for (auto& event : log.events) {
      bool wanted = (x.site.empty() || event.site == x.site)
                    && (x.actor.empty() || event.from.find(x.actor) != std::string::npos
                        || event.to.find(x.actor) != std::string::npos);
      if (wanted)
        std::printf("%s\n", settings.json ? to_json(event).c_str()
                                          : render_event(event, face).c_str());
    }
    std::fflush(stdout);
    std::this_thread::sleep_for(300ms);
  }
}

} // namespace

void add_vnf_commands(CLI::App& app, command_settings& settings) {
  auto vnf = std::make_shared<std::string>();
  auto* command = app.add_subcommand("vnf", "Virtual network functions at the data centres");
  command->require_subcommand(1);
  auto* list_command = command->add_subcommand("list", "What runs, and where");
  list_command->footer("Example:  qnfv vnf list");
  list_command->callback([&settings] { show_vnfs(settings); });
  auto* stop_command = command->add_subcommand("stop", "Stop a function and remove its image from the VIM");
  stop_command->add_option("vnf", *vnf, "Name as in vnf list")->required();
  stop_command->footer("Example:  qnfv vnf stop firewall-3");
  stop_command->callback([vnf, &settings] { stop(*vnf, settings); });
}

void add_link_commands(CLI::App& app, command_settings& settings) {
  auto* links = app.add_subcommand("links", "QKD links: state, QBER, rate");
  links->footer("Example:  qnfv links");
  links->callback([&settings] { show_links(settings); });
}

void add_trace_commands(CLI::App& app, command_settings& settings) {
  auto x = std::make_shared<trace_choice>();
  auto* trace = app.add_subcommand("trace", "The message trace of the whole lab");
  trace->require_subcommand(1);
  auto* show_command = trace->add_subcommand("show", "The chain of one delivery as a sequence chart");
  show_command->add_option("id", x->id, "order-N, or the id of a trace (default: the last delivery)");
  show_command->add_flag("--last", x->last, "The last delivery");
  show_command->add_flag("--all", x->all, "Every message, not only the paper's chain");
  show_command->footer("Example:  qnfv trace show --last");
  show_command->callback([x, &settings] { show_trace(*x, settings); });
  auto* tail_command = trace->add_subcommand("tail", "Follow the messages of all sites as they pass");
  tail_command->add_option("--trace", x->id, "Only this trace");
  tail_command->add_option("--site", x->site, "Only events of this site");
  tail_command->add_option("--actor", x->actor, "Only from or to this actor");
  tail_command->footer("Example:  qnfv trace tail --actor key_pool");
  tail_command->callback([x, &settings] { tail(*x, settings); });
}

} // namespace qnfv
