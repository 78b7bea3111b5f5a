#include "tools/figures/page.hpp"
#include "tools/figures/plot.hpp"
#include "tools/figures/svg.hpp"
#include "tools/figures/timeline.hpp"
#include "tools/qnfv/output_folder.hpp"
#include "tools/qnfv/paper_figures.hpp"

#include "tests/support/folder.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

using namespace qnfv;

namespace {

constexpr auto no_number = std::numeric_limits<double>::quiet_NaN();

std::string read(const std::string& path) {
  std::ifstream in{path};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

plot tiny() {
  plot out;
  out.title = "tiny";
  out.description = "two points";
  out.x = {"x [km]", 0, 10};
  out.y = {"y [s]", 0, 4};
  plot_series s;
  s.name = "measured";
  s.points = {{2, 1, std::make_pair(0.5, 1.5), "1 s"}, {8, 3, {}, ""}};
  out.series = {s};
  return out;
}

timeline small() {
  timeline out;
  out.id = "small";
  out.title = "small";
  out.to_s = 7200;
  out.groups = {{"who", {{"a", 0}, {"b", 1, true}}, {{"row", {{600, 1200, 0, "tip"}}, {{1800, 1, ""}}}}}};
  out.levels_title = "levels";
  out.levels_axis = {"keys", 0, 10};
  out.levels = {{"pool", 0, {{0, 1}, {3600, 5}}}};
  return out;
}

/// Every element that begins ends, in order, and no text holds a bare angle bracket or ampersand.
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (size_t i = 0; i < xml.size(); ++i) {
    if (xml[i] == '&' && xml.find(';', i) - i > 6)
      return false;
    if (xml[i] == '>')
      return false;
    if (xml[i] != '<')
      continue;
    auto end = xml.find('>', i);
    if (end == std::string::npos)
      return false;
    auto tag = xml.substr(i + 1, end - i - 1);
    i = end;
    if (tag.find('<') != std::string::npos)
      return false;
    if (tag[0] == '!')
      continue;
    auto name = tag.substr(tag[0] == '/', tag.find_first_of(" /", 1) - (tag[0] == '/'));
    if (tag[0] == '/') {
      if (open.empty() || open.back() != name)
        return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
  }
  return open.empty();
}

std::string why(const result<std::string>& x) {
  REQUIRE(!x);
  CHECK(x.error().code == ec::invalid_argument);
  return x.error().text;
}

} // namespace

TEST_CASE("text in a picture is text, whatever it holds") {
  CHECK(xml_escape("a<b> & \"c\" 'd'\n\x01") == "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;  ");
  auto p = tiny();
  p.title = "<script>alert('&')</script>";
  p.series[0].name = "]]> & <b>";
  p.series[0].points[0].label = "\"<>";
  auto svg = to_svg(p);
  REQUIRE(svg);
  CHECK(svg->find("<script") == std::string::npos);
  CHECK(well_formed(*svg));
  page all{"<title>", {"a & b"}, "cmd > file", {{"tiny", *svg, "<i>"}}, {{"<", {"&"}, {{"\""}}}}};
  CHECK(well_formed(to_html(all)));
}

TEST_CASE("a figure's numbers are short and never minus zero") {
  CHECK(svg_number(1) == "1");
  CHECK(svg_number(0.5) == "0.5");
  CHECK(svg_number(-0.001) == "0");
  CHECK(svg_number(12.3456) == "12.35");
  CHECK(svg_number(100) == "100");
}

TEST_CASE("ticks are round numbers within the axis") {
  auto labels = [](const axis& x, size_t wanted) {
    std::string out;
    for (auto& t : ticks(x, wanted))
      out += t.label + " ";
    return out;
  };
  CHECK(labels({"", 0, 25}, 5) == "0 5 10 15 20 25 ");
  CHECK(labels({"", -1, 26}, 10) == "0 5 10 15 20 25 ");
  CHECK(labels({"", 0, 0.3}, 3) == "0.0 0.1 0.2 0.3 ");
  CHECK(labels({"", 1234, 1300}, 4) == "1240 1260 1280 1300 ");
  CHECK(labels({"", 10, 10000, true}, 4) == "10 100 1000 10000 ");
  CHECK(labels({"", 0.05, 2, true}, 4) == "0.1 1 ");
  CHECK(labels({"", 3, 3}, 4).empty());
  CHECK(labels({"", 0, 1}, 0).empty());
}

TEST_CASE("an axis goes around its values") {
  auto linear = axis_around("", {400, 1265, no_number}, false);
  CHECK(linear.low == 0);
  CHECK(linear.high > 1265);
  auto logarithmic = axis_around("", {60, 4600}, true);
  CHECK(logarithmic.low == Approx(10));
  CHECK(logarithmic.high == Approx(10000));
  for (bool kind : {false, true})
    CHECK(check(axis_around("", {}, kind)));
}

TEST_CASE("a small plot looks as it always did") {
  auto svg = to_svg(tiny());
  REQUIRE(svg);
  CHECK(well_formed(*svg));
  CHECK(*svg == read(std::string{QNFV_SOURCE_DIR} + "/tests/golden/tiny_plot.svg"));
}

TEST_CASE("a series without points shows in the legend only") {
  auto p = tiny();
  p.series[0].points.clear();
  auto svg = to_svg(p);
  REQUIRE(svg);
  CHECK(well_formed(*svg));
  CHECK(svg->find("measured") != std::string::npos);
}

TEST_CASE("what cannot be drawn is refused, with its place") {
  auto p = tiny();
  p.series[0].points[1].y = no_number;
  CHECK(why(to_svg(p)) == "point 2 of series \"measured\" is no number");
  p = tiny();
  p.series[0].points[0].range->second = std::numeric_limits<double>::infinity();
  CHECK(why(to_svg(p)) == "point 1 of series \"measured\" is no number");
  p = tiny();
  p.y = {"y", 1, 10, true};
  p.series[0].points[1].y = 0;
  CHECK(why(to_svg(p)).find("logarithmic") != std::string::npos);
  p = tiny();
  p.x.high = p.x.low;
  CHECK(why(to_svg(p)).find("axis \"x [km]\"") != std::string::npos);
  p = tiny();
  p.y = {"y", 0, 10, true};
  CHECK(why(to_svg(p)).find("begins at 0") != std::string::npos);
  p = tiny();
  p.series[0].on_right = true;
  CHECK(why(to_svg(p)).find("has no axis") != std::string::npos);
}

TEST_CASE("a timeline refuses times that are none, and kinds it does not know") {
  auto t = small();
  auto svg = to_svg(t);
  REQUIRE(svg);
  CHECK(well_formed(*svg));
  CHECK(svg->find("lab time [min]") != std::string::npos);
  t.groups[0].rows[0].spans[0].to_s = 1;
  CHECK(why(to_svg(t)).find("of \"row\"") != std::string::npos);
  t = small();
  t.groups[0].rows[0].spans[0].kind = 2;
  CHECK(why(to_svg(t)).find("no kind") != std::string::npos);
  t = small();
  t.groups[0].rows[0].marks[0].at_s = no_number;
  CHECK(why(to_svg(t)).find("mark of \"row\"") != std::string::npos);
  t = small();
  t.levels[0].points[1].second = no_number;
  CHECK(why(to_svg(t)).find("level \"pool\"") != std::string::npos);
  t = small();
  t.to_s = 0;
  CHECK(why(to_svg(t)).find("axis \"time\"") != std::string::npos);
}

TEST_CASE("a line is fitted by least squares") {
  auto fit = fit_line({{0, 1, {}, ""}, {1, 3, {}, ""}, {2, 5, {}, ""}});
  REQUIRE(fit);
  CHECK(fit->offset == Approx(1));
  CHECK(fit->slope == Approx(2));
  CHECK_FALSE(fit_line({}));
  CHECK_FALSE(fit_line({{4, 1, {}, ""}, {4, 3, {}, ""}}));
}

TEST_CASE("a spread knows mean, least and most") {
  spread x;
  CHECK(x.mean() == 0);
  for (double value : {3.0, -1.0, 4.0})
    x.add(value);
  CHECK(x.count() == 3);
  CHECK(x.mean() == Approx(2));
  CHECK(x.least() == -1);
  CHECK(x.most() == 4);
}

TEST_CASE("simulated devices do what the paper's did at both ends of the fibre") {
  auto survey = survey_lines({25, 0}, 2, 3);
  REQUIRE(survey);
  auto& far = survey->lines[0];
  auto& near = survey->lines[1];
  CHECK(near.initialisation_s.count() >= 2);
  CHECK(near.initialisation_s.mean() == Approx(400).epsilon(0.15));
  CHECK(far.initialisation_s.mean() == Approx(1265).epsilon(0.15));
  CHECK(near.secret_rate_bps.mean() == Approx(4000).epsilon(0.2));
  CHECK(far.secret_rate_bps.mean() == Approx(100).epsilon(0.5));
  CHECK(far.qber.mean() == Approx(0.053).margin(0.002));
  CHECK(far.loss_db > 10);
  CHECK(near.qber.least() <= near.qber.mean());
  CHECK(near.qber.mean() <= near.qber.most());
  for (auto& p : {initialisation_plot(*survey), key_rate_plot(*survey), qber_plot(*survey)}) {
    auto svg = to_svg(p);
    REQUIRE(svg);
    CHECK(well_formed(*svg));
  }
}

TEST_CASE("lengths at which no link makes keys are refused") {
  for (auto& bad : std::vector<std::vector<double>>{{}, {-1}, {40}, {no_number}, std::vector<double>(99)}) {
    auto survey = survey_lines(bad, 1, 1);
    REQUIRE_FALSE(survey);
    CHECK(survey.error().code == ec::invalid_argument);
  }
}

TEST_CASE("results are written whole or not at all") {
  test::temporary_folder at;
  namespace fs = std::filesystem;
  auto path = at.path() + "/figures";
  {
    auto folder = output_folder::open(path);
    REQUIRE(folder);
    CHECK(fs::is_directory(path));
  }
  CHECK_FALSE(fs::exists(path)); // Nothing came of it.
  auto folder = output_folder::open(path);
  REQUIRE(folder);
  REQUIRE(folder->write({{"a", "1"}, {"b", "2"}}));
  CHECK(read(path + "/a") == "1");
  fs::create_directories(path + "/c/d"); // No file can take its place.
  auto second = output_folder::open(path);
  REQUIRE(second);
  CHECK_FALSE(second->write({{"c", "3"}}));
  CHECK(fs::is_directory(path + "/c/d"));
  CHECK_FALSE(fs::exists(path + "/c.part"));
  CHECK_FALSE(output_folder::open(at.path() + "/none/figures"));
  CHECK_FALSE(output_folder::open(path + "/a"));
}
