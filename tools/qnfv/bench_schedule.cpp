// Every scenario of time sharing under every policy, through the scheduler actor in virtual time.

#include "actors/scheduler/policy.hpp"
#include "tools/face/json.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/schedule_lab.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

namespace qnfv {

namespace {

namespace fs = std::filesystem;

struct schedule_bench {
  std::string folder = "config/schedules";
  std::vector<std::string> policies;
  std::vector<std::string> only;
  unsigned jobs = 0;
  unsigned seed = 0;
};

std::string read_text(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::stringstream text;
  text << in.rdbuf();
  if (!in)
    throw command_error{{ec::storage_failed, path.string() + " cannot be read"}};
  return text.str();
}

std::vector<schedule_scenario> load_scenarios(const schedule_bench& bench) {
  std::error_code wrong;
  std::vector<fs::path> files;
  for (auto& x : fs::directory_iterator(bench.folder, wrong))
    if (x.path().extension() == ".json")
      files.push_back(x.path());
  if (wrong)
    throw command_error{{ec::storage_failed, bench.folder + ": " + wrong.message()}};
  std::sort(files.begin(), files.end());
  std::vector<schedule_scenario> out;
  for (auto& file : files) {
    auto x = value_or_throw(parse_scenario(read_text(file), file.string()));
    x.seed += bench.seed;
    auto wanted = [&](const std::string& part) {
      return x.name.compare(0, part.size(), part) == 0;
    };
    if (bench.only.empty() || std::any_of(bench.only.begin(), bench.only.end(), wanted))
      out.push_back(std::move(x));
  }
  if (out.empty())
    throw command_error{{ec::invalid_argument,
                         "no scenario" + (bench.only.empty() ? "" : " whose name begins with " + bench.only.front())
                           + " in " + bench.folder}};
  return out;
}

/// "name q" a line; # begins a comment. A folder without the file has no goals.
std::map<std::string, double> load_goals(const std::string& folder) {
  std::map<std::string, double> out;
  std::ifstream in{fs::path{folder} / "goals.txt"};
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::string name;
    double q = 0;
    if (words >> name && name[0] != '#' && words >> q)
      out[name] = q;
  }
  return out;
}

struct bench_job {
  size_t scenario = 0, policy = 0;
  int from = -1;
  pid_t pid = 0;
};

/// A process for each job: no scenario can disturb another one's times.
bench_job start(const std::vector<schedule_scenario>& scenarios, const schedule_bench& bench,
                size_t s, size_t p) {
  int ends[2];
  if (::pipe(ends) != 0)
    throw command_error{{ec::internal, "no pipe for a job"}};
  std::fflush(stdout);
  auto pid = ::fork();
  if (pid < 0)
    throw command_error{{ec::internal, "no process for a job"}};
  if (pid == 0) {
    ::close(ends[0]);
    schedule_result out;
    try {
      out = play(scenarios[s], bench.policies[p]);
    } catch (const std::exception& why) {
      std::fprintf(stderr, "qnfv: %s\n", why.what());
      ::_exit(1);
    }
    auto written = ::write(ends[1], &out, sizeof out);
    ::_exit(written == sizeof out ? 0 : 1);
  }
  ::close(ends[1]);
  return {s, p, ends[0], pid};
}

using results = std::vector<std::vector<schedule_result>>; ///< By scenario and policy.

results run_all(const std::vector<schedule_scenario>& scenarios, const schedule_bench& bench) {
  results out(scenarios.size(), std::vector<schedule_result>(bench.policies.size()));
  std::vector<std::pair<size_t, size_t>> todo;
  for (size_t s = 0; s < scenarios.size(); ++s)
    for (size_t p = 0; p < bench.policies.size(); ++p)
      todo.emplace_back(s, p);
  // The long ones first, so that none is left alone at the end.
  auto size = [&](const auto& x) {
    return static_cast<double>(scenarios[x.first].links.size()) * scenarios[x.first].horizon_s;
  };
  std::stable_sort(todo.begin(), todo.end(), [&](auto& a, auto& b) { return size(a) > size(b); });
  std::vector<bench_job> running;
  size_t next = 0;
  while (next < todo.size() || !running.empty()) {
    while (next < todo.size() && running.size() < bench.jobs) {
      running.push_back(start(scenarios, bench, todo[next].first, todo[next].second));
      ++next;
    }
    int how = 0;
    auto pid = ::waitpid(-1, &how, 0);
    auto i = std::find_if(running.begin(), running.end(), [&](auto& x) { return x.pid == pid; });
    if (i == running.end())
      continue;
    auto& to = out[i->scenario][i->policy];
    auto n = ::read(i->from, &to, sizeof to);
    ::close(i->from);
    if (n != sizeof to)
      throw command_error{{ec::internal, scenarios[i->scenario].name + " under "
                                           + bench.policies[i->policy]
                                           + " ended without a result"}};
    running.erase(i);
  }
  return out;
}

std::string as_json(const std::vector<schedule_scenario>& scenarios, const schedule_bench& bench,
                    const results& all) {
  json out;
  auto moment = [](json& to, const char* name, double x) {
    if (x < 0)
      to.nothing(name);
    else
      to.field(name, x);
  };
  out.begin();
  auto of_scenario = all.begin();
  out.objects("scenarios", scenarios, [&](json& to, const schedule_scenario& scenario) {
    to.field("name", scenario.name);
    to.field("bound", fluid_bound(scenario));
    to.field("load", fluid_load(scenario));
    to.key("policies");
    to.begin();
    for (size_t p = 0; p < bench.policies.size(); ++p) {
      auto& x = (*of_scenario)[p];
      to.key(bench.policies[p].c_str());
      to.begin();
      to.field("q", x.world.q);
      to.field("unserved_fraction", x.world.unserved_fraction);
      to.field("worst_starvation_s", x.world.worst_starvation_s);
      to.field("initialising_fraction", x.world.initialising_fraction);
      to.field("switches", uint64_t{x.world.switches});
      moment(to, "alarm_first_s", x.alarm_first_s);
      moment(to, "first_unserved_s", x.world.first_unserved_s);
      to.field("alarmed_fraction", x.alarmed_s / scenario.horizon_s);
      to.field("least_over_mean", x.world.least_over_mean);
      to.field("decisions", uint64_t{x.decisions});
      to.field("decision_us_mean", x.decision_us_mean);
      to.field("decision_us_p99", x.decision_us_p99);
      to.end();
    }
    to.end();
    ++of_scenario;
  });
  out.end();
  return out.whole();
}

void show(const std::vector<schedule_scenario>& scenarios, const schedule_bench& bench,
          const results& all) {
  auto goals = load_goals(bench.folder);
  std::printf("%-25s%-19s%9s%10s%9s%8s%10s%10s%8s  %s\n", "SCENARIO", "POLICY", "Q", "UNSERVED",
              "STARVED", "SET-UP", "ALARM", "FIRST DRY", "US P99", "GOAL");
  for (size_t s = 0; s < scenarios.size(); ++s) {
    auto goal = goals.find(scenarios[s].name);
    for (size_t p = 0; p < bench.policies.size(); ++p) {
      auto& x = all[s][p];
      auto hours = [](double t) {
        char text[24];
        std::snprintf(text, sizeof text, "%.1f h", t / 3600);
        return t < 0 ? std::string{"never"} : std::string{text};
      };
      std::string met;
      if (bench.policies[p] == "best" && goal != goals.end()) {
        char text[48];
        std::snprintf(text, sizeof text, "%s %.4f", x.world.q >= goal->second ? "met" : "MISSED",
                      goal->second);
        met = text;
      }
      std::printf("%-25s%-19s%9.5f%9.3f%%%7.0f s%7.1f%%%10s%10s%8.1f  %s\n",
                  p == 0 ? scenarios[s].name.c_str() : "", bench.policies[p].c_str(), x.world.q,
                  100 * x.world.unserved_fraction, x.world.worst_starvation_s,
                  100 * x.world.initialising_fraction, hours(x.alarm_first_s).c_str(),
                  hours(x.world.first_unserved_s).c_str(), x.decision_us_p99, met.c_str());
    }
  }
}

void run_bench(schedule_bench bench, bool json) {
  if (bench.policies.empty())
    bench.policies = policy_names();
  if (bench.jobs == 0)
    bench.jobs = std::max(1u, std::thread::hardware_concurrency());
  auto scenarios = load_scenarios(bench);
  auto all = run_all(scenarios, bench);
  if (json)
    std::printf("%s\n", as_json(scenarios, bench, all).c_str());
  else
    show(scenarios, bench, all);
}

} // namespace

void add_bench_schedule(CLI::App& bench, command_settings& settings) {
  auto x = std::make_shared<schedule_bench>();
  auto* schedule =
    bench.add_subcommand("schedule", "Time sharing: every scenario under every policy");
  schedule->add_option("--scenarios", x->folder, "Folder of scenario files")->capture_default_str();
  schedule->add_option("--policy", x->policies, "Only this policy; may be repeated")
    ->check(CLI::IsMember(policy_names()));
  schedule->add_option("--only", x->only, "Only scenarios whose name begins so; may be repeated");
  schedule->add_option("--jobs", x->jobs, "Runs at the same time (default: one per core)");
  schedule->add_option("--seed", x->seed,
                       "Added to the scenarios' seeds: other demand of the same kind");
  schedule->footer("Example:  qnfv bench schedule --only s0 --policy paper --policy best");
  schedule->callback([x, &settings] { run_bench(*x, settings.json); });
}

} // namespace qnfv
