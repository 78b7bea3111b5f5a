#pragma once

// Files through one seam, so that a simulation can lose what was not synced.
//
// A path is relative to the storage's root unless it is absolute (an operator's image file). All
// functions are safe to call from several threads on different files. Failures are storage_failed
// with the path and the system's reason in the text.

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

#include <memory>
#include <string>
#include <vector>

namespace qnfv {

class file_reader {
public:
  virtual ~file_reader() = default;
  virtual uint64_t size() const = 0;
  /// Reads up to `n` bytes at `offset`; fewer only at the end of the file. Any thread.
  virtual result<size_t> read(uint64_t offset, uint8_t* to, size_t n) const = 0;
};

class file_writer {
public:
  virtual ~file_writer() = default;
  virtual status append(byte_view) = 0;
  /// Durable when it answers. After a failure the file is in an unknown state.
  virtual status sync() = 0;
};

/// A file that is written in place by one owner: a journal, an audit trail.
class owned_file {
public:
  virtual ~owned_file() = default;
  virtual uint64_t size() const = 0;
  /// As file_reader::read.
  virtual result<size_t> read(uint64_t offset, uint8_t* to, size_t n) const = 0;
  /// Writes at `offset`, which may lie at the end but not beyond. What is not synced may survive a
  /// power cut or not, each 512-byte sector on its own.
  virtual status write(uint64_t offset, byte_view) = 0;
  /// Durable when it answers. After a failure the file is in an unknown state.
  virtual status sync() = 0;
};

class storage {
public:
  virtual ~storage() = default;
  /// Also storage_failed for what is not a regular file.
  virtual result<std::shared_ptr<file_reader>> open(const std::string& path) const = 0;
  /// A new, empty file readable by its owner only; replaces an existing one. Makes folders.
  virtual result<std::unique_ptr<file_writer>> create(const std::string& path) = 0;
  /// Opens for reading and writing in place, or makes an empty file (0600, durable as a name). It is
  /// locked until the object goes. Failures: busy (somebody has it open), storage_failed.
  virtual result<std::unique_ptr<owned_file>> own(const std::string& path) = 0;
  /// Atomic and durable when it answers.
  virtual status rename(const std::string& from, const std::string& to) = 0;
  /// Removing what does not exist is success.
  virtual status remove(const std::string& path) = 0;
  /// Names of the files in a folder, sorted; empty if there is no such folder.
  virtual std::vector<std::string> list(const std::string& folder) const = 0;

  /// The whole of a small file. Failure also if it is larger than `limit`.
  result<bytes> load(const std::string& path, size_t limit = 1u << 20) const;
  /// Replaces a small file atomically and durably.
  status replace(const std::string& path, byte_view content);
};

/// Files below `root`, which is created (0700) if need be.
result<std::shared_ptr<storage>> make_disk_storage(const std::string& root);

} // namespace qnfv
