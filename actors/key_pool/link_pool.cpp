// One end of one link's pool: its start, its counters, and how it agrees with the other end. How blocks
// become keys is in blocks.cpp, how keys go to their users in promises.cpp.

#include "actors/key_pool/link_pool.hpp"

#include "runtime/base/mutant.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

/// Keys of an initial secret have session 0 and numbers from issue * this.
constexpr uint64_t secret_numbers = 4096;

[[noreturn]] void broken(const std::string& what) {
  std::fprintf(stderr, "qnfv: broken invariant in key_pool: %s\n", what.c_str());
  std::abort();
}

/// Does `x` stand where `y` was before? A copy of the same store started elsewhere counts as older.
bool older(const store_mark& x, const store_mark& y) {
  return y.generation > 0
         && (x.generation < y.generation
             || (x.generation == y.generation && x.instance != y.instance)
             || x.progress < y.progress);
}

} // namespace

// -- after a start ---------------------------------------------------------------------------------

link_pool::link_pool(settings s, std::unique_ptr<key_store> store, time_point now)
  : settings_(std::move(s)), store_(std::move(store)), opened_(now) {
  counters_.link = settings_.link;
  counters_.peer = settings_.peer;
  counters_.end = settings_.end;
  restore(store_->recall(), now);
}

void link_pool::restore(const key_memory& memory, time_point now) {
  mine_ = memory.mine;
  peer_ = memory.peer;
  progress_ = memory.mine.progress;
  rolled_back_ = memory.rolled_back;
  damaged_ = memory.damaged;
  secret_issue_ = memory.secret_issue;
  exposures_ = memory.exposures;
  if (!QNFV_MUTANT("dead numbers forgotten")) {
    session_ = memory.session;
    next_counter_ = memory.next_counter;
    failed_.assign(memory.given_up.begin(), memory.given_up.end());
  }
  for (auto& x : memory.live) {
    keys_[x.id].state = x.state;
    count(x.id, x.state, 1);
    ++counters_.ingested;
    if (x.state == key_state::ready && allocator_of(x.id) == settings_.end)
      ready_mine_.insert(x.id);
    if (x.state == key_state::kept)
      kept_.insert(x.id);
    if (x.state == key_state::assigned) {
      // The parts of one key follow each other and share their request.
      auto known = requests_.find(x.request);
      auto name = known == requests_.end() ? x.id : known->second;
      requests_[x.request] = name;
      keys_[x.id].name = name;
      auto& held = held_[name];
      held.parts.push_back(x.id);
      held.size_bits = x.size_bits;
      held.request = x.request;
      held.users = x.users;
      held.since = now;
    }
  }
  check_counters();
  // What was under way has an unknown outcome, and that is the end of it.
  for (auto& x : memory.live) {
    if (x.state == key_state::reserved) {
      if (QNFV_MUTANT("reserved key free again")) {
        count(x.id, key_state::reserved, -1);
        count(x.id, key_state::ready, 1);
        keys_[x.id].state = key_state::ready;
        ready_mine_.insert(x.id);
        continue;
      }
      held_key promised;
      promised.request = x.request;
      change(x.id, key_event::destroy, &promised, "reserved when the site stopped");
    }
    if (x.state == key_state::stored)
      change(x.id, key_event::destroy, nullptr, "unconfirmed when the site stopped");
  }
  for (auto i = held_.begin(); i != held_.end();) {
    auto name = (i++)->first;
    if (held_[name].parts.size() != parts_of(held_[name].size_bits))
      end_held(name, key_event::destroy, "a part of it is lost");
  }
}

status link_pool::bootstrap(uint32_t issue, const secret& keys, time_point) {
  auto n = keys.size() / key_bytes;
  if (keys.size() % key_bytes != 0 || n < 2 || n > secret_numbers)
    return {ec::invalid_argument, "an authentication secret of " + std::to_string(keys.size())
                                    + " bytes"};
  if (issue <= secret_issue_)
    return done{};
  for (uint32_t i = 0; i < n; ++i) {
    auto id = make_key_id(settings_.link, 0, link_end::bob, issue * secret_numbers + i);
    if (keys_.count(id) > 0)
      continue; // A start that was cut short had come so far; none of them was spent.
    key_record x;
    x.id = id;
    x.state = key_state::kept;
    if (auto ok = store_->put_key(x, keys.view().part(i * key_bytes, key_bytes)); !ok)
      return ok;
    keys_[id].state = key_state::kept;
    kept_.insert(id);
    ++counters_.ingested;
    count(id, key_state::kept, 1);
  }
  secret_issue_ = issue;
  store_->put_secret_issue(issue);
  check_counters();
  return done{};
}

compare_stores link_pool::mark() const {
  compare_stores out{settings_.link, mine_, peer_};
  out.mine.progress = progress_;
  // Whoever starts over has nothing left to be remembered.
  if (started_over_)
    out.yours = {};
  out.started_over = started_over_;
  return out;
}

/// Does the peer remember more of this end than there is?
bool link_pool::forgotten(const compare_stores& theirs) {
  auto& me = theirs.yours;
  auto now = mine_;
  now.progress = progress_;
  if (older(now, me) && !started_over_ && !theirs.started_over) {
    if (!rolled_back_)
      store_->put_rolled_back(true);
    rolled_back_ = true;
  }
  return rolled_back_;
}

link_pool::comparison link_pool::accept(const compare_stores& theirs) {
  peer_is_old_ = false;
  peer_ = theirs.mine;
  store_->put_peer(peer_);
  started_over_ = false;
  compared_ = true;
  return comparison::agree;
}

link_pool::comparison link_pool::compare(const compare_stores& question) {
  if (forgotten(question))
    return comparison::rolled_back;
  if (!question.started_over && older(question.mine, peer_))
    return comparison::peer_rolled_back;
  return accept(question);
}

link_pool::comparison link_pool::compare_answer(const compare_stores& answer,
                                                const store_mark& asked) {
  if (forgotten(answer))
    return comparison::rolled_back;
  if (!answer.started_over && older(answer.mine, asked)) {
    peer_is_old_ = true;
    return comparison::peer_rolled_back;
  }
  if (!answer.started_over && older(answer.mine, peer_))
    return comparison::stale;
  return accept(answer);
}

void link_pool::peer_progressed(uint64_t progress) {
  if (progress <= peer_.progress)
    return;
  peer_.progress = progress;
  store_->put_peer(peer_);
}

void link_pool::start_over(const std::string& why) {
  for (auto i = keys_.begin(); i != keys_.end();) {
    auto id = (i++)->first;
    destroy(id, why);
    i = keys_.upper_bound(id);
  }
  blocks_.clear();
  shared_.clear();
  confirmed_tags_.clear();
  rolled_back_ = false;
  started_over_ = true;
  store_->put_rolled_back(false);
}

std::string link_pool::blocked() const {
  if (rolled_back_)
    return "the key store is older than the peer remembers: restored from a backup, or copied";
  if (peer_is_old_)
    return "the peer's key store is older than this end remembers";
  if (!compared_)
    return "the two ends have not compared their stores yet";
  return {};
}

std::string link_pool::trouble() const {
  if (auto why = blocked(); !why.empty())
    return why;
  if (kept_.size() < settings_.kept_floor)
    return "the authentication reserve is low (" + std::to_string(kept_.size())
           + " keys): bring a new link secret to both ends (qnfv pki link-secret --renew) and restart "
             "them";
  return {};
}

// -- counters --------------------------------------------------------------------------------------

std::vector<site_id> link_pool::exposure_of(const key_id& id) const {
  auto x = exposures_.find(session_of(id));
  return x == exposures_.end() ? std::vector<site_id>{} : x->second;
}

/// Of all keys that are here.
std::vector<site_id> link_pool::exposed() const {
  std::vector<site_id> out;
  for (auto& [session, nodes] : exposures_) {
    // Keys are in the order of their sessions.
    auto first = keys_.lower_bound(make_key_id(settings_.link, session, link_end::bob, 0));
    if (first == keys_.end() || session_of(first->first) != session)
      continue;
    for (auto& node : nodes)
      if (std::find(out.begin(), out.end(), node) == out.end())
        out.push_back(node);
  }
  return out;
}

void link_pool::count(const key_id& id, key_state state, int by) {
  if (state == key_state::stored || state == key_state::ready)
    unused_[static_cast<size_t>(allocator_of(id))] += static_cast<uint64_t>(by);
  auto unused = state == key_state::ready || state == key_state::kept;
  if (unused && by > 0)
    unused_runs_.add(id);
  else if (unused)
    unused_runs_.remove(id);
  uint64_t pool_status::*counter[] = {nullptr,
                                      &pool_status::stored,
                                      &pool_status::ready,
                                      &pool_status::kept,
                                      &pool_status::reserved,
                                      &pool_status::assigned,
                                      &pool_status::consumed,
                                      &pool_status::destroyed};
  counters_.*counter[static_cast<size_t>(state)] += static_cast<uint64_t>(by);
}

void link_pool::change(const key_id& id, key_event event, const held_key* held,
                       const std::string& why) {
  auto key = keys_.find(id);
  auto from = key == keys_.end() ? key_state::absent : key->second.state;
  auto to = next(from, event);
  if (!to || key == keys_.end())
    broken(to_string(event) + " of " + to_string(id) + " in state " + to_string(from));
  count(id, from, -1);
  count(id, *to, 1);
  if (from == key_state::ready)
    ready_mine_.erase(id);
  if (from == key_state::kept)
    kept_.erase(id);
  if (*to == key_state::kept)
    kept_.insert(id);
  if (*to == key_state::ready && allocator_of(id) == settings_.end)
    ready_mine_.insert(id);
  if (from == key_state::reserved && *to == key_state::destroyed)
    push_bounded(failed_, id, settings_.remembered);
  if (rank_of(*to) >= 3)
    ++progress_;
  ++changes_;
  key_record x;
  x.id = id;
  x.state = *to;
  x.progress = progress_;
  if (held) {
    x.request = held->request;
    x.users = held->users;
    x.size_bits = held->size_bits;
  }
  store_->put_state(x, event, why);
  // The bits vanish with the state; only the numbers remember that the key ever was.
  if (rank_of(*to) < 4)
    key->second.state = *to;
  else
    keys_.erase(key);
  check_counters();
}

void link_pool::check_counters() const {
  auto& c = counters_;
  auto live = c.stored + c.ready + c.kept + c.reserved + c.assigned;
  if (c.ingested != live + c.consumed + c.destroyed || keys_.size() != live)
    broken("keys are not conserved on " + settings_.link.value);
}

// -- agree -----------------------------------------------------------------------------------------

std::vector<key_id> link_pool::assigned() const {
  std::vector<key_id> out;
  for (auto& entry : held_)
    for (auto& id : entry.second.parts)
      if (state_of(id) == key_state::assigned)
        out.push_back(id);
  return out;
}

std::vector<key_id> link_pool::dead(const std::vector<key_range>& unused_there,
                                    const std::vector<key_id>& assigned_there) const {
  constexpr size_t at_most = 1u << 16;
  std::vector<key_id> out;
  std::set<key_id> asking; // The peer needs these tag keys for its answer.
  for (auto& entry : blocks_)
    if (auto& question = entry.second.question)
      asking.insert({question->bob_tag_key, question->alice_tag_key});
  for (auto& range : unused_there) {
    if (range.session == 0 && range.first / secret_numbers > secret_issue_)
      continue; // A link secret that has not been brought here yet.
    for (uint32_t i = 0; i < range.count && out.size() < at_most;) {
      auto id = range.id(settings_.link, i);
      if (auto n = unused_runs_.length_from(id); n > 0) {
        i += std::min(n, range.count - i);
        continue;
      }
      if (keys_.count(id) == 0 && asking.count(id) == 0)
        out.push_back(id);
      ++i;
    }
  }
  for (auto& id : assigned_there) {
    // Of a session that this end does not know: it has lost its keys and will never use this one.
    auto session = session_of(id);
    bool never_seen = session > session_ || (session == session_ && counter_of(id) >= next_counter_);
    if (never_seen || std::find(failed_.begin(), failed_.end(), id) != failed_.end())
      out.push_back(id);
  }
  return out;
}

size_t link_pool::bury(const std::vector<key_id>& dead_there) {
  size_t n = 0;
  for (auto& id : dead_there) {
    auto state = state_of(id);
    if (state != key_state::ready && state != key_state::kept && state != key_state::assigned)
      continue;
    destroy(id, "the peer has it no more");
    ++n;
  }
  return n;
}

size_t link_pool::expire(time_point now) {
  auto before = counters_.destroyed;
  for (auto& block : unconfirmed())
    if (now - blocks_.at(key_of(block)).arrived > settings_.confirm_deadline)
      destroy_block(block, "never confirmed");
  std::vector<key_id> old;
  for (auto& [name, x] : held_)
    if (now - x.since > settings_.assigned_ttl && state_of(name) == key_state::assigned)
      old.push_back(name);
  for (auto& name : old)
    destroy(name, "never claimed");
  for (auto i = shared_.begin(); i != shared_.end();)
    i = now - i->second.since > settings_.assigned_ttl ? shared_.erase(i) : std::next(i);
  return counters_.destroyed - before;
}

key_state link_pool::state_of(const key_id& id) const {
  auto key = keys_.find(id);
  return key == keys_.end() ? key_state::absent : key->second.state;
}

pool_status link_pool::status_now(time_point now) const {
  auto out = counters_;
  double bits = 0;
  for (auto& [when, size] : demand_)
    if (now - when <= 1h)
      bits += static_cast<double>(size);
  auto span = std::clamp<duration>(now - opened_, 1s, 1h);
  out.demand_bits_per_s = bits / to_seconds(span);
  out.ready_here = ready_mine_.size();
  out.capacity = settings_.keys_max;
  out.trouble = trouble();
  out.session = session_;
  out.next_counter = next_counter_;
  out.exposed_to = exposed();
  return out;
}

} // namespace qnfv
