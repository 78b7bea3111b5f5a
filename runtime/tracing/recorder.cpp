#include "runtime/tracing/recorder.hpp"

#include "runtime/tracing/file.hpp"

#include <utility>

namespace qnfv {

namespace {

constexpr size_t records_at_once = 64;

/// Shows the ring's events after `seen`, oldest first, until `see` has enough.
void each(const trace_ring& ring, uint64_t seen, const std::function<bool(const trace_record&)>& see) {
  std::vector<trace_record> some(records_at_once);
  while (auto n = ring.read(seen, some.data(), some.size()))
    for (size_t i = 0; i < n; ++i)
      if (!see(some[i]))
        return;
}

} // namespace

recorder::recorder(const std::string& site, uint32_t epoch, settings x, watcher see)
  : none_(site, epoch, 0), watcher_(std::move(see)), ring_(std::make_unique<trace_ring>(x.ring_events)),
    file_(x.file.empty() ? nullptr : std::make_unique<trace_file>(*ring_, x.file, x.file_bytes_max)) {}

recorder::~recorder() = default;

const event_id& recorder::record(trace_record& x, bool begins) {
  x.id = none_;
  ring_->push(x, begins);
  if (watcher_)
    watcher_(x);
  return x.id;
}

recorder::page recorder::since(const event_id& last, const std::string& trace, size_t limit) const {
  page out;
  out.seen = none_;
  out.seen.sequence = last.epoch == none_.epoch ? last.sequence : 0;
  auto only = parse_event_id(trace);
  each(*ring_, out.seen.sequence, [&](const trace_record& x) {
    if (out.events.size() >= limit)
      return false;
    out.lost += x.id.sequence - out.seen.sequence - 1;
    out.seen = x.id;
    if (trace.empty() || x.trace == only)
      out.events.push_back(to_event(x));
    return true;
  });
  return out;
}

recorder::tally recorder::events() const {
  return {ring_->newest(), file_ ? file_->overrun() : 0};
}

std::string recorder::last_trace_of(const std::string& message) const {
  event_id out;
  each(*ring_, 0, [&](const trace_record& x) {
    if (x.trace && x.message() == message)
      out = x.trace;
    return true;
  });
  return to_string(out);
}

} // namespace qnfv
