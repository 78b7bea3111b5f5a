#include "tools/traces/log.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unordered_map>

namespace qnfv {

namespace {

namespace fs = std::filesystem;

constexpr size_t damage_told = 20;

bool ends_with(const std::string& x, const std::string& end) {
  return x.size() >= end.size() && x.compare(x.size() - end.size(), end.size(), end) == 0;
}

/// Rotated files come before the ones that followed them.
std::vector<std::string> trace_files_below(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code ignored;
  for (auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    auto path = entry.path().string();
    if (ends_with(path, ".jsonl") && fs::exists(path + ".1", ignored))
      out.push_back(path + ".1");
    if (ends_with(path, ".jsonl"))
      out.push_back(path);
  }
  std::sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) {
    auto stem = [](const std::string& x) {
      return ends_with(x, ".1") ? std::make_pair(x.substr(0, x.size() - 2), 0) : std::make_pair(x, 1);
    };
    return stem(a) < stem(b);
  });
  return out;
}

} // namespace

void trace_log::add(const std::string& line, const std::string& place) {
  if (auto x = parse_trace_event(line)) {
    if (x->sequence > 0)
      events.push_back(std::move(*x));
    else
      lost[x->site] += dropped_events(*x);
    return;
  }
  ++bad_lines;
  if (!place.empty() && damage.size() < damage_told)
    damage.push_back(place + ": is no trace event");
}

void trace_log::add_file(std::string_view content, const std::string& name) {
  for (size_t at = 0, number = 1; at < content.size(); ++number) {
    auto end = content.find('\n', at);
    auto line = std::string{content.substr(at, end == std::string_view::npos ? end : end - at)};
    auto place = name + ":" + std::to_string(number);
    if (end != std::string_view::npos) {
      add(line, place);
      at = end + 1;
      continue;
    }
    ++bad_lines;
    if (damage.size() < damage_told)
      damage.push_back(place + ": ends in the middle of an event");
    return;
  }
}

void trace_log::sort() {
  std::stable_sort(events.begin(), events.end(),
                   [](auto& a, auto& b) { return a.unix_ns < b.unix_ns; });
  auto cause = causes();
  std::vector<std::vector<size_t>> followers(events.size());
  std::vector<bool> placed(events.size());
  std::vector<size_t> order;
  // Without recursion: a chain may be as long as the trace.
  std::vector<size_t> next;
  auto place = [&](size_t first) {
    next.push_back(first);
    while (!next.empty()) {
      auto i = next.back();
      next.pop_back();
      placed[i] = true;
      order.push_back(i);
      next.insert(next.end(), followers[i].rbegin(), followers[i].rend());
      followers[i].clear();
    }
  };
  for (size_t i = 0; i < events.size(); ++i)
    if (cause[i] != nobody && !placed[cause[i]])
      followers[cause[i]].push_back(i);
    else
      place(i);
  // A circle of causes cannot be; were there one, nothing may get lost.
  for (size_t i = 0; i < events.size(); ++i)
    if (!placed[i])
      order.push_back(i);
  std::vector<trace_event> out;
  out.reserve(events.size());
  for (auto i : order)
    out.push_back(std::move(events[i]));
  events = std::move(out);
}

std::vector<size_t> trace_log::causes() const {
  std::unordered_map<std::string, size_t> known;
  for (size_t i = 0; i < events.size(); ++i)
    known.emplace(events[i].id(), i);
  std::vector<size_t> out(events.size(), nobody);
  for (size_t i = 0; i < events.size(); ++i)
    if (auto found = known.find(events[i].cause); found != known.end())
      out[i] = found->second;
  return out;
}

std::string trace_log::find_trace(const std::string& name) const {
  std::string out;
  if (name == "last") {
    // As a running lab knows it: a request that was refused is no order.
    unsigned long long newest = 0;
    for (auto& x : events) {
      unsigned long long number = 0;
      if (x.message == "order" && !x.trace.empty() && std::sscanf(x.text.c_str(), "order-%llu ", &number) == 1
          && number >= newest) {
        newest = number;
        out = x.trace;
      }
    }
  } else if (name.rfind("order-", 0) == 0) {
    for (auto& x : events)
      if (x.message == "order" && x.text.rfind(name + " ", 0) == 0 && !x.trace.empty())
        out = x.trace;
  } else {
    out = name;
  }
  return out;
}

void trace_log::keep_trace(const std::string& trace) {
  events.erase(std::remove_if(events.begin(), events.end(), [&](auto& x) { return x.trace != trace; }),
               events.end());
}

result<trace_log> read_traces(const std::vector<std::string>& paths) {
  trace_log out;
  for (auto& path : paths) {
    std::error_code ignored;
    auto files = fs::is_directory(path, ignored) ? trace_files_below(path)
                                                 : std::vector<std::string>{path};
    if (files.empty())
      return {ec::not_found, path + ": no trace file (*.jsonl) in this folder"};
    for (auto& file : files) {
      std::ifstream in{file, std::ios::binary};
      std::ostringstream content;
      if (!in || !(content << in.rdbuf() || in.peek() == std::ifstream::traits_type::eof()))
        return {ec::not_found, file + ": cannot be read"};
      out.add_file(content.str(), file);
    }
  }
  if (out.events.empty())
    return {ec::not_found, paths.front() + ": holds no trace event"
                             + (out.damage.empty() ? "" : " (" + out.damage.front() + ")")};
  return out;
}

uint64_t dropped_events(const trace_event& x) {
  constexpr std::string_view before = "dropped(";
  if (x.kind != trace_kind::note || x.text.rfind(before, 0) != 0)
    return 0;
  uint64_t out = 0;
  auto* end = x.text.data() + x.text.size();
  std::from_chars(x.text.data() + before.size(), end, out);
  return out;
}

std::string site_of_address(const std::string& address) {
  return address.substr(0, address.find('/'));
}

std::string role_of_address(const std::string& address) {
  auto slash = address.find('/');
  return slash == std::string::npos ? "" : address.substr(slash + 1);
}

} // namespace qnfv
