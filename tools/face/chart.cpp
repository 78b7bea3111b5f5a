#include "tools/face/chart.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <set>

namespace qnfv {

namespace {

/// What the paper's capture (Fig. 12) calls a step; messages without a name are details.
const std::map<std::string, std::string> steps{
  {"deliver_image", "POST image"},        {"reserve_keys", "UDP 5323: key for the orchestrator"},
  {"assign_keys", ""},                    {"open_channel", "TCP: image data"},
  {"transfer_offer", "POST notice: image and key id"},
  {"claim_keys", "UDP 5323: key for the gateway"}, {"load_image", ""},
  {"frames", ""},                         {"create_instance", "VIM"},
  {"start_instance", "VIM"},              {"transfer_verdict", "HTTP 200 OK"},
};

/// The lifelines of the default chart, from left to right.
const std::vector<std::string> lifelines{"operator", "orchestr.", "stream", "keys",
                                         "gateway",  "stream",    "keys",   "VIM"};
constexpr size_t lifeline_width = 10;
constexpr size_t gutter = 10;

std::string site_of_address(const std::string& address) {
  return address.substr(0, address.find('/'));
}

std::string role_of_address(const std::string& address) {
  auto slash = address.find('/');
  return slash == std::string::npos ? "" : address.substr(slash + 1);
}

/// Which lifeline an address belongs to; -1: none of them.
int lifeline_of(const std::string& address, const std::string& orchestrator_site) {
  auto site = site_of_address(address);
  auto role = role_of_address(address);
  if (site == "operator")
    return 0;
  bool here = site == orchestrator_site;
  if (role == "orchestrator" || role == "image_store" || role == "store")
    return 1;
  if (role == "image_stream" || role == "channel")
    return here ? 2 : 5;
  if (role == "key_pool")
    return here ? 3 : 6;
  if (role == "mano_gateway")
    return 4;
  if (role == "vnf_manager" || role.rfind("vim", 0) == 0)
    return 7;
  return -1;
}

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
  auto step = steps.find(x.message);
  auto what = x.message == "frames" ? x.text : x.message;
  line += "  " + what;
  if (step != steps.end() && !step->second.empty())
    line += std::string(what.size() < 18 ? 18 - what.size() : 1, ' ') + step->second;
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
  if (log.bad_lines > 0)
    out += "... " + std::to_string(log.bad_lines) + " lines are no events\n";
  return out;
}

/// Messages that crossed sites were seen twice: the arrival is kept. What one site could not know of
/// the other (which of its actors spoke) the other one's event tells.
std::vector<trace_event> folded(const std::vector<trace_event>& events) {
  std::map<std::string, const trace_event*> sent;
  std::set<std::string> arrived;
  for (auto& x : events) {
    if (x.kind == trace_kind::send)
      sent[x.id()] = &x;
    if (x.kind == trace_kind::receive)
      arrived.insert(x.cause);
  }
  std::vector<trace_event> out;
  for (auto x : events) {
    if (x.kind == trace_kind::send && arrived.count(x.id()) > 0)
      continue;
    auto cause = sent.find(x.cause);
    if (cause != sent.end() && x.kind == trace_kind::receive)
      x.from = cause->second->from;
    if (cause != sent.end() && x.kind == trace_kind::reply)
      x.from = cause->second->to;
    out.push_back(std::move(x));
  }
  return out;
}

} // namespace

void trace_log::add(const std::string& line) {
  if (auto x = parse_trace_event(line))
    events.push_back(std::move(*x));
  else
    ++bad_lines;
}

void trace_log::sort() {
  std::stable_sort(events.begin(), events.end(), [](auto& a, auto& b) {
    return a.site == b.site ? a.sequence < b.sequence : a.unix_ns < b.unix_ns;
  });
  std::stable_sort(events.begin(), events.end(),
                   [](auto& a, auto& b) { return a.unix_ns < b.unix_ns; });
  std::set<std::string> known;
  for (auto& x : events)
    known.insert(x.id());
  std::multimap<std::string, trace_event> waiting;
  std::set<std::string> placed;
  std::vector<trace_event> out;
  std::function<void(const trace_event&)> place = [&](const trace_event& x) {
    out.push_back(x);
    auto id = x.id();
    placed.insert(id);
    auto [begin, end] = waiting.equal_range(id);
    std::vector<trace_event> next;
    for (auto i = begin; i != end; ++i)
      next.push_back(i->second);
    waiting.erase(begin, end);
    for (auto& y : next)
      place(y);
  };
  for (auto& x : events)
    if (known.count(x.cause) > 0 && placed.count(x.cause) == 0)
      waiting.emplace(x.cause, x);
    else
      place(x);
  // A circle of causes cannot be; were there one, nothing may get lost.
  for (auto& x : waiting)
    out.push_back(x.second);
  events = std::move(out);
}

std::string render_chart(trace_log log, bool all, const face_settings& face) {
  log.sort();
  auto events = folded(log.events);
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
  std::string orchestrator_site;
  std::string remote_site;
  for (auto& x : events) {
    if (role_of_address(x.to) == "orchestrator" && orchestrator_site.empty())
      orchestrator_site = site_of_address(x.to);
    if (role_of_address(x.to) == "mano_gateway")
      remote_site = site_of_address(x.to);
  }
  auto out = header(orchestrator_site, remote_site.empty() ? "?" : remote_site);
  for (auto& x : events) {
    auto step = steps.find(x.message);
    bool wanted = step != steps.end()
                  && (x.message == "transfer_verdict" ? role_of_address(x.to) == "orchestrator"
                                                      : x.kind != trace_kind::reply);
    // Inside the data centre the manager passes it on to the VIM, and the VIM to its driver.
    if (x.message == "load_image")
      wanted = role_of_address(x.to) == "vnf_manager";
    if (x.message == "create_instance" || x.message == "start_instance")
      wanted = role_of_address(x.to) == "vim";
    if (x.message == "frames")
      wanted = true;
    if (wanted && lifeline_of(x.to, orchestrator_site) >= 0)
      out += draw(x, orchestrator_site, zero) + "\n";
  }
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
  line += "  " + (x.kind == trace_kind::note ? x.message + ": " + x.text : x.text);
  if (x.kind == trace_kind::drop)
    line += face.colour ? "  \033[31mdropped\033[0m" : "  dropped";
  return line;
}

} // namespace qnfv
