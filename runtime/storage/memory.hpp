#pragma once

#include "runtime/storage/sparse_bytes.hpp"
#include "runtime/storage/storage.hpp"

#include <functional>
#include <map>
#include <mutex>

namespace qnfv {

/// Files in memory, for simulations. Knows what was synced: a crash loses the rest.
class memory_storage : public storage {
public:
  result<std::shared_ptr<file_reader>> open(const std::string& path) const override;
  result<std::unique_ptr<file_writer>> create(const std::string& path) override;
  result<std::unique_ptr<owned_file>> own(const std::string& path) override;
  status rename(const std::string& from, const std::string& to) override;
  status remove(const std::string& path) override;
  std::vector<std::string> list(const std::string& folder) const override;

  /// What a power cut leaves: of every file what was synced, and of each un-synced sector the new
  /// content or the old one, as `kept` says (default: always the old). A file never synced is gone.
  /// Files that are open still are closed.
  void crash(const std::function<bool()>& kept = {});

  enum class operation : uint8_t { write, sync, rename };
  /// Asked before each operation that changes something; false: it fails and does nothing. A failed
  /// disk or a power cut at exactly this point.
  void before(std::function<bool(operation, const std::string& path)> allow);

  /// What all files hold now; `restore` puts it back: a backup, a cloned machine.
  std::map<std::string, bytes> snapshot() const;
  void restore(const std::map<std::string, bytes>&);

  struct file {
    sparse_bytes content;
    sparse_bytes durable;
    std::vector<std::pair<size_t, size_t>> unsynced; ///< Offset, length.
    bool ever_synced = false;
    std::weak_ptr<int> owner;
  };

private:
  class writer;
  class owned;
  bool allowed(operation, const std::string& path) const;
  status write(file&, const std::string& path, size_t offset, byte_view);
  status sync(file&, const std::string& path);

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<file>> files_;
  std::function<bool(operation, const std::string&)> before_;
};

} // namespace qnfv
