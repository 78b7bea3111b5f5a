#include "actors/key_pool/journal.hpp"
#include "runtime/storage/memory.hpp"
#include "tests/support/folder.hpp"

#include <boost/crc.hpp>
#include <catch2/catch.hpp>

#include <algorithm>

using namespace qnfv;

namespace {

const link_id the_link{"bob1/alice1"};
const std::string path = "keys/bob1-alice1.journal";
constexpr uint64_t segments_at = 4096, slot_bytes = 128;

journal_settings settings(uint8_t seal = 7) {
  journal_settings s;
  s.link = the_link;
  s.seal_key = secret{bytes(32, seal)};
  s.segments = 3;
  s.segment_slots = 4;
  return s;
}

key_record record(uint64_t n, key_state state, uint64_t progress = 0) {
  key_record x;
  x.id = make_key_id(the_link, 1, link_end::bob, n);
  x.state = state;
  x.progress = progress;
  return x;
}

bytes bits_of(uint64_t n) {
  bytes out(key_bytes);
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<uint8_t>(0x51 + 37 * n + 11 * i);
  return out;
}

bool contains(const bytes& all, byte_view part) {
  return std::search(all.begin(), all.end(), part.begin(), part.end()) != all.end();
}

struct fixture {
  std::shared_ptr<random_source> random = make_seeded_random(3);
  memory_storage files;

  result<std::unique_ptr<journal>> open(journal_settings s = settings()) {
    return journal::open(files, path, std::move(s), *random);
  }
  std::unique_ptr<journal> reopen(journal_settings s = settings()) {
    auto x = open(std::move(s));
    INFO((x ? "" : x.error().text));
    REQUIRE(x);
    return std::move(*x);
  }
  std::string refused(journal_settings s = settings()) {
    auto x = open(std::move(s));
    REQUIRE_FALSE(x);
    return x.error().text;
  }
  void commit(journal& x) { REQUIRE(x.write(x.take_batch(0))); }
  bytes content() { return files.snapshot().at(path); }
  /// Changes the file while nobody has it.
  void damage(uint64_t offset, uint8_t flip = 1) {
    auto all = files.snapshot();
    all.at(path).at(offset) ^= flip;
    files.restore(all);
  }
  /// A journal with two ready keys, closed.
  void with_two_keys() {
    auto x = reopen();
    for (uint64_t n : {0, 1}) {
      REQUIRE(x->put_key(record(n, key_state::stored), bits_of(n)));
      x->put_state(record(n, key_state::ready), 0);
    }
    commit(*x);
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "a journal gives back the keys, marks and numbers that were committed") {
  {
    auto x = reopen();
    auto memory = x->take_memory();
    CHECK(memory.live.empty());
    CHECK(memory.mine.generation == 1);
    REQUIRE(x->put_key(record(0, key_state::stored), bits_of(0)));
    auto assigned = record(0, key_state::assigned, 9);
    assigned.request = 11;
    assigned.users = 12;
    assigned.size_bits = 1024;
    x->put_state(assigned, 0);
    store_mark peer;
    peer.generation = 5;
    peer.instance[3] = 1;
    peer.progress = 77;
    x->put_peer(peer);
    x->put_secret_issue(2);
    commit(*x);
    CHECK(to_hex(x->bits(assigned.id)->view()) == to_hex(bits_of(0)));
  }
  auto x = reopen();
  auto memory = x->take_memory();
  REQUIRE(memory.live.size() == 1);
  auto& key = memory.live.front();
  CHECK(key.state == key_state::assigned);
  CHECK(key.request == 11);
  CHECK(key.users == 12);
  CHECK(key.size_bits == 1024);
  CHECK(memory.mine.generation == 2);
  CHECK(memory.mine.progress == 9);
  CHECK(memory.peer.generation == 5);
  CHECK(memory.peer.progress == 77);
  CHECK(memory.secret_issue == 2);
  CHECK(memory.session == 1);
  CHECK(memory.next_counter == 1);
  CHECK(to_hex(x->bits(key.id)->view()) == to_hex(bits_of(0)));
}

TEST_CASE_METHOD(fixture, "key bits never lie in the file, and their seal goes with their end") {
  auto x = reopen();
  REQUIRE(x->put_key(record(0, key_state::stored), bits_of(0)));
  commit(*x);
  CHECK_FALSE(contains(content(), bits_of(0)));
  auto slot = segments_at + slot_bytes;
  auto sealed = [&] {
    auto all = content();
    return bytes(all.begin() + static_cast<long>(slot + 64), all.begin() + static_cast<long>(slot + 124));
  };
  CHECK(sealed() != bytes(60));
  x->put_state(record(0, key_state::consumed), 1);
  commit(*x);
  CHECK(sealed() == bytes(60));
  CHECK_FALSE(x->bits(record(0, key_state::consumed).id));
}

TEST_CASE_METHOD(fixture, "a segment whose keys are all gone loses its data key, and is used again") {
  auto x = reopen();
  uint64_t n = 0;
  auto fill = [&] {
    for (int i = 0; i < 4; ++i, ++n)
      REQUIRE(x->put_key(record(n, key_state::stored), bits_of(n)));
  };
  for (int round = 0; round < 3; ++round)
    fill();
  commit(*x);
  CHECK(x->put_key(record(n, key_state::stored), bits_of(n)).error().code == ec::busy);
  auto first = content();
  bytes wrapped(first.begin() + segments_at + 36, first.begin() + segments_at + 84);
  for (uint64_t i = 0; i < 4; ++i)
    x->put_state(record(i, key_state::destroyed), 1 + i);
  commit(*x);
  CHECK_FALSE(contains(content(), wrapped));
  fill();
  commit(*x);
  x.reset();
  auto memory = reopen()->take_memory();
  CHECK(memory.live.size() == 12);
  CHECK(memory.next_counter == 16);
}

TEST_CASE_METHOD(fixture, "numbers stay taken when their segment is used again") {
  auto x = reopen();
  for (uint64_t n = 0; n < 40; ++n) {
    REQUIRE(x->put_key(record(n, key_state::stored), bits_of(n)));
    x->put_state(record(n, key_state::destroyed), n + 1);
    commit(*x);
  }
  x.reset();
  auto memory = reopen()->take_memory();
  CHECK(memory.live.empty());
  CHECK(memory.next_counter == 40);
}

TEST_CASE_METHOD(fixture, "who was promised a key that was given up is remembered when its segment is used again") {
  auto x = reopen();
  auto promised = record(0, key_state::destroyed);
  promised.request = 11;
  REQUIRE(x->put_key(record(0, key_state::stored), bits_of(0)));
  x->put_state(promised, 1);
  for (uint64_t n = 1; n < 40; ++n) {
    REQUIRE(x->put_key(record(n, key_state::stored), bits_of(n)));
    x->put_state(record(n, key_state::destroyed), n + 1);
    commit(*x);
  }
  x.reset();
  auto memory = reopen()->take_memory();
  CHECK(memory.live.empty());
  CHECK(std::count(memory.given_up.begin(), memory.given_up.end(), promised.id) > 0);
  CHECK(std::all_of(memory.given_up.begin(), memory.given_up.end(),
                    [&](auto& id) { return id == promised.id; }));
}

TEST_CASE_METHOD(fixture, "damage of one slot costs that key only") {
  with_two_keys();
  SECTION("in its head") { damage(segments_at + slot_bytes + 8); }
  SECTION("in its sealed bits") { damage(segments_at + slot_bytes + 80); }
  SECTION("in its checksum") { damage(segments_at + slot_bytes + 5); }
  auto x = reopen();
  auto memory = x->take_memory();
  CHECK(memory.damaged == 1);
  REQUIRE(memory.live.size() == 1);
  CHECK(memory.live.front().id == record(1, key_state::ready).id);
  CHECK(to_hex(x->bits(memory.live.front().id)->view()) == to_hex(bits_of(1)));
}

TEST_CASE_METHOD(fixture, "a slot that was moved or swapped under the checksum does not open") {
  with_two_keys();
  auto all = files.snapshot();
  auto& raw = all.at(path);
  // The sealed bits of key 1 under the name of key 0; the checksum is right again.
  auto* first = raw.data() + segments_at + slot_bytes;
  std::copy_n(first + slot_bytes + 64, 60, first + 64);
  files.restore(all);
  auto memory = reopen()->take_memory();
  CHECK(memory.damaged == 1);
  CHECK(memory.live.size() == 1);
}

TEST_CASE_METHOD(fixture, "a slot in a state that there is not costs that key only") {
  with_two_keys();
  auto all = files.snapshot();
  auto* slot = all.at(path).data() + segments_at + slot_bytes;
  slot[8] = static_cast<uint8_t>(key_state_count);
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(slot + 8, slot_bytes - 8);
  store_be32(slot + 4, crc.checksum());
  files.restore(all);
  auto memory = reopen()->take_memory();
  CHECK(memory.damaged == 1);
  CHECK(memory.live.size() == 1);
}

TEST_CASE_METHOD(fixture, "a key that stands in two slots is there once, and its end is its end") {
  with_two_keys();
  auto all = files.snapshot();
  auto* first = all.at(path).data() + segments_at + slot_bytes;
  std::copy_n(first, slot_bytes, first + 3 * slot_bytes);
  files.restore(all);
  auto x = reopen();
  auto memory = x->take_memory();
  CHECK(memory.damaged == 1);
  CHECK(memory.live.size() == 2);
  x->put_state(record(0, key_state::consumed), 1);
  commit(*x);
  x.reset();
  CHECK(reopen()->take_memory().live.size() == 1);
}

TEST_CASE_METHOD(fixture, "one damaged head is no loss, two are the end of it") {
  with_two_keys();
  damage(20);
  CHECK(reopen()->take_memory().live.size() == 2);
  damage(20);
  damage(512 + 20);
  CHECK(refused().find("both heads are damaged") != std::string::npos);
}

TEST_CASE_METHOD(fixture, "a file that is not this link's journal is refused and not changed") {
  with_two_keys();
  auto before = files.snapshot();
  SECTION("the wrong seal key") {
    for (uint8_t wrong = 8; wrong < 28; ++wrong)
      CHECK(refused(settings(wrong)) == path + ": the seal key does not open it");
  }
  SECTION("no seal key") {
    auto s = settings();
    s.seal_key = {};
    CHECK(refused(s).find("32 bytes") != std::string::npos);
  }
  SECTION("another link") {
    auto s = settings();
    s.link = link_id{"bob1/alice2"};
    CHECK(refused(s).find("another link") != std::string::npos);
  }
  SECTION("the other end") {
    auto s = settings();
    s.end = link_end::alice;
    CHECK(refused(s).find("another link or end") != std::string::npos);
  }
  CHECK(files.snapshot() == before);
}

TEST_CASE_METHOD(fixture, "garbage, a newer version and a short file are refused by name") {
  auto put = [&](bytes content) { files.restore({{path, std::move(content)}}); };
  SECTION("garbage") {
    put(bytes(8192, 0x5a));
    CHECK(refused() == path + ": not a key journal");
  }
  SECTION("a few bytes") {
    put(bytes(100, 0x5a));
    CHECK(refused() == path + ": not a key journal");
  }
  SECTION("a newer version") {
    with_two_keys();
    auto all = files.snapshot();
    all.at(path)[3] = all.at(path)[512 + 3] = '2';
    files.restore(all);
    CHECK(refused().find("newer") != std::string::npos);
  }
  SECTION("cut off") {
    with_two_keys();
    auto all = files.snapshot();
    all.at(path).resize(all.at(path).size() - 128);
    files.restore(all);
    CHECK(refused().find("shorter") != std::string::npos);
  }
}

TEST_CASE_METHOD(fixture, "any bytes are a journal or an error") {
  with_two_keys();
  auto good = files.snapshot();
  for (int round = 0; round < 2000; ++round) {
    auto all = good;
    auto& raw = all.at(path);
    for (auto flips = 1 + random->next() % 8; flips > 0; --flips)
      raw[random->next() % raw.size()] = static_cast<uint8_t>(random->next());
    if (random->next() % 4 == 0)
      raw.resize(random->next() % raw.size());
    files.restore(all);
    if (auto x = open())
      CHECK((*x)->take_memory().live.size() <= 2);
  }
}

TEST_CASE("a second process cannot open the same journal") {
  test::temporary_folder folder;
  auto random = make_seeded_random(1);
  auto a = make_disk_storage(folder.path());
  auto b = make_disk_storage(folder.path());
  REQUIRE(a);
  REQUIRE(b);
  auto first = journal::open(**a, path, settings(), *random);
  REQUIRE(first);
  auto second = journal::open(**b, path, settings(), *random);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ec::busy);
}
