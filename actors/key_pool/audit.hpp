#pragma once

// The audit trail of one site's keys: what was assigned, delivered, spent and destroyed, durable
// before anybody is told. Files audit/000001.log, 000002.log, ...: one JSON object a line, each with
// the SHA-256 of the line before it, so that no line can be changed, dropped or moved unnoticed. A
// file is extended by zeros in advance; the first zero byte ends it.
//
//   {"seq":7,"time":"2026-01-02T03:04:05.678901Z","event":"delivered","link":"bob1/alice1",
//    "key":"6427c6cb-...","change":3,"text":"nfv-co -> mano-gw-1","prev":"9f86d0..."}
//
// A chain says nothing about lines cut off at its end: the key journal remembers which of its changes
// are recorded here, and says so when it is opened. Nor does it stop somebody who writes the whole chain
// anew: for that, note the digest of the last line somewhere else.

#include "runtime/base/ids.hpp"
#include "runtime/crypto/sha256.hpp"
#include "runtime/storage/storage.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace qnfv {

struct audit_event {
  int64_t unix_ns = 0;
  std::string event; ///< "assigned", "delivered", "spent", "destroyed", "alarm", "opened"
  std::string link;
  std::string key;   ///< Its id, or empty.
  std::string text;
  uint64_t change = 0; ///< Its number in the link's key journal; 0: it is none of a key.
};

class audit_trail {
public:
  /// Continues the trail in `folder`. Failures: busy, storage_failed, bad_config (the newest file
  /// is broken before its end).
  static result<std::shared_ptr<audit_trail>> open(std::shared_ptr<storage> files,
                                                   const std::string& folder,
                                                   uint64_t file_bytes_max = 64u << 20);

  /// Returns the record's number. Durable after the next `flush`.
  uint64_t append(const audit_event&);
  /// Writes and syncs everything that was appended. From any thread. After a failure it fails for
  /// ever.
  status flush();
  /// The number of the last record.
  uint64_t last() const;
  /// The highest change of a link's key journal that was recorded here when the trail was opened.
  uint64_t found(const std::string& link) const;

private:
  audit_trail(std::shared_ptr<storage> files, std::string folder, uint64_t limit)
    : files_(std::move(files)), folder_(std::move(folder)), limit_(limit) {}
  status open_file(uint32_t number);
  std::string path(uint32_t number) const;

  std::shared_ptr<storage> files_;
  std::string folder_;
  uint64_t limit_;
  mutable std::mutex mutex_; ///< Of what was appended.
  std::string pending_;
  uint64_t last_ = 0;
  std::map<std::string, uint64_t> found_;
  sha256_digest previous_{};
  std::mutex writing_;       ///< Of the file.
  std::unique_ptr<owned_file> file_;
  uint32_t number_ = 0;
  uint64_t at_ = 0;          ///< Where the next line goes.
  uint64_t extended_ = 0;    ///< The file is zeros from at_ up to here.
  bool broken_ = false;
};

struct audit_report {
  uint64_t records = 0;
  uint64_t last = 0;
  uint32_t files = 0;
  sha256_digest digest{}; ///< Of the last line.
  std::map<std::string, uint64_t> events;  ///< How many of each.
  std::map<std::string, uint64_t> changes; ///< Per link, the highest.
};

/// Reads the whole trail. Failure: stream_corrupt naming file and line, storage_failed.
/// `each` sees every line in order.
result<audit_report> verify_audit(const storage& files, const std::string& folder,
                                  const std::function<void(const std::string& line)>& each = {});

} // namespace qnfv
