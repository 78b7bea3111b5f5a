// `qnfv sim`: whole labs in virtual time.

#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/compose.hpp"
#include "tools/qnfv/sim_jobs.hpp"
#include "tools/qnfv/sim_report.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <set>

namespace qnfv {

namespace {

struct sim_options {
  std::string topology;
  std::string span = "24h";
  uint64_t seed = 1;
  std::string seeds;
  unsigned jobs = 1;
  std::string plan;
  double orders_per_h = 2;
  double callers_per_h = 0;
  std::vector<std::string> notes;
};

void print_note(const sim_options& options, const simulation& sim, const trace_event& x) {
  if (std::count(options.notes.begin(), options.notes.end(), x.message) > 0)
    std::fprintf(stderr, "%9.1f s  %-8s %-9s %s\n", to_seconds(sim.elapsed()), x.site.c_str(),
                 x.message.c_str(), x.text.c_str());
}

void run_one(const sim_options& options, sim_setting setting, const command_settings& settings) {
  setting.seed = options.seed;
  std::set<std::string> seen;
  auto watch = [&](const simulation& sim, const trace_event& x) {
    seen.insert(x.message);
    print_note(options, sim, x);
  };
  auto outcome = value_or_throw(
    live(setting, options.notes.empty() ? std::function<void(const simulation&, const trace_event&)>{} : watch));
  for (auto& kind : options.notes)
    if (seen.count(kind) == 0) {
      std::string all;
      for (auto& x : seen)
        all += " " + x;
      std::fprintf(stderr, "qnfv: no note of kind %s was made; there were:%s\n", kind.c_str(), all.c_str());
    }
  std::printf("%s\n", settings.json ? to_json(outcome, setting.lab.name).c_str()
                                    : render(outcome, setting.lab.name).c_str());
  if (!outcome.violations.empty())
    throw command_error{{ec::internal, "invariants were violated; repeat with --seed "
                                         + std::to_string(options.seed)}};
}

std::pair<uint64_t, uint64_t> parse_seeds(const std::string& text) {
  auto* end = text.data() + text.size();
  uint64_t first = 0, last = 0;
  auto parsed = std::from_chars(text.data(), end, first);
  auto between = static_cast<size_t>(parsed.ptr - text.data());
  if (parsed.ec == std::errc{} && text.compare(between, 2, "..") == 0) {
    parsed = std::from_chars(parsed.ptr + 2, end, last);
    if (parsed.ec == std::errc{} && parsed.ptr == end && first <= last && last < UINT64_MAX)
      return {first, last};
  }
  throw command_error{{ec::invalid_argument, "--seeds " + text + ": write 1..1000"}};
}

void run_many(const sim_options& options, const sim_setting& setting, const command_settings& settings) {
  sim_series series;
  series.topology = options.topology;
  series.plan = options.plan;
  series.span = options.span;
  series.orders_per_h = options.orders_per_h;
  series.callers_per_h = options.callers_per_h;
  std::tie(series.first, series.last) = parse_seeds(options.seeds);
  if (setting.faults) {
    // A plan that does not fit the lab is told before anything runs.
    auto places = places_of(setting.lab);
    (void) value_or_throw(draw_faults(*setting.faults, places, series.first, 1));
    auto nowhere = placeless(*setting.faults, places);
    for (auto& x : setting.faults->faults)
      if (nowhere.count(x.what) == 0)
        series.wanted.insert(x.what);
  }
  auto began = std::chrono::steady_clock::now();
  auto watched = !settings.json && ::isatty(STDERR_FILENO) != 0;
  uint64_t lived = 0;
  auto work = [&](uint64_t seed) {
    auto one = setting;
    one.seed = seed;
    auto outcome = live(one, {});
    return outcome ? to_json(*outcome, setting.lab.name) : std::string{};
  };
  auto take = [&](uint64_t seed, const std::string& line) {
    auto outcome = parse_sim_outcome(line);
    if (!outcome) {
      outcome.emplace();
      outcome->seed = seed;
      outcome->violations.push_back({0, "the simulation itself crashed", {}});
    }
    series.add(*outcome);
    if (watched)
      std::fprintf(stderr, "\r\033[K");
    if (!outcome->violations.empty() && !settings.json)
      std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed),
                   outcome->violations.front().what.c_str());
    if (watched && ++lived <= series.last - series.first)
      std::fprintf(stderr, "%llu of %llu lives", static_cast<unsigned long long>(lived),
                   static_cast<unsigned long long>(series.last - series.first + 1));
  };
  done_or_throw(in_processes(series.first, series.last, options.jobs, work, take));
  auto wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%s\n", settings.json ? to_json(series, wall_s).c_str() : render(series, wall_s).c_str());
  if (!series.violations.empty())
    throw command_error{{ec::internal, std::to_string(series.violations.size()) + " invariants were violated"}};
  if (auto missing = series.not_fired(); !missing.empty())
    throw command_error{{ec::internal, std::to_string(missing.size())
                                         + (missing.size() == 1 ? " kind of fault" : " kinds of faults")
                                         + " never had an effect, " + traits(missing.front()).name
                                         + " for one; more seeds, or longer?"}};
}

void run(const sim_options& options, const command_settings& settings) {
  sim_setting setting;
  setting.lab = value_or_throw(load_topology(options.topology));
  auto span = parse_duration(options.span);
  if (!span)
    throw command_error{{ec::invalid_argument, "--for " + options.span
                                                 + ": not a duration; write 90s, 15m, 24h or 30d"}};
  setting.span = *span;
  setting.orders_per_h = options.orders_per_h;
  setting.callers_per_h = options.callers_per_h;
  if (!options.plan.empty())
    setting.faults = value_or_throw(load_fault_plan(options.plan));
  if (options.seeds.empty())
    run_one(options, std::move(setting), settings);
  else
    run_many(options, setting, settings);
}

} // namespace

void add_sim_command(CLI::App& app, command_settings& settings) {
  auto options = std::make_shared<sim_options>();
  auto* sim = app.add_subcommand("sim", "Run whole labs in virtual time, repeatably, with faults, against the invariants");
  sim->add_option("topology", options->topology, "Topology file")->required();
  sim->add_option("--for", options->span, "How long, in lab time: 90s, 15m, 24h, 30d")
    ->capture_default_str();
  auto* seed = sim->add_option("--seed", options->seed, "Same seed, same trace")->capture_default_str()
                  ->check(not_negative);
  sim->add_option("--seeds", options->seeds, "Many lives: 1..1000")->excludes(seed);
  sim->add_option("--jobs", options->jobs, "Lives at a time")->capture_default_str()->check(CLI::Range(1, 256));
  sim->add_option("--faults", options->plan, "Fault plan, e.g. config/faults/all.json");
  sim->add_option("--notes", options->notes,
                  "Print what happens, of these kinds: link schedule alarm keys path relay fault ...")
    ->delimiter(',');
  sim->add_option("--orders-per-h", options->orders_per_h, "Mean rate of deliveries")
    ->capture_default_str()
    ->check(CLI::Range(0.01, 3600.0));
  sim->add_option("--callers-per-h", options->callers_per_h,
                  "Mean rate of people who draw keys at both ends, and of those who ask for what must be refused")
    ->capture_default_str()
    ->check(CLI::Range(0.0, 3600.0));
  sim->footer("Example:  qnfv sim config/topologies/two-site.json --for 24h --seed 7 --json\n"
              "          qnfv sim config/topologies/four-site.json --faults config/faults/all.json"
              " --for 2h --seeds 1..100 --jobs 2\n"
              "Status 1: an invariant was violated, or with --seeds a kind of fault of the plan never had an effect");
  sim->callback([options, &settings] { run(*options, settings); });
}

} // namespace qnfv
