// A key journal as a disk gives it back. The input: both heads, then the segments; what lies between
// them says nothing. An odd first byte: with the right checksums, which no mutation finds.

#include "actors/key_pool/journal.hpp"
#include "runtime/storage/memory.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <boost/crc.hpp>

#include <algorithm>
#include <cstring>
#include <set>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

const link_id the_link{"bob1/alice1"};
const std::string path = "keys/bob1-alice1.journal";

result<std::unique_ptr<journal>> open(memory_storage& files, random_source& random) {
  journal_settings s;
  s.link = the_link;
  s.seal_key = secret{bytes(32, 7)};
  s.segments = 3;
  s.segment_slots = 4;
  return journal::open(files, path, std::move(s), random);
}

bytes file_of(parts& in) {
  bytes out(4096);
  for (size_t at : {0, 512}) {
    auto head = in.take(128);
    std::copy(head.begin(), head.end(), out.begin() + static_cast<long>(at));
  }
  out.insert(out.end(), in.rest().begin(), in.rest().end());
  return out;
}

void sign(bytes& file) {
  for (size_t at = 0; at + 128 <= file.size(); at += 128) {
    if (std::memcmp(file.data() + at, "QK", 2) != 0)
      continue;
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    crc.process_bytes(file.data() + at + 8, 120);
    store_be32(file.data() + at + 4, crc.checksum());
  }
}

/// What an opened journal says of its keys.
std::set<std::pair<key_id, key_state>> judge(journal& x) {
  std::set<std::pair<key_id, key_state>> out;
  std::set<key_id> ids;
  for (auto& key : x.take_memory().live) {
    hold(static_cast<size_t>(key.state) < key_state_count, "a key has a state that there is");
    hold(rank_of(key.state) > 0 && rank_of(key.state) < 4, "a live key is here, and not spent");
    hold(ids.insert(key.id).second, "no key is there twice");
    auto bits = x.bits(key.id);
    hold(bits && bits->size() == key_bytes, "a live key has its bits");
    out.insert({key.id, key.state});
  }
  return out;
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  bool signing = in.byte() % 2 == 1;
  auto file = file_of(in);
  if (signing)
    sign(file);
  auto random = make_seeded_random(3);
  memory_storage files;
  files.restore({{path, file}});
  auto x = open(files, *random);
  if (!x) {
    hold(x.error().code == ec::bad_config, "a file that is no journal is a bad configuration");
    hold(files.snapshot().at(path) == file, "and stays as it is");
    return 0;
  }
  auto keys = judge(**x);
  // Every key is spent, and one is stored: whatever the file said, it can be worked with.
  for (auto& [id, state] : keys) {
    key_record gone;
    gone.id = id;
    gone.state = key_state::destroyed;
    (*x)->put_state(gone, (*x)->last_change() + 1);
    hold(!(*x)->bits(id), "a key that is gone has no bits");
  }
  key_record fresh;
  fresh.id = make_key_id(the_link, 4000000000, link_end::alice, 5);
  fresh.state = key_state::stored;
  auto stored = (*x)->put_key(fresh, bytes(key_bytes, 9));
  hold(stored || stored.error().code == ec::busy, "a key is stored, or there is no room");
  hold(bool{(*x)->write((*x)->take_batch(0))}, "a batch can be written");
  x->reset();
  auto again = open(files, *random);
  hold(bool{again}, "a journal that was opened opens again");
  auto expected = std::set<std::pair<key_id, key_state>>{};
  if (stored)
    expected.insert({fresh.id, fresh.state});
  hold(judge(**again) == expected, "and holds what it was told");
  return 0;
}
