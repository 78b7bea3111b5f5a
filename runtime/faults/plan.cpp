#include "runtime/faults/plan.hpp"

#include "runtime/base/closest_word.hpp"
#include "runtime/messages/message_names.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace qnfv {

namespace {

class reader {
public:
  explicit reader(const json_file& file) : file_(file) {}

  result<fault_plan> read() {
    auto& top = file_.value;
    out_.name = top["name"].GetString();
    if (top.HasMember("about"))
      out_.about = top["about"].GetString();
    auto& faults = top["faults"];
    for (rapidjson::SizeType i = 0; i < faults.Size(); ++i)
      if (auto ok = read_fault(faults[i], "/faults/" + std::to_string(i)); !ok)
        return ok.error();
    return std::move(out_);
  }

private:
  status read_fault(const rapidjson::Value& x, const std::string& at) {
    planned_fault out;
    out.what = *parse_fault_kind(x["fault"].GetString()); // The schema knows the same words.
    auto& about = traits(out.what);
    for (auto i = x.MemberBegin(); i != x.MemberEnd(); ++i)
      if (is_amount(i->name.GetString()) && (!about.amount || i->name != about.amount))
        return file_.error_at(at + "/" + i->name.GetString(),
                              about.amount ? std::string{about.name} + " has " + about.amount
                                           : std::string{about.name} + " has no amount");
    out.amount = range(x, about.amount, about.amount_default);
    out.probability = range(x, "probability", 1);
    out.for_s = range(x, "for_s", about.for_s_default);
    for (auto* one : {&out.amount, &out.probability, &out.for_s})
      if (one->low > one->high)
        return file_.error_at(at, "a range is written [low, high]");
    if (out.probability.high > 1)
      return file_.error_at(at + "/probability", "a probability is at most 1");
    if (x.HasMember("where")) {
      out.where = x["where"].GetString();
      if (auto ok = parse_fault_place(about.place, out.where); !ok)
        return file_.error_at(at + "/where", ok.error().text);
    }
    if (x.HasMember("at_s"))
      out.at_s = x["at_s"].GetDouble();
    if (x.HasMember("every_s"))
      out.every_s = x["every_s"].GetDouble();
    if (out.at_s < 0 && out.every_s == 0)
      return file_.error_at(at, "when? give at_s, every_s or both");
    if (x.HasMember("times"))
      out.times = x["times"].GetUint();
    if (x.HasMember("on_message")) {
      out.message = x["on_message"].GetString();
      if (auto ok = check_message_name(out.message); !ok)
        return file_.error_at(at + "/on_message", ok.error().text);
      out.nth = x.HasMember("nth") ? x["nth"].GetUint() : 1;
    } else if (x.HasMember("nth")) {
      return file_.error_at(at + "/nth", "of which message? give on_message too");
    }
    out_.faults.push_back(std::move(out));
    return done{};
  }

  static bool is_amount(std::string_view word) {
    for (size_t i = 0; i < fault_kind_count; ++i) {
      auto* name = traits(static_cast<fault_kind>(i)).amount;
      if (name && word == name)
        return true;
    }
    return false;
  }

  static fault_range range(const rapidjson::Value& x, const char* key, double otherwise) {
    if (!key || !x.HasMember(key))
      return {otherwise, otherwise};
    auto& value = x[key];
    if (value.IsArray())
      return {value[0].GetDouble(), value[1].GetDouble()};
    return {value.GetDouble(), value.GetDouble()};
  }

  const json_file& file_;
  fault_plan out_;
};

/// The same on every machine: the standard's distributions are not.
class dice {
public:
  explicit dice(uint64_t seed) : engine_(seed) {}
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double between(const fault_range& x) { return x.low + uniform() * (x.high - x.low); }
  double gap(double mean) { return -mean * std::log1p(-uniform()); }
  const std::string& one_of(const std::vector<std::string>& from) {
    return from[static_cast<size_t>(uniform() * static_cast<double>(from.size()))];
  }

private:
  std::mt19937_64 engine_;
};

/// An edge's "a<>b" as the kind wants it: one way is one of the two directions.
std::string placed(fault_kind what, const std::string& where, dice& d) {
  if (what != fault_kind::one_way)
    return where;
  auto ends = parse_fault_place(fault_place::edge, where);
  if (!ends || !ends->both_ways)
    return where;
  return d.uniform() < 0.5 ? ends->first + ">" + ends->second : ends->second + ">" + ends->first;
}

bool has(const fault_places& places, fault_place sort, const std::string& where) {
  auto& all = places.of(sort);
  if (sort == fault_place::edge) {
    auto ends = parse_fault_place(sort, where);
    auto there = ends->first + "<>" + ends->second;
    auto back = ends->second + "<>" + ends->first;
    return std::count(all.begin(), all.end(), there) + std::count(all.begin(), all.end(), back) > 0;
  }
  if (sort == fault_place::port && where.find(':') == std::string::npos)
    return std::any_of(all.begin(), all.end(), [&](auto& x) { return x.rfind(where + ":", 0) == 0; });
  return std::count(all.begin(), all.end(), where) > 0;
}

} // namespace

static result<fault_plan> plan_of(const result<json_file>& file) {
  if (!file)
    return file.error();
  if (auto ok = check_schema(*file, fault_plan_schema()); !ok)
    return ok.error();
  return reader{*file}.read();
}

result<fault_plan> parse_fault_plan(std::string_view text, const std::string& file_name) {
  return plan_of(parse_json(text, file_name));
}

result<fault_plan> load_fault_plan(const std::string& path) {
  return plan_of(load_json(path));
}

const std::vector<std::string>& fault_places::of(fault_place x) const {
  switch (x) {
    case fault_place::edge: return edges;
    case fault_place::site: return sites;
    case fault_place::role: return roles;
    case fault_place::link: return links;
    case fault_place::port: return ports;
    case fault_place::vim: break;
  }
  return vims;
}

status check_place(const fault_places& places, fault_kind what, const std::string& where) {
  auto sort = traits(what).place;
  if (auto at = parse_fault_place(sort, where); !at)
    return at.error();
  if (has(places, sort, where))
    return done{};
  auto& all = places.of(sort);
  auto meant = closest_word(where, all);
  auto text = "this lab has no " + to_string(sort) + " " + where;
  if (!meant.empty())
    return {ec::invalid_argument, text + "; did you mean " + meant + "?"};
  constexpr size_t shown = 8;
  for (size_t i = 0; i < std::min(all.size(), shown); ++i)
    text += (i == 0 ? "; it has " : ", ") + all[i];
  return {ec::invalid_argument, text + (all.size() > shown ? " ..." : "")};
}

result<std::vector<timed_fault>> draw_faults(const fault_plan& plan, const fault_places& places,
                                             uint64_t seed, double span_s) {
  std::vector<timed_fault> out;
  for (size_t i = 0; i < plan.faults.size(); ++i) {
    auto& x = plan.faults[i];
    auto& candidates = places.of(traits(x.what).place);
    if (!x.where.empty())
      if (auto ok = check_place(places, x.what, x.where); !ok)
        return {ok.error().code, plan.name + ": " + ok.error().text};
    if (x.where.empty() && candidates.empty())
      continue;
    // Each line draws for itself: another line changes nothing here.
    dice d{seed * 0x9e3779b97f4a7c15u + i};
    auto at = x.at_s >= 0 ? x.at_s : d.gap(x.every_s);
    for (uint32_t n = 0; at < span_s && (x.times == 0 || n < x.times); ++n) {
      fault one;
      one.what = x.what;
      one.where = placed(x.what, x.where.empty() ? d.one_of(candidates) : x.where, d);
      one.amount = d.between(x.amount);
      one.probability = d.between(x.probability);
      one.for_s = d.between(x.for_s);
      one.message = x.message;
      one.nth = x.nth;
      out.push_back({at, std::move(one)});
      if (x.every_s == 0)
        break;
      at += d.gap(x.every_s);
    }
  }
  std::stable_sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.at_s < b.at_s; });
  return out;
}

std::set<fault_kind> placeless(const fault_plan& plan, const fault_places& places) {
  std::set<fault_kind> out;
  for (auto& x : plan.faults)
    if (x.where.empty() && places.of(traits(x.what).place).empty())
      out.insert(x.what);
  return out;
}

} // namespace qnfv
