#include "tools/traces/chart.hpp"

#include "tools/traces/chain.hpp"
#include "tools/traces/packets.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace qnfv {

namespace {

constexpr size_t lifeline_width = 10;
constexpr size_t gutter = 10;

size_t centre_of(int lifeline) {
  return gutter + static_cast<size_t>(lifeline) * lifeline_width + lifeline_width / 2;
}

std::string time_of(const trace_event& x, int64_t zero) {
  char out[24];
  std::snprintf(out, sizeof out, "%8.1f", static_cast<double>(x.unix_ns - zero) / 1e6);
  return out;
}

std::string lines_of_life() {
  std::string out(centre_of(static_cast<int>(lifelines.size()) - 1) + 1, ' ');
  for (size_t i = 0; i < lifelines.size(); ++i)
    out[centre_of(static_cast<int>(i))] = '|';
  return out;
}

std::string without_trailing_spaces(std::string x) {
  while (!x.empty() && x.back() == ' ')
    x.pop_back();
  return x;
}

/// One arrow, or a mark on one lifeline.
std::string draw(const trace_event& x, const std::string& orchestrator_site, int64_t zero) {
  auto line = lines_of_life();
  auto time = time_of(x, zero);
  line.replace(0, time.size(), time);
  auto from = lifeline_of(x.from, orchestrator_site);
  auto to = lifeline_of(x.to, orchestrator_site);
  if (x.kind == trace_kind::note || from == to || from < 0) {
    line[centre_of(to)] = '*';
  } else {
    auto a = centre_of(std::min(from, to));
    auto b = centre_of(std::max(from, to));
    auto stroke = x.kind == trace_kind::reply ? '.' : '-';
    for (auto i = a + 1; i < b; ++i)
      line[i] = stroke;
    line[to > from ? b - 1 : a + 1] = to > from ? '>' : '<';
  }
  auto step = paper_step(x.message);
  auto what = x.message == "frames" ? x.text : x.message;
  line += "  " + what;
  if (!step.empty())
    line += std::string(what.size() < 18 ? 18 - what.size() : 1, ' ') + step;
  return without_trailing_spaces(line);
}

std::string header(const std::string& orchestrator_site, const std::string& remote_site) {
  std::string sites(gutter, ' ');
  sites.resize(centre_of(1) - 4, ' ');
  sites += "[ " + orchestrator_site + " ]";
  sites.resize(std::max(sites.size(), centre_of(4) - 4), ' ');
  sites += "[ " + remote_site + " ]";
  std::string names = "      ms";
  for (size_t i = 0; i < lifelines.size(); ++i) {
    auto at = centre_of(static_cast<int>(i)) - lifelines[i].size() / 2;
    names.resize(std::max(names.size(), at), ' ');
    names += lifelines[i];
  }
  return sites + "\n" + names + "\n" + without_trailing_spaces(lines_of_life()) + "\n";
}

std::string losses(const trace_log& log) {
  std::string out;
  for (auto& [site, n] : log.lost)
    out += "... " + std::to_string(n) + " events lost at " + site + "\n";
  for (auto& where : log.damage)
    out += "... " + where + "\n";
  if (log.bad_lines > log.damage.size())
    out += "... " + std::to_string(log.bad_lines - log.damage.size()) + " lines are no events\n";
  return out;
}

} // namespace

std::string render_chart(trace_log log, bool all, const face_settings& face) {
  log.sort();
  auto events = folded(log);
  if (events.empty())
    return losses(log);
  auto zero = events.front().unix_ns;
  if (all) {
    std::string out;
    for (auto& x : events) {
      auto line = time_of(x, zero) + "  " + x.from + (x.to == x.from ? "" : " -> " + x.to) + "  "
                  + (x.kind == trace_kind::reply ? "reply " : "")
                  + (x.kind == trace_kind::drop ? "DROPPED " : "")
                  + (x.kind == trace_kind::note ? x.message + ": " + x.text : x.text);
      if (line.size() > face.width)
        line = line.substr(0, face.width - 1) + "…";
      out += line + "\n";
    }
    return out + losses(log);
  }
  auto sites = sites_of(events);
  auto out = header(sites.orchestrator, sites.remote.empty() ? "?" : sites.remote);
  for (auto& x : paper_chain(events))
    out += draw(x, sites.orchestrator, zero) + "\n";
  return out + losses(log);
}

std::string render_event(const trace_event& x, const face_settings& face) {
  auto seconds = static_cast<std::time_t>(x.unix_ns / 1000000000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char time[32];
  std::snprintf(time, sizeof time, "%02d:%02d:%02d.%03d", local.tm_hour, local.tm_min, local.tm_sec,
                static_cast<int>(x.unix_ns / 1000000 % 1000));
  auto line = std::string{time} + "  " + x.from;
  if (x.to != x.from)
    line += (x.kind == trace_kind::send ? " => " : x.kind == trace_kind::reply ? " .> " : " -> ") + x.to;
  // Of what is on a wire only how much.
  auto text = wire_piece_of(x) ? x.text.substr(0, x.text.find(" B ") + 2) : x.text;
  line += "  " + (x.kind == trace_kind::note ? x.message + ": " + text : text);
  if (x.kind == trace_kind::drop)
    line += face.colour ? "  \033[31mdropped\033[0m" : "  dropped";
  return line;
}

} // namespace qnfv
