#include "runtime/tracing/recorder.hpp"

#include <cstdio>
#include <memory>

namespace qnfv {

recorder::recorder(std::string site, settings s, sink out)
  : site_(std::move(site)), settings_(s), sink_(std::move(out)) {}

uint64_t recorder::record(trace_event x, bool begins) {
  if (x.text.size() > settings_.max_text) {
    x.text.resize(settings_.max_text);
    x.text += "...";
  }
  std::lock_guard<std::mutex> guard{mutex_};
  x.site = site_;
  x.sequence = ++sequence_;
  if (begins)
    x.trace = x.id();
  if (sink_)
    sink_(x);
  ring_.push_back(std::move(x));
  if (ring_.size() > settings_.ring_events)
    ring_.pop_front();
  return sequence_;
}

recorder::page recorder::since(uint64_t after, const std::string& trace, size_t limit) const {
  std::lock_guard<std::mutex> guard{mutex_};
  page out;
  out.seen = after;
  if (ring_.empty() || after >= sequence_)
    return out;
  auto oldest = ring_.front().sequence;
  if (oldest > after + 1)
    out.lost = oldest - after - 1;
  for (size_t i = after >= oldest ? after - oldest + 1 : 0; i < ring_.size(); ++i) {
    if (out.events.size() >= limit)
      return out;
    out.seen = ring_[i].sequence;
    if (trace.empty() || ring_[i].trace == trace)
      out.events.push_back(ring_[i]);
  }
  return out;
}

std::string recorder::last_trace_of(const std::string& message) const {
  std::lock_guard<std::mutex> guard{mutex_};
  for (auto i = ring_.rbegin(); i != ring_.rend(); ++i)
    if (!i->trace.empty() && i->message == message)
      return i->trace;
  return {};
}

namespace {

struct file_sink {
  std::string path;
  uint64_t max_bytes;
  std::FILE* file = nullptr;
  uint64_t written = 0;
  uint64_t lost = 0;

  ~file_sink() {
    if (file)
      std::fclose(file);
  }

  bool put(const std::string& line) {
    if (!file)
      return false;
    if (std::fwrite(line.data(), 1, line.size(), file) != line.size()
        || std::fputc('\n', file) == EOF || std::fflush(file) != 0) {
      std::clearerr(file);
      return false;
    }
    written += line.size() + 1;
    return true;
  }

  void operator()(const trace_event& x) {
    if (file && written >= max_bytes) {
      std::fclose(file);
      std::rename(path.c_str(), (path + ".1").c_str());
      file = nullptr;
    }
    if (!file) {
      file = std::fopen(path.c_str(), "a");
      written = 0;
    }
    if (lost > 0) {
      trace_event gap;
      gap.unix_ns = x.unix_ns;
      gap.site = x.site;
      gap.sequence = x.sequence;
      gap.kind = trace_kind::note;
      gap.text = "dropped(" + std::to_string(lost) + ")";
      if (put(to_json(gap)))
        lost = 0;
    }
    if (!put(to_json(x)))
      ++lost;
  }
};

} // namespace

recorder::sink make_file_sink(std::string path, uint64_t max_bytes) {
  auto state = std::make_shared<file_sink>();
  state->path = std::move(path);
  state->max_bytes = max_bytes;
  return [state](const trace_event& x) { (*state)(x); };
}

} // namespace qnfv
