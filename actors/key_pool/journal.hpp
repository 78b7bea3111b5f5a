#pragma once

// The key journal: the keys of one link and end, sealed, in one file of fixed size. Version 1.
//
//   offset   size
//        0    512  head, copy A   } written in turn; the valid one with the higher serial counts
//      512    512  head, copy B   }
//     4096         segments of (1 + slots) * 128 bytes, as many as the head says
//
// All integers are big endian; every record ends nowhere near a sector's border, so a sector holds
// whole records. crc32c covers the record from byte 8 to its end.
//
// Head (128 bytes used)              Segment header (128)             Slot (128)
//    0  4 "QKJ1"                        0  4 "QKG1"                      0  4 "QKS1"
//    4  4 crc32c                        4  4 crc32c                      4  4 crc32c
//    8  8 serial                        8  1 1: in use, 0: free          8  1 key_state
//   16 16 link and end (digest)         9  7 zero                        9  7 zero
//   32  4 generation                   16  8 serial, grows             16 16 key id
//   36 16 instance                     24 12 nonce                     32  8 request tag
//   52  4 peer's generation            36 48 sealed data key           40  8 users tag
//   56 16 peer's instance              84  4 highest session           48  8 progress
//   72  8 peer's progress              88  8 next counter              56  8 change
//   80  8 progress                     96 32 zero                      64 12 nonce
//   88  4 highest session                                              76 48 sealed key bits
//   92  8 next counter                                                124  4 size of the whole key
//  100  4 slots per segment
//  104  4 segments
//  108  4 issue of the initial secret
//  112  1 1: rolled back
//  113  8 last change that is in the audit trail
//
// A key's slot is written once with its sealed bits (AES-256-GCM under the segment's data key; AAD:
// link, end and id) and rewritten in place as its state changes. CONSUMED and DESTROYED zero nonce and
// sealed bits: recording and wiping are one write. When the last key of a segment is gone, its data
// key is overwritten too; what an SSD or a backup still holds of the slots is then noise. A freed
// segment is filled with zeros and sealed under a new data key when it is used again; tombstones of the
// newest keys that were promised and given up come along, as the peer may still hold its copies.
//
// The seal key only wraps data keys (one per 4095 keys), so it stays far below GCM's limits.
//
// Downsides: state and progress are guarded by a checksum only: whoever can write to the disk can
// change them (and is then found out when the two ends compare, or breaks the pool). A file has one
// size: a link needs segments * slots * 128 bytes from its first day.

#include "actors/key_pool/key_store.hpp"
#include "runtime/crypto/seal.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/system/random.hpp"

#include <deque>
#include <unordered_map>
#include <vector>

namespace qnfv {

struct journal_settings {
  link_id link;
  link_end end = link_end::bob;
  secret seal_key;               ///< 32 bytes.
  uint32_t segments = 12;
  uint32_t segment_slots = 4095;
};

/// Writes that belong to one commit: all of a stage are synced before the next stage begins.
struct journal_batch {
  struct write {
    uint64_t offset;
    bytes content;
  };
  std::vector<std::vector<write>> stages;
};

class journal {
public:
  /// Opens or creates the file. Nothing is changed in it before the seal key has proved right.
  /// Failures: busy (another process has it), bad_config (not our file, another version, another
  /// link, the wrong seal key, both heads damaged), storage_failed.
  static result<std::unique_ptr<journal>> open(storage& files, const std::string& path,
                                               journal_settings s, random_source& random);

  /// What the file held, after this start was recorded (new generation and instance).
  key_memory take_memory() { return std::move(memory_); }
  /// Changes that go into the audit trail are numbered. The last one that was known to be there,
  uint64_t audited_change() const { return audited_change_; }
  /// and the last one here.
  uint64_t last_change() const { return last_change_; }
  /// Keys whose last such change is above `audited`: recorded here, but not there. Once, after
  /// opening.
  std::vector<key_record> take_unaudited(uint64_t audited);

  // What changes is collected until take_batch.
  status put_key(const key_record&, byte_view bits);
  /// `change`: its number, if it goes into the audit trail; else 0.
  void put_state(const key_record&, uint64_t change);
  result<secret> bits(const key_id&) const;
  void put_peer(const store_mark&);
  void put_secret_issue(uint32_t);
  void put_rolled_back(bool);
  /// Gives a change that take_unaudited told of a new number; an end becomes DESTROYED.
  void put_change(const key_id&, uint64_t change);
  /// `audited`: the last change that is durable in the audit trail by now.
  journal_batch take_batch(uint64_t audited);

  /// Writes and syncs a batch. The only function that may run on another thread.
  status write(const journal_batch&);

private:
  using record = std::array<uint8_t, 128>;
  struct segment {
    bool in_use = false;
    uint64_t serial = 0;
    secret data_key;
    uint32_t used = 0; ///< Slots written.
    uint32_t live = 0;
  };
  struct place {
    uint32_t segment = 0;
    uint32_t slot = 0;
    record image{};
  };

  journal(journal_settings s, random_source& random) : s_(std::move(s)), random_(random) {}
  status create();
  status load();
  void read_slots(uint32_t segment, byte_view raw);
  status start();
  uint64_t offset_of(uint32_t segment, uint32_t slot) const; ///< Slot 0 is the header.
  record head() const;
  record segment_header(const segment&) const;
  bytes associated(const key_id&) const;
  static record slot_of(const key_record&, uint64_t change);
  void give_up(const key_record&);
  status next_segment();
  void free_if_dead(uint32_t segment);
  uint64_t file_bytes() const;

  journal_settings s_;
  random_source& random_;
  std::string path_;
  std::unique_ptr<owned_file> file_;
  key_memory memory_;
  std::vector<segment> segments_;
  uint32_t current_ = 0;
  std::unordered_map<key_id, place, key_id_hash> places_;
  struct numbered {
    key_record key;
    uint64_t change = 0;
    place where;
  };
  std::deque<key_record> given_up_;  ///< Promised and destroyed; the newest ones.
  std::vector<numbered> numbered_; ///< Found when it was opened; until they are taken.
  uint64_t head_serial_ = 0;
  uint64_t progress_ = 0;
  uint64_t audited_change_ = 0;
  uint64_t last_change_ = 0;
  uint32_t session_ = 0;
  uint64_t next_counter_ = 0;
  uint32_t secret_issue_ = 0;
  bool rolled_back_ = false;
  store_mark mine_;
  store_mark peer_;
  uint32_t damaged_ = 0;

  bool head_changed_ = false;
  bool head_last_ = false; ///< It promises what the rest of the batch holds.
  std::map<uint64_t, record> changed_;                  ///< By offset.
  std::vector<std::vector<journal_batch::write>> first_; ///< Stages before it.
};

} // namespace qnfv
