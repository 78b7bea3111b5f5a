#include "tools/qnfv/schedule_scenario.hpp"

#include "runtime/config/json.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace qnfv {

namespace {

constexpr double pi = 3.14159265358979323846;

using value = rapidjson::Value;

/// Reads one file; the first thing that is wrong is kept, the rest reads as defaults.
class scenario_reader {
public:
  explicit scenario_reader(const json_file& file) : file_(file) {}

  schedule_scenario read();
  std::optional<failure> wrong;

private:
  void complain(const std::string& at, const std::string& problem) {
    if (!wrong)
      wrong = file_.error_at(at, problem);
  }

  double number(const value& in, const std::string& at, const char* key, double least, double most,
                std::optional<double> fallback = std::nullopt) {
    auto i = in.FindMember(key);
    if (i == in.MemberEnd()) {
      if (!fallback)
        complain(at, "`" + std::string{key} + "` is missing");
      return fallback.value_or(least);
    }
    return in_range(i->value, at + "/" + key, least, most);
  }

  double in_range(const value& x, const std::string& at, double least, double most) {
    if (!x.IsNumber() || !(x.GetDouble() >= least && x.GetDouble() <= most)) {
      complain(at, "must be a number from " + text(least) + " to " + text(most));
      return least;
    }
    return x.GetDouble();
  }

  size_t count(const value& in, const std::string& at, const char* key, size_t least, size_t most,
               std::optional<size_t> fallback = std::nullopt) {
    std::optional<double> other;
    if (fallback)
      other = static_cast<double>(*fallback);
    auto x = number(in, at, key, static_cast<double>(least), static_cast<double>(most), other);
    if (x != std::floor(x))
      complain(at + "/" + key, "must be a whole number");
    return static_cast<size_t>(x);
  }

  std::string word(const value& in, const std::string& at, const char* key) {
    auto i = in.FindMember(key);
    if (i == in.MemberEnd() || !i->value.IsString()) {
      complain(i == in.MemberEnd() ? at : at + "/" + key,
               "`" + std::string{key} + "` must be a text");
      return {};
    }
    return i->value.GetString();
  }

  static std::string text(double x) {
    auto out = std::to_string(x);
    out.erase(out.find_last_not_of('0') + 1);
    if (out.back() == '.')
      out.pop_back();
    return out;
  }

  /// Calls f(element, pointer) for each object of an array.
  template <class F>
  void each(const value& in, const std::string& at, const char* key, bool needed, F f) {
    auto i = in.FindMember(key);
    auto here = at + "/" + key;
    if (i == in.MemberEnd()) {
      if (needed)
        complain(at, "`" + std::string{key} + "` is missing");
      return;
    }
    if (!i->value.IsArray() || (needed && i->value.Empty())
        || i->value.Size() > 4 * scenario_links_max)
      return complain(here, "must be a list of objects");
    for (rapidjson::SizeType n = 0; n < i->value.Size(); ++n) {
      auto there = here + "/" + std::to_string(n);
      if (!i->value[n].IsObject())
        return complain(there, "must be an object");
      f(i->value[n], there);
    }
  }

  scenario_flow flow(const value& x, const std::string& at, size_t links);
  scenario_fault fault(const value& x, const std::string& at, const schedule_scenario&);

  const json_file& file_;
};

scenario_flow scenario_reader::flow(const value& x, const std::string& at, size_t links) {
  scenario_flow out;
  auto path = x.FindMember("path");
  if (path == x.MemberEnd() || !path->value.IsArray() || path->value.Empty()
      || path->value.Size() > 16) {
    complain(at, "`path` must list 1 to 16 links");
    return out;
  }
  std::set<size_t> seen;
  for (rapidjson::SizeType n = 0; n < path->value.Size(); ++n) {
    auto& link = path->value[n];
    auto there = at + "/path/" + std::to_string(n);
    if (!link.IsUint() || link.GetUint() >= links) {
      complain(there, "there is no such link");
      return out;
    }
    if (!seen.insert(link.GetUint()).second)
      complain(there, "a path crosses a link once");
    out.path.push_back(link.GetUint());
  }
  auto kind = word(x, at, "kind");
  if (kind != "poisson" && kind != "burst")
    complain(at + "/kind", "must be poisson or burst");
  out.bits = number(x, at, "bits", 1, 1e9);
  out.rps = number(x, at, "rps", 0, 1e4);
  if (kind == "burst") {
    out.burst = static_cast<unsigned>(count(x, at, "n", 1, 10000));
    out.gap_s = number(x, at, "gap_s", 0, 86400);
  }
  out.daily_amplitude = number(x, at, "amp", 0, 1, 0);
  out.daily_phase_h = number(x, at, "phase_h", -24, 24, 0);
  out.declared_bps = number(x, at, "declared", 0, 1e9, 0);
  auto crowds = x.FindMember("crowd");
  if (crowds == x.MemberEnd())
    return out;
  if (!crowds->value.IsArray() || crowds->value.Size() > 1000) {
    complain(at + "/crowd", "must be a list of [at, duration, factor]");
    return out;
  }
  for (rapidjson::SizeType n = 0; n < crowds->value.Size(); ++n) {
    auto& c = crowds->value[n];
    auto there = at + "/crowd/" + std::to_string(n);
    if (!c.IsArray() || c.Size() != 3) {
      complain(there, "must be [at, duration, factor]");
      return out;
    }
    out.crowds.push_back({in_range(c[0], there + "/0", 0, scenario_horizon_max_s),
                          in_range(c[1], there + "/1", 0, scenario_horizon_max_s),
                          in_range(c[2], there + "/2", 0, 1000)});
  }
  return out;
}

scenario_fault scenario_reader::fault(const value& x, const std::string& at,
                                      const schedule_scenario& s) {
  scenario_fault out;
  auto kind = word(x, at, "kind");
  out.at_s = number(x, at, "at", 0, scenario_horizon_max_s);
  if (kind == "degrade") {
    out.what = scenario_fault::kind::degrade;
    out.duration_s = number(x, at, "ramp_s", 0, scenario_horizon_max_s, 0);
    out.rate_factor = number(x, at, "rate_x", 0.001, 10, 1);
    out.initialisation_factor = number(x, at, "init_x", 0.001, 100, 1);
  } else if (kind == "bob_down" || kind == "link_down") {
    if (kind == "link_down")
      out.what = scenario_fault::kind::link_down;
    out.duration_s = number(x, at, "dur", 0, scenario_horizon_max_s);
  } else {
    complain(at + "/kind", "must be bob_down, link_down or degrade");
  }
  auto most = out.what == scenario_fault::kind::bob_down ? s.bobs : s.links.size();
  out.id = count(x, at, "id", 0, most > 0 ? most - 1 : 0);
  return out;
}

schedule_scenario scenario_reader::read() {
  schedule_scenario s;
  auto& x = file_.value;
  if (!x.IsObject()) {
    complain("", "must be an object");
    return s;
  }
  s.name = word(x, "", "name");
  if (auto note = x.FindMember("note"); note != x.MemberEnd() && note->value.IsString())
    s.note = note->value.GetString();
  s.seed = static_cast<uint64_t>(count(x, "", "seed", 0, 1u << 30));
  s.horizon_s = number(x, "", "horizon_s", 1, scenario_horizon_max_s);
  s.tick_s = number(x, "", "tick_s", 1, 3600, 10);
  s.switch_s = number(x, "", "switch_s", 0, 3600, 0.025);
  s.bobs = count(x, "", "bobs", 1, 1000);
  s.spares = count(x, "", "spares", 0, 1000, 0);
  s.spare_delay_s = number(x, "", "spare_delay_s", 0, scenario_horizon_max_s, 0);
  s.spare_hold_s = number(x, "", "spare_hold_s", 0, scenario_horizon_max_s, 0);
  s.initialisation_cv = number(x, "", "init_cv", 0, 2, 0);
  s.rate_cv = number(x, "", "rate_cv", 0, 2, 0);
  s.initialisation_fails = number(x, "", "init_fail", 0, 1, 0);
  if (auto warm = x.FindMember("warm"); warm != x.MemberEnd()) {
    if (warm->value.IsObject()) {
      s.warm_window_s = number(warm->value, "/warm", "window_s", 0, scenario_horizon_max_s);
      s.warm_factor = number(warm->value, "/warm", "factor", 0.001, 1);
    } else if (!warm->value.IsNull()) {
      complain("/warm", "must be {window_s, factor}");
    }
  }
  each(x, "", "links", true, [&](const value& link, const std::string& at) {
    scenario_link out;
    out.rate_bps = number(link, at, "rate", 0.001, 1e9);
    out.initialisation_s = number(link, at, "init", 0, 1e6);
    out.capacity_bits = number(link, at, "cap", 1, 1e15);
    out.pool_bits = number(link, at, "pool", 0, out.capacity_bits);
    s.links.push_back(out);
  });
  if (s.links.size() > scenario_links_max)
    complain("/links", "more than " + std::to_string(scenario_links_max));
  each(x, "", "flows", true, [&](const value& one, const std::string& at) {
    s.flows.push_back(flow(one, at, s.links.size()));
  });
  each(x, "", "faults", false,
       [&](const value& one, const std::string& at) { s.faults.push_back(fault(one, at, s)); });
  return s;
}

} // namespace

double scenario_flow::factor(double t) const {
  auto out = 1 + daily_amplitude * std::cos(2 * pi * (t / 3600 - daily_phase_h) / 24);
  for (auto& c : crowds)
    if (t >= c.at_s && t < c.at_s + c.duration_s)
      out *= c.factor;
  return out;
}

double scenario_flow::factor_max() const {
  double most = 1;
  for (auto& c : crowds)
    most = std::max(most, c.factor);
  return most * (1 + daily_amplitude);
}

std::vector<double> schedule_scenario::demand_bps() const {
  std::vector<double> out(links.size());
  for (auto& f : flows)
    for (auto i : f.path)
      out[i] += f.mean_bps();
  return out;
}

result<schedule_scenario> parse_scenario(std::string_view text, const std::string& file) {
  auto json = parse_json(text, file);
  if (!json)
    return json.error();
  scenario_reader reader{*json};
  auto out = reader.read();
  if (reader.wrong)
    return *reader.wrong;
  return out;
}

} // namespace qnfv
