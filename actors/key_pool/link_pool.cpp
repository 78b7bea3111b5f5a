#include "actors/key_pool/link_pool.hpp"

#include "actors/key_pool/mutant.hpp"
#include "runtime/crypto/one_time.hpp"

#include <openssl/crypto.h>

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

std::string text_of(const key_users& x) {
  std::string out = x.master + " ->";
  for (auto& slave : x.slaves)
    out += " " + slave;
  return out;
}

std::string text_of(const block_id& x) {
  return "session " + std::to_string(x.session) + " keys " + std::to_string(x.first) + "+"
         + std::to_string(x.count);
}

/// What a tag covers: the question but for its tag, and every bit of the block.
one_time_tag tag_under(const secret& key, const confirm_block& x, const secret& material) {
  auto& name = x.block.link.value;
  bytes message(name.begin(), name.end());
  message.push_back(0);
  uint8_t numbers[21];
  store_be32(numbers, x.block.session);
  numbers[4] = static_cast<uint8_t>(x.block.allocator);
  store_be64(numbers + 5, x.block.first);
  store_be32(numbers + 13, x.block.count);
  store_be32(numbers + 17, x.renew);
  message.insert(message.end(), numbers, numbers + sizeof numbers);
  for (auto& id : {x.bob_tag_key, x.alice_tag_key})
    message.insert(message.end(), id.value.begin(), id.value.end());
  auto bits = material.view();
  message.insert(message.end(), bits.begin(), bits.end());
  auto tag = one_time_mac(key.view(), message);
  OPENSSL_cleanse(message.data(), message.size());
  if (!tag)
    broken("a tag key has another size");
  return *tag;
}

template <class Queue>
void push_bounded(Queue& queue, typename Queue::value_type x, size_t limit) {
  queue.push_back(std::move(x));
  if (queue.size() > limit)
    queue.pop_front();
}

bool good_size(uint32_t size_bits) {
  return size_bits > 0 && size_bits % 8 == 0 && size_bits <= key_size_bits_max;
}

size_t parts_of(uint32_t size_bits) {
  return (size_bits + key_bits - 1) / key_bits;
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
  if (!QNFV_MUTANT(7)) {
    session_ = memory.session;
    next_counter_ = memory.next_counter;
    failed_.assign(memory.given_up.begin(), memory.given_up.end());
  }
  for (auto& x : memory.live) {
    keys_[x.id].state = x.state;
    count(x.state, 1);
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
      if (QNFV_MUTANT(2)) {
        --counters_.reserved;
        ++counters_.ready;
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
    count(key_state::kept, 1);
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
           + " keys): bring a new link secret to both ends";
  return {};
}

// -- ingest and confirm ----------------------------------------------------------------------------

status link_pool::may_ingest(const block_id& block, const secret& material) const {
  if (block.link != settings_.link || block.session == 0 || block.count < 3
      || block.count > 1u << 20 || block.first > UINT64_MAX / 512
      || material.size() != block.count * key_bytes)
    return {ec::invalid_argument, "a block of " + std::to_string(block.count) + " keys and "
                                    + std::to_string(material.size()) + " bytes"};
  if (block.session < session_)
    return {ec::stale_epoch, "session " + std::to_string(block.session) + " after session "
                               + std::to_string(session_)};
  if (block.session == session_ && block.first < next_counter_)
    return {ec::already_exists, "key numbers from " + std::to_string(block.first)
                                  + " were seen before"};
  if (counters_.stored + counters_.ready + block.count > settings_.keys_max)
    return {ec::busy, "the pool is full"};
  return done{};
}

status link_pool::ingest(const block_id& block, const secret& material, time_point now,
                         const std::vector<site_id>& exposed_to) {
  if (auto ok = may_ingest(block, material); !ok)
    return ok;
  if (block.session == session_ && exposed_to != exposure_of(block.id(0)))
    return {ec::invalid_argument, "other trusted nodes than the session's saw this block"};
  if (!exposed_to.empty() && exposures_.count(block.session) == 0) {
    exposures_[block.session] = exposed_to;
    store_->put_exposure(block.session, exposed_to);
  }
  session_ = block.session;
  next_counter_ = block.first + block.count;
  auto& entry = blocks_[key_of(block)];
  entry = {};
  entry.block = block;
  entry.material = material;
  entry.arrived = now;
  for (uint32_t i = 0; i < block.count; ++i) {
    key_record x;
    x.id = block.id(i);
    x.state = key_state::stored;
    x.progress = progress_;
    if (auto ok = store_->put_key(x, material.view().part(i * key_bytes, key_bytes)); !ok) {
      destroy_block(block, "no room");
      return ok;
    }
    keys_[x.id] = {key_state::stored, {}};
    ++counters_.ingested;
    ++counters_.stored;
  }
  check_counters();
  return done{};
}

std::vector<site_id> link_pool::exposure_of(const key_id& id) const {
  auto x = exposures_.find(session_of(id));
  return x == exposures_.end() ? std::vector<site_id>{} : x->second;
}

void link_pool::count(key_state state, int by) {
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
  count(from, -1);
  count(*to, 1);
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

secret link_pool::spend_tag_key(const key_id& id, const block_id& block) {
  auto bits = store_->bits(id);
  change(id, key_event::spend, nullptr, "tag of " + text_of(block));
  return bits ? *bits : secret{key_bytes};
}

result<confirm_block> link_pool::ask_confirm(const block_id& block) {
  auto i = blocks_.find(key_of(block));
  if (i == blocks_.end())
    return {ec::unknown_key, "no such block waits here"};
  auto& entry = i->second;
  if (entry.question)
    return *entry.question;
  if (kept_.size() < std::max(settings_.kept_floor, 2u))
    return {ec::key_exhausted, trouble()};
  confirm_block out;
  out.block = entry.block;
  // As many as are spent now, and more while the reserve is below its target.
  auto missing = settings_.kept_target + 2 - std::min<uint64_t>(kept_.size(), settings_.kept_target);
  out.renew = std::min({static_cast<uint32_t>(missing), settings_.renew_max, entry.block.count - 1});
  out.bob_tag_key = *kept_.begin();
  out.alice_tag_key = *std::next(kept_.begin());
  auto bob = spend_tag_key(out.bob_tag_key, block);
  auto alice = spend_tag_key(out.alice_tag_key, block);
  out.tag = tag_under(bob, out, entry.material);
  entry.expected = tag_under(alice, out, entry.material);
  entry.question = out;
  return out;
}

void link_pool::forget_tags(const block_id& block) {
  auto i = blocks_.find(key_of(block));
  if (i != blocks_.end())
    i->second.question.reset();
}

void link_pool::confirm_keys(block_entry& entry, uint32_t renew) {
  auto block = entry.block;
  blocks_.erase(key_of(block));
  for (uint32_t k = 0; k < block.count; ++k)
    change(block.id(k), k < renew ? key_event::keep : key_event::confirm, nullptr, {});
}

link_pool::verdict link_pool::answer_confirm(const confirm_block& x, one_time_tag& own) {
  for (auto& [key, tag] : confirmed_tags_)
    if (key == key_of(x.block)) {
      own = tag;
      return verdict::equal;
    }
  auto i = blocks_.find(key_of(x.block));
  if (i == blocks_.end() || i->second.block.count != x.block.count
      || i->second.block.allocator != x.block.allocator)
    return verdict::not_here;
  if (kept_.count(x.bob_tag_key) == 0 || kept_.count(x.alice_tag_key) == 0
      || x.bob_tag_key == x.alice_tag_key)
    return verdict::no_tag_keys;
  auto& entry = i->second;
  auto bob = spend_tag_key(x.bob_tag_key, x.block);
  auto alice = spend_tag_key(x.alice_tag_key, x.block);
  auto question = x;
  question.renew = std::min(x.renew, x.block.count - 1);
  auto expected = tag_under(bob, x, entry.material);
  own = tag_under(alice, x, entry.material);
  if (!equal_constant_time(expected, x.tag) && !QNFV_MUTANT(6)) {
    ++counters_.mismatches;
    destroy_block(x.block, "the two copies differ");
    return verdict::differs;
  }
  push_bounded(confirmed_tags_, {key_of(x.block), own}, settings_.remembered);
  confirm_keys(entry, question.renew);
  return verdict::equal;
}

link_pool::verdict link_pool::confirm(const block_id& block, const one_time_tag& peer_tag) {
  auto i = blocks_.find(key_of(block));
  if (i == blocks_.end() || !i->second.question)
    return verdict::not_here;
  auto& entry = i->second;
  if (!equal_constant_time(entry.expected, peer_tag) && !QNFV_MUTANT(6)) {
    ++counters_.mismatches;
    destroy_block(block, "the two copies differ");
    return verdict::differs;
  }
  confirm_keys(entry, entry.question->renew);
  return verdict::equal;
}

void link_pool::destroy_block(const block_id& block, const std::string& reason) {
  blocks_.erase(key_of(block));
  for (uint32_t k = 0; k < block.count; ++k)
    if (state_of(block.id(k)) == key_state::stored)
      change(block.id(k), key_event::destroy, nullptr, reason);
}

std::vector<block_id> link_pool::unconfirmed() const {
  std::vector<block_id> out;
  for (auto& entry : blocks_)
    out.push_back(entry.second.block);
  return out;
}

// -- hand out --------------------------------------------------------------------------------------

void link_pool::count_demand(uint64_t bits, time_point now) {
  demand_.emplace_back(now, bits);
  while (now - demand_.front().first > 1h || demand_.size() > settings_.remembered)
    demand_.pop_front();
}

status link_pool::may_ask(const request_id& request, uint32_t size_bits) const {
  if (!good_size(size_bits))
    return {ec::invalid_argument, "a key has 8 to " + std::to_string(key_size_bits_max)
                                    + " bits, a multiple of 8, not " + std::to_string(size_bits)};
  if (answered_set_.count(tag_of(request)) > 0)
    return {ec::unknown_key, "this request was answered before; a key is handed out once"};
  return done{};
}

status link_pool::has(uint32_t count, uint32_t size_bits) {
  if (ready_mine_.size() >= count * parts_of(size_bits))
    return done{};
  ++counters_.refused;
  return {ec::key_exhausted, "link " + settings_.link.value + " has "
                               + (ready_mine_.empty() ? "no unused key" : "too few unused keys")};
}

result<key_assignment> link_pool::reserve(const request_id& request, const key_users& users,
                                          uint32_t size_bits, time_point now) {
  if (auto ok = may_ask(request, size_bits); !ok)
    return ok.error();
  auto tag = tag_of(request);
  if (auto known = requests_.find(tag); known != requests_.end()) {
    auto& x = held_.at(known->second);
    return key_assignment{x.parts, x.size_bits, request, x.names};
  }
  held_key x;
  auto n = parts_of(size_bits);
  if (QNFV_MUTANT(3)) {
    for (auto& [id, key] : keys_)
      if (key.state == key_state::ready)
        ready_mine_.insert(id);
  }
  if (auto ok = has(1, size_bits); !ok)
    return ok.error();
  x.parts.assign(ready_mine_.begin(), std::next(ready_mine_.begin(), static_cast<long>(n)));
  x.size_bits = size_bits;
  x.request = tag;
  x.users = tag_of(users);
  x.names = users;
  x.since = now;
  for (auto& id : x.parts) {
    change(id, key_event::reserve, &x, {});
    keys_[id].name = x.parts.front();
  }
  auto name = x.parts.front();
  requests_[tag] = name;
  held_[name] = x;
  return key_assignment{x.parts, size_bits, request, users};
}

status link_pool::assign(const key_assignment& key, time_point now) {
  if (key.parts.empty() || !good_size(key.size_bits) || key.parts.size() != parts_of(key.size_bits)
      || !std::is_sorted(key.parts.begin(), key.parts.end())
      || std::adjacent_find(key.parts.begin(), key.parts.end()) != key.parts.end()
      || key.users.slaves.empty())
    return {ec::invalid_argument, "not a key and its users"};
  held_key x;
  x.parts = key.parts;
  x.size_bits = key.size_bits;
  x.request = tag_of(key.request);
  x.users = tag_of(key.users);
  x.names = key.users;
  x.since = now;
  auto name = key.parts.front();
  if (auto known = held_.find(name); known != held_.end()) {
    auto& y = known->second;
    if (state_of(name) == key_state::assigned
        && ((y.request == x.request && y.users == x.users) || QNFV_MUTANT(8))
        && y.parts == x.parts) {
      y.names = x.names; // Forgotten in a restart, maybe.
      if (QNFV_MUTANT(8))
        y.users = x.users;
      return done{};
    }
    return {ec::unknown_key, "key " + to_string(name) + " is held for somebody else"};
  }
  if (requests_.count(x.request) > 0)
    return {ec::invalid_argument, "this request holds another key"};
  for (auto& id : key.parts) {
    if (allocator_of(id) == settings_.end && !QNFV_MUTANT(3))
      return {ec::not_allowed, "this end hands out " + to_string(id)};
    if (state_of(id) != key_state::ready)
      return {ec::unknown_key, "no unused key " + to_string(id) + " here"};
  }
  for (auto& id : key.parts) {
    change(id, key_event::assign, &x, text_of(key.users));
    keys_[id].name = name;
  }
  requests_[x.request] = name;
  held_[name] = std::move(x);
  return done{};
}

result<secret> link_pool::bits_of(const held_key& x) const {
  secret all{x.parts.size() * key_bytes};
  for (size_t i = 0; i < x.parts.size(); ++i) {
    auto bits = store_->bits(x.parts[i]);
    if (!bits)
      return bits;
    std::copy(bits->view().begin(), bits->view().end(), all.data() + i * key_bytes);
  }
  return x.size_bits == x.parts.size() * key_bits ? all : all.part(0, x.size_bits / 8);
}

void link_pool::end_held(const key_id& name, key_event event, const std::string& why) {
  auto x = std::move(held_.at(name));
  auto mine = state_of(name) == key_state::reserved;
  requests_.erase(x.request);
  held_.erase(name);
  if (mine && event == key_event::consume)
    remember_answered(x.request);
  for (auto& id : x.parts)
    if (keys_.count(id) > 0)
      change(id, event, &x, why);
}

void link_pool::remember_answered(uint64_t request) {
  answered_.push_back(request);
  answered_set_.insert(request);
  if (answered_.size() > settings_.remembered) {
    answered_set_.erase(answered_.front());
    answered_.pop_front();
  }
}

result<secret> link_pool::consume(const key_id& name) {
  auto i = held_.find(name);
  if (i == held_.end() || state_of(name) != key_state::reserved)
    return {ec::unknown_key, "no key " + to_string(name) + " is reserved here"};
  auto bits = bits_of(i->second);
  end_held(name, bits ? key_event::consume : key_event::destroy,
           bits ? text_of(i->second.names) : describe(bits.error()));
  return bits;
}

status link_pool::may_claim(const key_id& name, const std::string& master,
                            const std::string& slave) const {
  auto shared = shared_.find(name);
  if (shared != shared_.end() && shared->second.master == master
      && shared->second.slaves.count(slave) > 0)
    return done{};
  auto i = held_.find(name);
  if (i == held_.end() || state_of(name) != key_state::assigned)
    return {ec::unknown_key, "no key " + to_string(name) + " is held for anybody here"};
  auto& x = i->second;
  auto named = x.names.master == master
               && std::count(x.names.slaves.begin(), x.names.slaves.end(), slave) > 0;
  if (named || x.users == tag_of(key_users{master, {slave}}) || QNFV_MUTANT(4))
    return done{};
  return {ec::not_allowed, "key " + to_string(name) + " is held for somebody else"};
}

result<secret> link_pool::claim(const key_id& name, const std::string& master,
                                const std::string& slave, time_point now) {
  if (auto ok = may_claim(name, master, slave); !ok)
    return ok.error();
  if (auto shared = shared_.find(name); shared != shared_.end()) {
    auto bits = shared->second.bits;
    shared->second.slaves.erase(slave);
    if (shared->second.slaves.empty())
      shared_.erase(shared);
    return secret{bits.view()};
  }
  auto& x = held_.at(name);
  auto bits = bits_of(x);
  if (bits && x.names.slaves.size() > 1) {
    shared_key rest{secret{bits->view()}, master, {}, now};
    rest.slaves.insert(x.names.slaves.begin(), x.names.slaves.end());
    rest.slaves.erase(slave);
    shared_[name] = std::move(rest);
  }
  auto users = x.names.master.empty() ? key_users{master, {slave}} : x.names;
  end_held(name, bits ? key_event::consume : key_event::destroy,
           bits ? text_of(users) : describe(bits.error()));
  return bits;
}

void link_pool::destroy(const key_id& id, const std::string& reason) {
  auto key = keys_.find(id);
  if (key == keys_.end())
    return;
  auto name = key->second.name;
  if (rank_of(key->second.state) == 3 && held_.count(name) > 0)
    return end_held(name, key_event::destroy, reason);
  change(id, key_event::destroy, nullptr, reason);
}

// -- agree -----------------------------------------------------------------------------------------

std::vector<key_range> link_pool::unused() const {
  std::vector<key_range> out;
  for (auto& [id, key] : keys_) {
    if (key.state != key_state::ready && key.state != key_state::kept)
      continue;
    if (!out.empty() && out.back().session == session_of(id)
        && out.back().allocator == allocator_of(id)
        && out.back().first + out.back().count == counter_of(id))
      ++out.back().count;
    else
      out.push_back({session_of(id), allocator_of(id), counter_of(id), 1});
  }
  return out;
}

std::vector<key_id> link_pool::assigned() const {
  std::vector<key_id> out;
  for (auto& [id, key] : keys_)
    if (key.state == key_state::assigned)
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
    for (uint32_t i = 0; i < range.count && out.size() < at_most; ++i)
      if (auto id = range.id(settings_.link, i); keys_.count(id) == 0 && asking.count(id) == 0)
        out.push_back(id);
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
  out.trouble = trouble();
  out.session = session_;
  out.next_counter = next_counter_;
  if (auto x = exposures_.find(session_); x != exposures_.end())
    out.exposed_to = x->second;
  return out;
}

} // namespace qnfv
