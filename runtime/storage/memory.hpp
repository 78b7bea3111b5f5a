#pragma once

#include "runtime/storage/storage.hpp"

#include <map>
#include <mutex>

namespace qnfv {

/// Files in memory, for simulations. Knows what was synced: a crash loses the rest.
class memory_storage : public storage {
public:
  result<std::shared_ptr<file_reader>> open(const std::string& path) const override;
  result<std::unique_ptr<file_writer>> create(const std::string& path) override;
  status rename(const std::string& from, const std::string& to) override;
  status remove(const std::string& path) override;
  std::vector<std::string> list(const std::string& folder) const override;

  /// What a power cut leaves: of every file only what was synced. A file never synced is gone.
  void crash();

  struct file {
    bytes content;
    size_t synced = 0;
    bool ever_synced = false;
  };

private:
  class writer;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<file>> files_;
};

} // namespace qnfv
