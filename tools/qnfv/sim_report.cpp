#include "tools/qnfv/sim_report.hpp"

#include "runtime/crypto/sha256.hpp"
#include "tools/face/json.hpp"
#include "tools/face/table.hpp"

#include <rapidjson/document.h>

#include <cstdarg>
#include <cstdio>

namespace qnfv {

namespace {

void put_totals(json& out, const sim_outcome& x) {
  auto text = [](json& to, const std::string& each) { to.text(each); };
  out.field("trace_hash", x.hash);
  out.field("messages", x.messages);
  out.field("virtual_s", x.virtual_s);
  out.field("cpu_s", x.cpu_s);
  out.field("orders", x.orders);
  out.field("running", x.running);
  out.field("faults", x.faults);
  out.list("failures", x.failures, text);
  out.list("fired", x.fired, [](json& to, fault_kind kind) { to.text(traits(kind).name); });
  out.objects("coverage", x.coverage, [](json& to, auto& entry) {
    auto& [pair, count] = entry;
    to.field("fault", std::string{traits(pair.first).name});
    to.field("state", pair.second);
    to.field("count", count);
  });
}

void put_violation(json& out, const invariant_checker::violation& x) {
  out.field("at_s", x.at_s);
  out.field("what", x.what);
  out.list("before", x.before, [](json& to, const trace_event& event) { to.text(to_json(event)); });
}

std::string text_of(const rapidjson::Value& x, const char* key) {
  auto i = x.FindMember(key);
  return i != x.MemberEnd() && i->value.IsString() ? i->value.GetString() : "";
}
double number_of(const rapidjson::Value& x, const char* key) {
  auto i = x.FindMember(key);
  return i != x.MemberEnd() && i->value.IsNumber() ? i->value.GetDouble() : 0;
}
uint64_t count_of(const rapidjson::Value& x, const char* key) {
  auto i = x.FindMember(key);
  return i != x.MemberEnd() && i->value.IsUint64() ? i->value.GetUint64() : 0;
}

template <class F>
void each_of(const rapidjson::Value& x, const char* key, F f) {
  auto i = x.FindMember(key);
  if (i != x.MemberEnd() && i->value.IsArray())
    for (auto& each : i->value.GetArray())
      f(each);
}

std::string line(const char* format, ...) {
  char text[512];
  va_list rest;
  va_start(rest, format);
  std::vsnprintf(text, sizeof text, format, rest);
  va_end(rest);
  return text;
}

unsigned long long ull(uint64_t x) {
  return x;
}

} // namespace

std::string to_json(const sim_outcome& x, const std::string& topology) {
  json out;
  out.begin();
  out.field("topology", topology);
  out.field("seed", x.seed);
  put_totals(out, x);
  out.objects("violations", x.violations, put_violation);
  out.end();
  return out.whole();
}

std::optional<sim_outcome> parse_sim_outcome(const std::string& text) {
  rapidjson::Document doc;
  doc.Parse<rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
  if (doc.HasParseError() || !doc.IsObject() || !doc.HasMember("seed"))
    return std::nullopt;
  sim_outcome out;
  out.seed = count_of(doc, "seed");
  out.hash = text_of(doc, "trace_hash");
  out.messages = count_of(doc, "messages");
  out.virtual_s = number_of(doc, "virtual_s");
  out.cpu_s = number_of(doc, "cpu_s");
  out.orders = count_of(doc, "orders");
  out.running = count_of(doc, "running");
  out.faults = count_of(doc, "faults");
  each_of(doc, "failures", [&](auto& x) { out.failures.push_back(x.GetString()); });
  each_of(doc, "fired", [&](auto& x) {
    if (auto kind = parse_fault_kind(x.GetString()))
      out.fired.insert(*kind);
  });
  each_of(doc, "coverage", [&](auto& x) {
    if (auto kind = parse_fault_kind(text_of(x, "fault")))
      out.coverage[{*kind, text_of(x, "state")}] = count_of(x, "count");
  });
  each_of(doc, "violations", [&](auto& x) {
    invariant_checker::violation one{number_of(x, "at_s"), text_of(x, "what"), {}};
    each_of(x, "before", [&](auto& event) {
      if (auto parsed = parse_trace_event(event.GetString()))
        one.before.push_back(*parsed);
    });
    out.violations.push_back(std::move(one));
  });
  return out;
}

void sim_series::add(const sim_outcome& x) {
  sum.messages += x.messages;
  sum.virtual_s += x.virtual_s;
  sum.cpu_s += x.cpu_s;
  sum.orders += x.orders;
  sum.running += x.running;
  sum.faults += x.faults;
  sum.fired.insert(x.fired.begin(), x.fired.end());
  for (auto& [pair, count] : x.coverage)
    sum.coverage[pair] += count;
  for (auto& each : x.violations)
    violations.emplace_back(x.seed, each);
  sha256 digest;
  digest.update(byte_view{std::string_view{sum.hash}});
  digest.update(byte_view{std::string_view{x.hash}});
  sum.hash = to_hex(digest.finish());
}

std::vector<fault_kind> sim_series::not_fired() const {
  std::vector<fault_kind> out;
  for (auto kind : wanted)
    if (sum.fired.count(kind) == 0)
      out.push_back(kind);
  return out;
}

std::string sim_series::repeat(uint64_t seed) const {
  return "qnfv sim " + topology + (plan.empty() ? "" : " --faults " + plan) + " --for " + span
         + line(" --orders-per-h %g", orders_per_h)
         + (callers_per_h > 0 ? line(" --callers-per-h %g", callers_per_h) : "") + line(" --seed %llu", ull(seed));
}

std::string to_json(const sim_series& x, double wall_s) {
  json out;
  out.begin();
  out.field("topology", x.topology);
  out.field("plan", x.plan);
  out.field("first_seed", x.first);
  out.field("last_seed", x.last);
  out.field("wall_s", wall_s);
  put_totals(out, x.sum);
  out.list("classes_not_fired", x.not_fired(), [](json& to, fault_kind kind) { to.text(traits(kind).name); });
  out.objects("violations", x.violations, [&](json& to, auto& entry) {
    auto& [seed, each] = entry;
    to.field("seed", seed);
    put_violation(to, each);
    to.field("repeat", x.repeat(seed));
  });
  out.end();
  return out.whole();
}

std::string render(const invariant_checker::violation& x) {
  auto out = line("VIOLATED after %.3f s: ", x.at_s) + x.what + "\n";
  for (auto& event : x.before)
    out += "    " + event.id() + " " + to_string(event.kind) + " " + event.from
           + (event.to == event.from ? "" : " -> " + event.to) + ": "
           + (event.kind == trace_kind::note ? event.message + " " : "") + event.text + "\n";
  return out;
}

std::string render(const sim_outcome& x, const std::string& lab) {
  auto out = lab + line(", seed %llu: %s of lab time in %s of CPU (%.0fx)\n", ull(x.seed),
                        format_duration(from_seconds(x.virtual_s)).c_str(),
                        format_duration(from_seconds(x.cpu_s)).c_str(), x.virtual_s / x.cpu_s);
  out += line("  %llu messages, %llu faults, %llu orders, %llu of them delivered\n  trace %s\n",
              ull(x.messages), ull(x.faults), ull(x.orders), ull(x.running), x.hash.c_str());
  for (auto& each : x.failures)
    out += "  not delivered: " + each + "\n";
  for (auto& each : x.violations)
    out += "  " + render(each);
  return out + line("  %zu violations\n", x.violations.size());
}

std::string render(const sim_series& x, double wall_s) {
  auto out = line("seeds %llu to %llu of ", ull(x.first), ull(x.last)) + x.topology
             + line(": %s of lab time in %s (%s of CPU)\n",
                    format_duration(from_seconds(x.sum.virtual_s)).c_str(),
                    format_duration(from_seconds(wall_s)).c_str(),
                    format_duration(from_seconds(x.sum.cpu_s)).c_str());
  out += line("  %llu messages, %llu faults, %llu orders, %llu of them delivered\n  traces %s\n",
              ull(x.sum.messages), ull(x.sum.faults), ull(x.sum.orders), ull(x.sum.running),
              x.sum.hash.c_str());
  std::set<std::string> states;
  std::set<fault_kind> kinds = x.wanted;
  for (auto& [pair, count] : x.sum.coverage) {
    states.insert(pair.second);
    kinds.insert(pair.first);
  }
  if (!kinds.empty()) {
    std::vector<std::string> titles{"FAULT, BEGUN WHILE"};
    for (auto& state : states)
      titles.push_back(state + "#");
    table grid{titles};
    for (auto kind : kinds) {
      std::vector<std::string> row{traits(kind).name};
      for (auto& state : states) {
        auto i = x.sum.coverage.find({kind, state});
        row.push_back(i == x.sum.coverage.end() ? "-" : std::to_string(i->second));
      }
      grid.add(row);
    }
    out += "\n" + grid.text({false, 1000}) + "\n\n";
  }
  for (auto kind : x.not_fired())
    out += std::string{"  never had an effect: "} + traits(kind).name + "\n";
  for (auto& [seed, each] : x.violations)
    out += line("  seed %llu ", ull(seed)) + render(each) + "    " + x.repeat(seed) + "\n";
  return out + line("  %zu violations\n", x.violations.size());
}

} // namespace qnfv
