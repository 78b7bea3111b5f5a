#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/output_folder.hpp"
#include "tools/qnfv/paper_figures.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>

namespace qnfv {

namespace {

struct figures_options {
  std::string folder;
  figures_origin origin;

  figures_options() {
    origin.topology = "config/topologies/four-site.json";
    origin.span = "7d";
    origin.sessions = 12;
    origin.lengths = "0,5,10,15,20,25";
  }
};

std::vector<double> parse_lengths(const std::string& words) {
  std::vector<double> out;
  std::istringstream in{words};
  for (std::string word; std::getline(in, word, ',');) {
    char* end = nullptr;
    auto x = std::strtod(word.c_str(), &end);
    if (word.empty() || *end != '\0' || !std::isfinite(x) || x < 0)
      throw command_error{
        {ec::invalid_argument, "--lengths " + words + ": write kilometres, as in 0,5,25"}};
    out.push_back(x);
  }
  return out;
}

void say(const line_survey& survey, const week_log& log, const page& made,
         const std::string& folder) {
  for (auto& x : survey.lines)
    std::printf(
      "%6.4g km  initialisation %5.0f s   key rate %5.0f b/s   QBER %.2f %%   loss %.2f dB\n",
      x.length_km, x.initialisation_s.mean(), x.secret_rate_bps.mean(), 100 * x.qber.mean(),
      x.loss_db);
  std::printf("%zu deliveries, %llu of %llu keys given to applications\n", log.deliveries.size(),
              static_cast<unsigned long long>(log.keys_got),
              static_cast<unsigned long long>(log.keys_asked));
  std::printf("%zu figures; open %s/index.html\n", made.figures.size(), folder.c_str());
}

void run(const figures_options& options, const command_settings& settings) {
  auto& origin = options.origin;
  auto lab = value_or_throw(load_topology(origin.topology));
  auto span = parse_duration(origin.span);
  constexpr auto least = std::chrono::hours{1};
  constexpr auto most = std::chrono::hours{24 * 35};
  if (!span || *span < least || *span > most)
    throw command_error{
      {ec::invalid_argument,
       "--for " + origin.span + ": write a duration from 1h to 35d, as in 24h or 7d"}};
  auto lengths = parse_lengths(origin.lengths);
  // Before the long work: it would be lost.
  auto folder = value_or_throw(output_folder::open(options.folder));
  auto survey = value_or_throw(survey_lines(lengths, origin.sessions, origin.seed));
  auto log = play_week(lab, *span, origin.seed, origin.load);
  auto made = value_or_throw(figures_page(survey, log, origin));
  auto data = figures_json(survey, log, origin);
  std::map<std::string, std::string> files;
  for (auto& x : made.figures)
    files[x.name + ".svg"] = x.svg;
  files["index.html"] = to_html(made);
  files["data.json"] = data + "\n";
  done_or_throw(folder.write(files));
  if (settings.json)
    std::printf("%s\n", data.c_str());
  else
    say(survey, log, made, options.folder);
  if (!log.violations.empty())
    throw command_error{{ec::internal, std::to_string(log.violations.size())
                                         + " things went wrong in the simulated lab, first: "
                                         + log.violations.front()}};
}

} // namespace

void add_figures_command(CLI::App& app, command_settings& settings) {
  auto options = std::make_shared<figures_options>();
  auto& origin = options->origin;
  auto* figures = app.add_subcommand("figures", "The paper's Figs 7 to 9 and a Gantt chart of a "
                                                "simulated week, as SVG and one HTML page");
  figures->add_option("topology", origin.topology, "Of the week")->capture_default_str();
  figures->add_option("--out", options->folder, "Folder for them; made if it is not there")
    ->required();
  figures->add_option("--for", origin.span, "Lab time of the Gantt chart: 24h, 7d")
    ->capture_default_str();
  figures->add_option("--seed", origin.seed, "Same seed, same bytes")->capture_default_str();
  figures->add_option("--lengths", origin.lengths, "Of the fibres in Figs 7 to 9, km")
    ->capture_default_str();
  figures->add_option("--sessions", origin.sessions, "Measured per length")
    ->capture_default_str()
    ->check(CLI::Range(1, 60));
  figures->add_option("--orders-per-h", origin.load.orders_per_h, "Mean rate of deliveries")
    ->capture_default_str()
    ->check(CLI::Range(0.01, 60.0));
  figures
    ->add_option("--keys-bps", origin.load.keys_bps,
                 "Key bits per second and link that applications draw")
    ->capture_default_str()
    ->check(CLI::Range(0.0, 400.0));
  figures->footer("Example:  qnfv figures --out figures && xdg-open figures/index.html");
  figures->callback([options, &settings] { run(*options, settings); });
}

} // namespace qnfv
