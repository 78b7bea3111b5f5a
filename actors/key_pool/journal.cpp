#include "actors/key_pool/journal.hpp"

#include "runtime/crypto/sha256.hpp"

#include <boost/crc.hpp>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace qnfv {

namespace {

constexpr size_t record_bytes = 128;
constexpr uint64_t segments_at = 4096;
constexpr uint64_t head_copy_bytes = 512;
constexpr size_t sealed_bytes = key_bytes + seal_tag_bytes;
using record_t = std::array<uint8_t, record_bytes>;

uint32_t crc32c(byte_view x) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(x.data(), x.size());
  return crc.checksum();
}

void finish(record_t& x, const char* magic) {
  std::memcpy(x.data(), magic, 4);
  store_be32(x.data() + 4, crc32c(byte_view{x}.part(8)));
}

bool whole(byte_view x, const char* magic) {
  return std::memcmp(x.data(), magic, 4) == 0 && load_be32(x.data() + 4) == crc32c(x.part(8));
}

bool all_zero(byte_view x) {
  return std::all_of(x.begin(), x.end(), [](uint8_t b) { return b == 0; });
}

std::array<uint8_t, 16> name_of(const journal_settings& s) {
  auto text = "qnfv-journal-v1 " + s.link.value + " " + to_string(s.end);
  auto digest = sha256::of(byte_view{std::string_view{text}});
  std::array<uint8_t, 16> out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

const std::string wrap_label = "qnfv-data-key-v1";

template <size_t N>
void put(record_t& x, size_t at, const std::array<uint8_t, N>& value) {
  std::copy(value.begin(), value.end(), x.begin() + static_cast<long>(at));
}

template <size_t N>
std::array<uint8_t, N> get(byte_view x, size_t at) {
  std::array<uint8_t, N> out;
  std::copy_n(x.begin() + at, N, out.begin());
  return out;
}

} // namespace

uint64_t tag_of(const request_id& x) {
  return load_be64(sha256::of(byte_view{x.value}).data());
}

uint64_t tag_of(const key_users& x) {
  std::string text = x.master;
  for (auto& slave : x.slaves)
    text += '\0' + slave;
  return load_be64(sha256::of(byte_view{std::string_view{text}}).data());
}

uint64_t journal::offset_of(uint32_t segment, uint32_t slot) const {
  return segments_at + (uint64_t{segment} * (s_.segment_slots + 1) + slot) * record_bytes;
}

uint64_t journal::file_bytes() const {
  return offset_of(s_.segments, 0);
}

bytes journal::associated(const key_id& id) const {
  auto text = "qnfv-slot-v1 " + s_.link.value + " " + to_string(s_.end) + " ";
  bytes out(text.begin(), text.end());
  out.insert(out.end(), id.value.begin(), id.value.end());
  return out;
}

// -- opening ---------------------------------------------------------------------------------------

result<std::unique_ptr<journal>> journal::open(storage& files, const std::string& path,
                                               journal_settings s, random_source& random) {
  std::unique_ptr<journal> out{new journal{std::move(s), random}};
  out->path_ = path;
  if (out->s_.seal_key.size() != 32)
    return {ec::bad_config, path + ": the seal key must have 32 bytes"};
  auto file = files.own(path);
  if (!file)
    return file.error();
  out->file_ = std::move(*file);
  bytes heads(2 * head_copy_bytes);
  auto n = out->file_->read(0, heads.data(), heads.size());
  if (!n)
    return n.error();
  heads.resize(*n);
  // An empty file, or one whose making was cut short before its first head.
  auto ok = all_zero(heads) ? out->create() : out->load();
  if (ok)
    ok = out->start();
  if (!ok)
    return ok.error();
  return result<std::unique_ptr<journal>>{std::move(out)};
}

status journal::create() {
  segments_.resize(s_.segments);
  // All of it at once: a full disk is noticed now, and no later write changes the file's size.
  bytes zeros(1u << 20);
  for (uint64_t at = 0; at < file_bytes(); at += zeros.size())
    if (auto ok = file_->write(at, byte_view{zeros}.part(0, file_bytes() - at)); !ok)
      return ok;
  return file_->sync();
}

status journal::load() {
  auto wrong = [&](const std::string& what) { return failure{ec::bad_config, path_ + ": " + what}; };
  bytes raw(file_->size());
  auto n = file_->read(0, raw.data(), raw.size());
  if (!n)
    return n.error();
  if (raw.size() < segments_at)
    return wrong("not a key journal");
  byte_view best;
  for (size_t at : {size_t{0}, size_t{head_copy_bytes}}) {
    auto copy = byte_view{raw}.part(at, record_bytes);
    if (whole(copy, "QKJ1") && (best.empty() || load_be64(copy.data() + 8) > head_serial_)) {
      best = copy;
      head_serial_ = load_be64(copy.data() + 8);
    }
  }
  if (best.empty()) {
    auto ours = [&](size_t at) { return std::memcmp(raw.data() + at, "QKJ", 3) == 0; };
    return wrong(ours(0) || ours(head_copy_bytes)
                   ? "both heads are damaged, or written by a newer qnfv"
                   : "not a key journal");
  }
  if (get<16>(best, 16) != name_of(s_))
    return wrong("this is the journal of another link or end than " + s_.link.value + " "
                 + to_string(s_.end));
  s_.segment_slots = load_be32(best.data() + 100);
  s_.segments = load_be32(best.data() + 104);
  if (s_.segment_slots == 0 || s_.segments == 0 || s_.segment_slots > 1u << 20
      || s_.segments > 1u << 16 || raw.size() < file_bytes())
    return wrong("the file is shorter than its head says");
  mine_.generation = load_be32(best.data() + 32);
  mine_.instance = get<16>(best, 36);
  peer_.generation = load_be32(best.data() + 52);
  peer_.instance = get<16>(best, 56);
  peer_.progress = load_be64(best.data() + 72);
  progress_ = load_be64(best.data() + 80);
  session_ = load_be32(best.data() + 88);
  next_counter_ = load_be64(best.data() + 92);
  secret_issue_ = load_be32(best.data() + 108);
  rolled_back_ = best[112] == 1;
  audited_change_ = last_change_ = load_be64(best.data() + 113);
  segments_.resize(s_.segments);
  uint32_t sealed = 0, opened = 0;
  for (uint32_t i = 0; i < s_.segments; ++i) {
    auto header = byte_view{raw}.part(offset_of(i, 0), record_bytes);
    if (!whole(header, "QKG1"))
      continue; // Never used, or damaged: read_slots counts what is lost.
    auto& x = segments_[i];
    x.serial = load_be64(header.data() + 16);
    auto session = load_be32(header.data() + 84);
    auto counter = load_be64(header.data() + 88);
    if (std::tie(session, counter) > std::tie(session_, next_counter_))
      std::tie(session_, next_counter_) = std::tie(session, counter);
    if (header[8] != 1)
      continue;
    ++sealed;
    auto key = unseal(s_.seal_key.view(), get<12>(header, 24), byte_view{std::string_view{wrap_label}},
                      header.part(36, sealed_bytes));
    if (!key)
      continue;
    ++opened;
    x.in_use = true;
    x.data_key = *key;
  }
  if (sealed > 0 && opened == 0)
    return wrong("the seal key does not open it");
  for (uint32_t i = 0; i < s_.segments; ++i)
    read_slots(i, byte_view{raw}.part(offset_of(i, 1), s_.segment_slots * record_bytes));
  OPENSSL_cleanse(raw.data(), raw.size());
  for (uint32_t i = 0; i < s_.segments; ++i)
    if (segments_[i].in_use && segments_[i].serial > segments_[current_].serial)
      current_ = i;
  return done{};
}

void journal::read_slots(uint32_t i, byte_view raw) {
  auto& x = segments_[i];
  for (uint32_t n = 0; n < s_.segment_slots; ++n) {
    auto slot = raw.part(size_t{n} * record_bytes, record_bytes);
    if (all_zero(slot))
      continue;
    x.used = n + 1;
    key_record key;
    if (whole(slot, "QKS1") && slot[8] < key_state_count) {
      key.state = static_cast<key_state>(slot[8]);
      key.id.value = get<16>(slot, 16);
      key.request = load_be64(slot.data() + 32);
      key.users = load_be64(slot.data() + 40);
      key.progress = load_be64(slot.data() + 48);
      key.size_bits = load_be32(slot.data() + 124);
      auto change = load_be64(slot.data() + 56);
      last_change_ = std::max(last_change_, change);
      progress_ = std::max(progress_, key.progress);
      place p;
      p.segment = i;
      p.slot = n + 1;
      std::copy(slot.begin(), slot.end(), p.image.begin());
      if (change > 0)
        numbered_.push_back({key, change, p});
      auto session = session_of(key.id);
      auto next = counter_of(key.id) + 1;
      if (session > 0 && std::tie(session, next) > std::tie(session_, next_counter_))
        std::tie(session_, next_counter_) = std::tie(session, next);
      if (rank_of(key.state) == 4) {
        // Only of a promised one the peer may hold its copy for somebody.
        if (key.state == key_state::destroyed && key.request != 0) {
          memory_.given_up.push_back(key.id);
          give_up(key);
        }
        continue;
      }
      if (x.in_use && key.state != key_state::absent) {
        auto is_first = places_.emplace(key.id, p).second;
        if (is_first && bits(key.id)) {
          ++x.live;
          memory_.live.push_back(key);
          continue;
        }
        if (is_first)
          places_.erase(key.id);
      }
    }
    // Damage costs this key only; what is left of it goes now. Its last state may have been the
    // newest of all, and a key has at most four.
    ++damaged_;
    progress_ += 4;
    changed_[offset_of(i, n + 1)] = {};
  }
}

/// Records that we have begun: from now on an older copy of this file can be told from it.
status journal::start() {
  std::sort(memory_.live.begin(), memory_.live.end(),
            [](auto& a, auto& b) { return a.id < b.id; });
  ++mine_.generation;
  mine_.instance = random_.bytes_of<std::array<uint8_t, 16>>();
  mine_.progress = progress_;
  head_changed_ = true;
  for (uint32_t i = 0; i < s_.segments; ++i)
    free_if_dead(i);
  memory_.session = session_;
  memory_.next_counter = next_counter_;
  memory_.secret_issue = secret_issue_;
  memory_.mine = mine_;
  memory_.peer = peer_;
  memory_.rolled_back = rolled_back_;
  memory_.damaged = damaged_;
  return write(take_batch(audited_change_));
}

std::vector<key_record> journal::take_unaudited(uint64_t audited) {
  numbered_.erase(std::remove_if(numbered_.begin(), numbered_.end(),
                                 [audited](auto& x) { return x.change <= audited; }),
                  numbered_.end());
  std::vector<key_record> out;
  for (auto& x : numbered_)
    out.push_back(x.key);
  // For put_change: after a flood there may be a hundred thousand.
  std::stable_sort(numbered_.begin(), numbered_.end(), [](auto& a, auto& b) { return a.key.id < b.key.id; });
  return out;
}

void journal::put_change(const key_id& id, uint64_t change) {
  auto first = std::lower_bound(numbered_.begin(), numbered_.end(), id,
                                [](auto& x, const key_id& to) { return x.key.id < to; });
  for (; first != numbered_.end() && first->key.id == id; ++first) {
    auto& x = *first;
    auto known = places_.find(id);
    auto& image = known == places_.end() ? x.where.image : known->second.image;
    store_be64(image.data() + 56, change);
    if (rank_of(x.key.state) == 4) // Consumed, and nobody got it.
      image[8] = static_cast<uint8_t>(key_state::destroyed);
    finish(image, "QKS1");
    changed_[offset_of(x.where.segment, x.where.slot)] = image;
  }
}

// -- changing --------------------------------------------------------------------------------------

journal::record journal::head() const {
  record x{};
  store_be64(x.data() + 8, head_serial_);
  put(x, 16, name_of(s_));
  store_be32(x.data() + 32, mine_.generation);
  put(x, 36, mine_.instance);
  store_be32(x.data() + 52, peer_.generation);
  put(x, 56, peer_.instance);
  store_be64(x.data() + 72, peer_.progress);
  store_be64(x.data() + 80, progress_);
  store_be32(x.data() + 88, session_);
  store_be64(x.data() + 92, next_counter_);
  store_be32(x.data() + 100, s_.segment_slots);
  store_be32(x.data() + 104, s_.segments);
  store_be32(x.data() + 108, secret_issue_);
  x[112] = rolled_back_ ? 1 : 0;
  store_be64(x.data() + 113, audited_change_);
  finish(x, "QKJ1");
  return x;
}

journal::record journal::segment_header(const segment& s) const {
  record x{};
  x[8] = s.in_use ? 1 : 0;
  store_be64(x.data() + 16, s.serial);
  if (s.in_use) {
    auto nonce = random_.bytes_of<seal_nonce>();
    put(x, 24, nonce);
    auto sealed = seal(s_.seal_key.view(), nonce, byte_view{std::string_view{wrap_label}},
                       s.data_key.view());
    std::copy(sealed.begin(), sealed.end(), x.begin() + 36);
  }
  store_be32(x.data() + 84, session_);
  store_be64(x.data() + 88, next_counter_);
  finish(x, "QKG1");
  return x;
}

status journal::next_segment() {
  uint64_t serial = segments_[current_].serial;
  for (uint32_t n = 0; n < s_.segments; ++n) {
    auto i = (current_ + n) % s_.segments;
    auto& x = segments_[i];
    if (x.live > 0 || (x.in_use && x.used < s_.segment_slots && i == current_))
      continue;
    x.in_use = true;
    x.serial = serial + 1;
    x.used = 0;
    x.data_key = secret{32};
    random_.fill(x.data_key.data(), x.data_key.size());
    // Zeros and the new data key are durable before the first slot under that key is written.
    bytes fresh((s_.segment_slots + 1) * record_bytes);
    auto header = segment_header(x);
    std::copy(header.begin(), header.end(), fresh.begin());
    for (auto& key : given_up_) {
      if (x.used >= s_.segment_slots / 4)
        break;
      auto tombstone = slot_of(key, 0);
      std::copy(tombstone.begin(), tombstone.end(),
                fresh.begin() + static_cast<long>(++x.used * record_bytes));
    }
    changed_.erase(changed_.lower_bound(offset_of(i, 0)),
                   changed_.lower_bound(offset_of(i, s_.segment_slots + 1)));
    std::vector<journal_batch::write> stage;
    stage.push_back({offset_of(i, 0), std::move(fresh)});
    first_.push_back(std::move(stage));
    current_ = i;
    return done{};
  }
  return {ec::busy, path_ + ": no free segment"};
}

/// Crypto-shredding: with the data key every sealed bit of the segment is gone, wherever copies are.
void journal::free_if_dead(uint32_t i) {
  auto& x = segments_[i];
  if (!x.in_use || x.live > 0 || (i == current_ && x.used < s_.segment_slots))
    return;
  x.in_use = false;
  x.data_key.wipe();
  changed_[offset_of(i, 0)] = segment_header(x);
}

/// A slot without nonce and bits.
journal::record journal::slot_of(const key_record& key, uint64_t change) {
  record x{};
  x[8] = static_cast<uint8_t>(key.state);
  put(x, 16, key.id.value);
  store_be64(x.data() + 32, key.request);
  store_be64(x.data() + 40, key.users);
  store_be64(x.data() + 48, key.progress);
  store_be64(x.data() + 56, change);
  store_be32(x.data() + 124, key.size_bits);
  finish(x, "QKS1");
  return x;
}

void journal::give_up(const key_record& key) {
  constexpr size_t remembered = 256;
  given_up_.push_front(key);
  if (given_up_.size() > remembered)
    given_up_.pop_back();
}

status journal::put_key(const key_record& key, byte_view bits) {
  if (!segments_[current_].in_use || segments_[current_].used >= s_.segment_slots)
    if (auto ok = next_segment(); !ok)
      return ok;
  auto& x = segments_[current_];
  place p;
  p.segment = current_;
  p.slot = ++x.used;
  ++x.live;
  auto nonce = random_.bytes_of<seal_nonce>();
  auto sealed = seal(x.data_key.view(), nonce, associated(key.id), bits);
  auto& image = p.image;
  put(image, 64, nonce);
  std::copy(sealed.begin(), sealed.end(), image.begin() + 76);
  if (session_of(key.id) > 0) {
    session_ = session_of(key.id);
    next_counter_ = counter_of(key.id) + 1;
  }
  places_[key.id] = p;
  put_state(key, 0);
  return done{};
}

void journal::put_state(const key_record& key, uint64_t change) {
  auto i = places_.find(key.id);
  if (i == places_.end())
    return;
  auto& p = i->second;
  auto ended = rank_of(key.state) == 4;
  auto x = slot_of(key, change);
  if (!ended)
    std::copy_n(p.image.begin() + 64, seal_nonce_bytes + sealed_bytes, x.begin() + 64);
  finish(x, "QKS1");
  p.image = x;
  if (key.state == key_state::destroyed && key.request != 0)
    give_up(key);
  changed_[offset_of(p.segment, p.slot)] = x;
  progress_ = std::max(progress_, key.progress);
  if (!ended)
    return;
  auto segment = p.segment;
  places_.erase(i);
  --segments_[segment].live;
  free_if_dead(segment);
}

result<secret> journal::bits(const key_id& id) const {
  auto i = places_.find(id);
  if (i == places_.end())
    return {ec::storage_failed, "no bits of " + to_string(id)};
  auto& p = i->second;
  return unseal(segments_[p.segment].data_key.view(), get<12>(p.image, 64), associated(id),
                byte_view{p.image}.part(76, sealed_bytes));
}

void journal::put_peer(const store_mark& peer) {
  peer_ = peer;
  head_changed_ = true;
}

void journal::put_secret_issue(uint32_t issue) {
  secret_issue_ = issue;
  head_changed_ = head_last_ = true;
}

void journal::put_rolled_back(bool yes) {
  rolled_back_ = yes;
  head_changed_ = true;
}

// -- writing ---------------------------------------------------------------------------------------

journal_batch journal::take_batch(uint64_t audited) {
  journal_batch out;
  head_changed_ = head_changed_ || audited > audited_change_;
  audited_change_ = std::max(audited_change_, audited);
  out.stages = std::exchange(first_, {});
  auto head_at = (head_serial_ + 1) % 2 * head_copy_bytes;
  record new_head{};
  if (head_changed_) {
    ++head_serial_;
    new_head = head();
    if (!head_last_)
      changed_[head_at] = new_head;
  }
  std::vector<journal_batch::write> last;
  for (auto& [offset, x] : changed_) {
    if (!last.empty() && last.back().offset + last.back().content.size() == offset)
      last.back().content.insert(last.back().content.end(), x.begin(), x.end());
    else
      last.push_back({offset, bytes(x.begin(), x.end())});
  }
  changed_.clear();
  if (!last.empty())
    out.stages.push_back(std::move(last));
  if (head_changed_ && head_last_)
    out.stages.push_back({{head_at, bytes(new_head.begin(), new_head.end())}});
  head_changed_ = head_last_ = false;
  return out;
}

status journal::write(const journal_batch& batch) {
  for (auto& stage : batch.stages) {
    for (auto& x : stage)
      if (auto ok = file_->write(x.offset, x.content); !ok)
        return ok;
    if (auto ok = file_->sync(); !ok)
      return ok;
  }
  return done{};
}

} // namespace qnfv
