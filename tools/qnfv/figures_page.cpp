#include "runtime/base/units.hpp"
#include "tools/qnfv/paper_figures.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdio>

namespace qnfv {

namespace {

using writer = rapidjson::Writer<rapidjson::StringBuffer>;

constexpr double day_s = 86400;

std::string text(const char* format, double x) {
  char out[64];
  std::snprintf(out, sizeof out, format, x);
  return out;
}

std::string of_spread(const spread& x, const char* format, double factor = 1) {
  return text(format, factor * x.mean()) + " (" + text(format, factor * x.least()) + " to "
         + text(format, factor * x.most()) + ")";
}

page_table table_of(const line_survey& survey) {
  page_table out;
  out.caption =
    "The numbers behind Figs 7 to 9: mean (least to most). The paper states 400 s and "
    "about 4 kb/s back to back; 1265 s, about 0.1 kb/s, 5.3 % and above 10 dB at 25 km.";
  out.head = {"Length",         "Sessions", "Initialisation [s]", "Blocks",
              "Key rate [b/s]", "QBER [%]", "Attenuation [dB]"};
  for (auto& x : survey.lines)
    out.rows.push_back({text("%.4g km", x.length_km), std::to_string(x.initialisation_s.count()),
                        of_spread(x.initialisation_s, "%.0f"), std::to_string(x.qber.count()),
                        of_spread(x.secret_rate_bps, "%.0f"), of_spread(x.qber, "%.2f", 100),
                        text("%.2f", x.loss_db)});
  return out;
}

page_table table_of(const week_log& log) {
  page_table out;
  out.caption = "How Bob's time went.";
  out.head = {"Link",           "Visits",       "Switching [s]", "Initialising [h]",
              "Distilling [h]", "Releasing [s]"};
  for (size_t i = 0; i < log.lab.links.size(); ++i) {
    double spent_s[link_state_count] = {};
    size_t visits = 0;
    for (auto& x : log.phases)
      if (x.link == i) {
        spent_s[static_cast<size_t>(x.phase)] += x.to_s - x.from_s;
        visits += x.phase == link_state::initialising;
      }
    auto spent = [&](link_state x) { return spent_s[static_cast<size_t>(x)]; };
    out.rows.push_back({log.lab.links[i].link.value, std::to_string(visits),
                        text("%.2f", spent(link_state::switching)),
                        text("%.1f", spent(link_state::initialising) / 3600),
                        text("%.1f", spent(link_state::distilling) / 3600),
                        text("%.2f", spent(link_state::releasing))});
  }
  return out;
}

std::string sessions_text(const line_survey& survey, const figures_origin& origin) {
  return "Simulated: one Bob serves an Alice per length in turn over an emulated optical switch ("
         + origin.lengths + " km), at least " + std::to_string(origin.sessions) + " sessions each, "
         + format_duration(from_seconds(survey.lab_time_s)) + " of lab time, seed "
         + std::to_string(origin.seed) + ".";
}

std::string week_text(const week_log& log, const figures_origin& origin) {
  size_t delivered = 0;
  for (auto& x : log.deliveries)
    delivered += x.state == order_state::running;
  return "Simulated: " + origin.span + " of " + origin.topology + " (policy "
         + log.lab.schedule.policy + "), seed " + std::to_string(origin.seed)
         + ". Workload: " + text("%.4g", origin.load.orders_per_h) + " images per hour ("
         + std::to_string(log.deliveries.size()) + " ordered, " + std::to_string(delivered)
         + " delivered), and applications that draw " + text("%.4g", origin.load.keys_bps)
         + " b/s of keys per link (" + std::to_string(log.keys_asked) + " keys asked for, "
         + std::to_string(log.keys_got) + " given at both ends). ";
}

void put(writer& out, const char* name, double x) {
  out.Key(name);
  out.Double(x);
}

void put(writer& out, const char* name, const std::string& x) {
  out.Key(name);
  out.String(x.c_str());
}

void put(writer& out, const char* name, const spread& x) {
  out.Key(name);
  out.StartObject();
  out.Key("count");
  out.Uint64(x.count());
  put(out, "mean", x.mean());
  put(out, "min", x.least());
  put(out, "max", x.most());
  out.EndObject();
}

void put_span(writer& out, double from_s, double to_s) {
  put(out, "from_s", from_s);
  put(out, "to_s", to_s);
}

template <class List, class F>
void put_list(writer& out, const char* name, const List& list, F each) {
  out.Key(name);
  out.StartArray();
  for (auto& x : list) {
    out.StartObject();
    each(x);
    out.EndObject();
  }
  out.EndArray();
}

void put_survey(writer& out, const line_survey& survey) {
  put_list(out, "lines", survey.lines, [&](auto& x) {
    put(out, "length_km", x.length_km);
    put(out, "initialisation_s", x.initialisation_s);
    put(out, "secret_rate_bps", x.secret_rate_bps);
    put(out, "qber", x.qber);
    put(out, "loss_db", x.loss_db);
  });
}

void put_paper(writer& out) {
  out.Key("paper");
  out.StartArray();
  out.StartObject();
  put(out, "length_km", 0);
  put(out, "initialisation_s", 400);
  put(out, "secret_rate_bps", 4000);
  out.EndObject();
  out.StartObject();
  put(out, "length_km", 25);
  put(out, "initialisation_s", 1265);
  put(out, "secret_rate_bps", 100);
  put(out, "qber", 0.053);
  put(out, "loss_db_above", 10);
  out.EndObject();
  out.EndArray();
}

void put_week(writer& out, const week_log& log) {
  auto& links = log.lab.links;
  put(out, "span_s", log.span_s);
  put(out, "policy", log.lab.schedule.policy);
  put_list(out, "phases", log.phases, [&](auto& x) {
    put(out, "link", links[x.link].link.value);
    put(out, "phase", to_string(x.phase));
    put_span(out, x.from_s, x.to_s);
  });
  size_t next = 0;
  put_list(out, "pools", log.pools, [&](auto& x) {
    put(out, "link", links[next++].link.value);
    put(out, "capacity_keys", x.capacity_keys);
    out.Key("ready_keys"); // [lab seconds, keys]
    out.StartArray();
    for (auto& [at_s, keys] : x.ready_keys) {
      out.StartArray();
      out.Double(at_s);
      out.Double(keys);
      out.EndArray();
    }
    out.EndArray();
  });
  put_list(out, "alarms", log.alarms, [&](auto& x) {
    put(out, "bob", x.bob.value);
    put(out, "reason", x.reason);
    put_span(out, x.from_s, x.to_s);
  });
  put_list(out, "dry", log.dry, [&](auto& x) {
    put(out, "link", links[x.link].link.value);
    put_span(out, x.from_s, x.to_s);
  });
  put_list(out, "deliveries", log.deliveries, [&](auto& x) {
    put(out, "order", x.id.value);
    put(out, "site", x.site.value);
    put(out, "state", to_string(x.state));
    put_span(out, x.from_s, x.to_s);
  });
  out.Key("keys_asked");
  out.Uint64(log.keys_asked);
  out.Key("keys_got");
  out.Uint64(log.keys_got);
  out.Key("violations");
  out.StartArray();
  for (auto& x : log.violations)
    out.String(x.c_str());
  out.EndArray();
}

} // namespace

std::string figures_origin::command() const {
  return "qnfv figures " + topology + " --out DIR --for " + span + " --seed " + std::to_string(seed)
         + " --lengths " + lengths + " --sessions " + std::to_string(sessions) + " --orders-per-h "
         + text("%.6g", load.orders_per_h) + " --keys-bps " + text("%.6g", load.keys_bps);
}

result<page> figures_page(const line_survey& survey, const week_log& log,
                          const figures_origin& origin) {
  page out;
  out.title = "qnfv: the paper's figures, from simulation";
  out.paragraphs = {
    "Figures 7, 8 and 9 of Aguado et al., \"Secure NFV Orchestration over an SDN-Controlled "
    "Optical "
    "Network with Time-Shared Quantum Key Distribution Resources\" (2016), and how one Bob is "
    "shared. "
    "Everything here was measured in runs of the real actors in virtual time with emulated "
    "devices; "
    "nothing was computed by a formula for the picture. Five numbers of the emulated device are "
    "fitted "
    "to the paper's values at 0 and 25 km, so agreement there is no validation; what lies between "
    "is "
    "the model's prediction. Red hollow marks are what the paper states in its text.",
    "This command makes the same files, byte for byte:"};
  out.command = origin.command();
  auto how = sessions_text(survey, origin);
  struct part {
    std::string name;
    result<std::string> svg;
    std::string caption;
  };
  std::vector<part> parts;
  parts.push_back(
    {"fig7-initialisation", to_svg(initialisation_plot(survey)),
     "Fig. 7: from the start of a session to its first keys: line measurement, "
     "synchronisation, visibility, first block. The paper states 400 s back to back and "
     "1265 s at 25 km. "
       + how});
  parts.push_back({"fig8-key-rate", to_svg(key_rate_plot(survey)),
                   "Fig. 8: secret bits per second while a link distils, block by block. The paper "
                   "states about 4 kb/s back to back and about 0.1 kb/s at 25 km. "
                     + how});
  parts.push_back(
    {"fig9-qber", to_svg(qber_plot(survey)),
     "Fig. 9: the QBER grows exponentially with distance and attenuation, so its "
     "logarithm falls on a line, fitted as in the paper. The paper states 5.3 % and more "
     "than 10 dB at 25 km. "
       + how});
  auto whole = week_timeline(log, 0, log.span_s, "week");
  whole.title = origin.span + " of a time-shared Bob";
  auto what = week_text(log, origin);
  parts.push_back({"week", to_svg(whole),
                   what
                     + "All values are ours; the paper has no such figure. Switching and releasing "
                       "take a fraction of a second and are drawn one pixel wide."});
  if (log.span_s > 2 * day_s) {
    auto first = week_timeline(log, 0, day_s, "first-day");
    first.title = "Its first day";
    parts.push_back({"first-day", to_svg(first), "The first 24 hours of the same run, larger."});
  }
  for (auto& x : parts) {
    if (!x.svg)
      return {x.svg.error().code, x.name + ": " + x.svg.error().text};
    out.figures.push_back({x.name, *x.svg, x.caption});
  }
  out.tables = {table_of(survey), table_of(log)};
  return out;
}

std::string figures_json(const line_survey& survey, const week_log& log,
                         const figures_origin& origin) {
  rapidjson::StringBuffer buffer;
  writer out{buffer};
  out.SetMaxDecimalPlaces(6);
  out.StartObject();
  put(out, "command", origin.command());
  put(out, "topology", origin.topology);
  out.Key("seed");
  out.Uint64(origin.seed);
  put_survey(out, survey);
  put_paper(out);
  out.Key("week");
  out.StartObject();
  put_week(out, log);
  out.EndObject();
  out.EndObject();
  return buffer.GetString();
}

} // namespace qnfv
