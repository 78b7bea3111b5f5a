#include "runtime/faults/board.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono_literals;
using kind = fault_kind;

/// What a slow line takes for a message, with its frames.
constexpr double message_bits = 8 * 300;

bool says_hello(const caf::type_erased_tuple& content) {
  return content.size() > 0 && (content.match_element<join>(0) || content.match_element<joined>(0));
}

/// A plan must be able to end what it began.
bool is_about_faults(const caf::type_erased_tuple& content) {
  return content.size() > 0
         && (content.match_element<inject_fault>(0) || content.match_element<fault_injected>(0)
             || content.match_element<clear_faults>(0) || content.match_element<list_faults>(0)
             || content.match_element<fault_list>(0));
}

} // namespace

fault_board::fault_board(site_id site, std::shared_ptr<const qnfv::clock> clock,
                         std::shared_ptr<random_source> random, std::shared_ptr<network> inner)
  : site_(std::move(site)), clock_(std::move(clock)), random_(std::move(random)),
    inner_(std::move(inner)) {}

void fault_board::set(uint64_t id, const fault& x) {
  auto at = parse_fault_place(traits(x.what).place, x.where);
  {
    std::lock_guard<std::mutex> guard{mutex_};
    entries_[id] = {x, at ? *at : fault_target{}, 0};
  }
  refresh();
}

void fault_board::end(uint64_t id) {
  {
    std::lock_guard<std::mutex> guard{mutex_};
    entries_.erase(id);
    armed_.erase(id);
    armed_count_ = armed_.size();
  }
  refresh();
}

void fault_board::on_fired(std::function<void(uint64_t)> tell) {
  std::lock_guard<std::mutex> guard{mutex_};
  fired_ = std::move(tell);
}

void fault_board::on_broken(std::function<void(const site_id&)> tell) {
  std::lock_guard<std::mutex> guard{mutex_};
  broken_ = std::move(tell);
}

void fault_board::forget_listeners() {
  // What they hold goes after the lock: it may hold this board.
  decltype(fired_) fired;
  decltype(broken_) broken;
  decltype(waiting_) waiting;
  std::lock_guard<std::mutex> guard{mutex_};
  fired.swap(fired_);
  broken.swap(broken_);
  waiting.swap(waiting_);
}

void fault_board::arm(uint64_t id, const std::string& message, uint32_t nth) {
  std::lock_guard<std::mutex> guard{mutex_};
  armed_[id] = {message, std::max(nth, 1u)};
  armed_count_ = armed_.size();
}

void fault_board::arrived(const caf::type_erased_tuple& content) {
  if (armed_count_ == 0 || content.size() == 0)
    return;
  auto name = content.stringify(0);
  name.resize(std::min(name.find('('), name.size()));
  std::vector<uint64_t> due;
  decltype(fired_) tell;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    tell = fired_;
    for (auto i = armed_.begin(); i != armed_.end();)
      if (i->second.message == name && --i->second.left == 0) {
        due.push_back(i->first);
        i = armed_.erase(i);
      } else {
        ++i;
      }
    armed_count_ = armed_.size();
  }
  for (auto id : due)
    if (tell)
      tell(id);
}

void fault_board::refresh() {
  std::vector<std::function<void()>> woken;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    count_ = entries_.size();
    double jump_s = 0, drift = 0;
    for (auto& [id, x] : entries_) {
      if (x.what.what == kind::clock_jump)
        jump_s += x.what.amount;
      if (x.what.what == kind::clock_drift)
        drift += x.what.amount * 1e-6;
    }
    wall_offset_ns_ = static_cast<int64_t>(jump_s * 1e9);
    drift_ = drift;
    woken.swap(waiting_);
  }
  for (auto& then : woken)
    then();
}

uint64_t fault_board::hits(uint64_t id) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = entries_.find(id);
  return i == entries_.end() ? 0 : i->second.hits;
}

bool fault_board::on_edge(const entry& x, const site_id& from, const site_id& to) const {
  if (traits(x.what.what).place != fault_place::edge)
    return false;
  return (x.at.first == from.value && x.at.second == to.value)
         || (x.at.both_ways && x.at.first == to.value && x.at.second == from.value);
}

bool fault_board::strikes(entry& x) {
  if (x.what.probability < 1 && random_->uniform() >= x.what.probability)
    return false;
  ++x.hits;
  return true;
}

duration fault_board::queued(const std::pair<site_id, site_id>& edge, double bits, double rate_kbps) {
  auto now = clock_->now();
  auto& free = free_at_[edge];
  free = std::max(free, now) + from_seconds(bits / (1e3 * std::max(rate_kbps, 1e-3)));
  return free - now;
}

passage fault_board::judge(const site_id& from, const site_id& to, const caf::type_erased_tuple& content) {
  auto out = inner_ ? inner_->judge(from, to, content) : passage{};
  if (count_ == 0 || out.drop || is_about_faults(content))
    return out;
  bool broken = false;
  decltype(broken_) tell;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    bool in_order = false;
    duration late{0};
    for (auto& [id, x] : entries_) {
      if (!on_edge(x, from, to))
        continue;
      switch (x.what.what) {
        case kind::drop:
        case kind::one_way:
        case kind::partition:
          out.drop = out.drop || strikes(x);
          break;
        case kind::half_open:
          out.drop = out.drop || (!says_hello(content) && strikes(x));
          break;
        case kind::corrupt:
          broken = broken || strikes(x);
          break;
        case kind::delay:
          // Between half of it and one and a half.
          if (strikes(x))
            late += from_seconds(x.what.amount * 1e-3 * (0.5 + random_->uniform()));
          in_order = true;
          break;
        case kind::slow_link:
          ++x.hits;
          late += queued({from, to}, message_bits, x.what.amount);
          in_order = true;
          break;
        case kind::reorder:
          if (strikes(x))
            out.delay += from_seconds(x.what.amount * 1e-3 * random_->uniform());
          break;
        case kind::duplicate:
          if (!out.twice && strikes(x)) {
            out.twice = true;
            out.second_delay = out.delay + from_seconds(random_->uniform() * x.what.amount * 1e-3);
          }
          break;
        default:
          break;
      }
    }
    if (broken)
      tell = broken_;
    if (in_order) {
      auto now = clock_->now();
      auto& last = last_[{from, to}];
      last = std::max(last, now + out.delay + late);
      out.delay = last - now;
      out.second_delay += late;
    }
  }
  if (broken) {
    out.drop = true;
    if (tell)
      tell(from == site_ ? to : from);
  }
  return out;
}

bool fault_board::blocks_connections(const site_id& other) const {
  std::lock_guard<std::mutex> guard{mutex_};
  return std::any_of(entries_.begin(), entries_.end(), [&](auto& entry) {
    auto what = entry.second.what.what;
    return (what == kind::partition || what == kind::one_way)
           && (on_edge(entry.second, site_, other) || on_edge(entry.second, other, site_));
  });
}

bool fault_board::carries(const site_id& from, const site_id& to) const {
  std::lock_guard<std::mutex> guard{mutex_};
  return std::none_of(entries_.begin(), entries_.end(), [&](auto& entry) {
    auto what = entry.second.what.what;
    return (what == kind::partition || what == kind::one_way || what == kind::half_open)
           && on_edge(entry.second, from, to);
  });
}

std::vector<uint64_t> fault_board::half_open(const site_id& other) const {
  std::lock_guard<std::mutex> guard{mutex_};
  std::vector<uint64_t> out;
  for (auto& [id, x] : entries_)
    if (x.what.what == kind::half_open && (on_edge(x, site_, other) || on_edge(x, other, site_)))
      out.push_back(id);
  return out;
}

fault_board::bytes_passage fault_board::judge_bytes(const site_id& to, size_t count) {
  bytes_passage out;
  if (count_ == 0)
    return out;
  std::lock_guard<std::mutex> guard{mutex_};
  for (auto& [id, x] : entries_) {
    if (!on_edge(x, site_, to))
      continue;
    switch (x.what.what) {
      case kind::one_way:
      case kind::partition:
      case kind::half_open:
        out.blocked = true;
        ++x.hits;
        break;
      case kind::corrupt:
        out.corrupt = out.corrupt || strikes(x);
        break;
      case kind::delay:
        out.delay += from_seconds(x.what.amount * 1e-3);
        break;
      case kind::slow_link:
        ++x.hits;
        out.delay += queued({site_, to}, 8.0 * static_cast<double>(count), x.what.amount);
        break;
      default:
        break; // TCP mends what else may happen to bytes.
    }
  }
  return out;
}

void fault_board::on_change(std::function<void()> then) {
  std::lock_guard<std::mutex> guard{mutex_};
  waiting_.push_back(std::move(then));
}

std::optional<double> fault_board::struck(fault_kind what) {
  if (count_ == 0)
    return std::nullopt;
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = std::find_if(entries_.begin(), entries_.end(),
                        [&](auto& entry) { return entry.second.what.what == what; });
  if (i == entries_.end() || !strikes(i->second))
    return std::nullopt;
  return i->second.what.amount;
}

bool fault_board::disk_is_full() {
  return struck(kind::disk_full).has_value();
}

bool fault_board::sync_fails() {
  return struck(kind::failed_sync).has_value();
}

duration fault_board::disk_delay() {
  return from_seconds(struck(kind::slow_disk).value_or(0) * 1e-3);
}

fault_board::vim_verdict fault_board::judge_vim() {
  if (struck(kind::vim_hang))
    return vim_verdict::hangs;
  return struck(kind::vim_failure) ? vim_verdict::fails : vim_verdict::answers;
}

} // namespace qnfv
