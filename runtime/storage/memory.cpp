#include "runtime/storage/memory.hpp"

#include <algorithm>
#include <cstring>

namespace qnfv {

namespace {

class memory_reader : public file_reader {
public:
  explicit memory_reader(bytes content) : content_(std::move(content)) {}
  uint64_t size() const override { return content_.size(); }
  result<size_t> read(uint64_t offset, uint8_t* to, size_t n) const override {
    auto part = byte_view{content_}.part(offset, n);
    if (!part.empty())
      std::memcpy(to, part.data(), part.size());
    return part.size();
  }

private:
  bytes content_;
};

} // namespace

class memory_storage::writer : public file_writer {
public:
  writer(std::mutex& mutex, std::shared_ptr<file> f) : mutex_(mutex), file_(std::move(f)) {}
  status append(byte_view x) override {
    std::lock_guard<std::mutex> guard{mutex_};
    file_->content.insert(file_->content.end(), x.begin(), x.end());
    return done{};
  }
  status sync() override {
    std::lock_guard<std::mutex> guard{mutex_};
    file_->synced = file_->content.size();
    file_->ever_synced = true;
    return done{};
  }

private:
  std::mutex& mutex_;
  std::shared_ptr<file> file_;
};

result<std::shared_ptr<file_reader>> memory_storage::open(const std::string& path) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = files_.find(path);
  if (i == files_.end())
    return {ec::storage_failed, path + ": No such file or directory"};
  return std::shared_ptr<file_reader>{std::make_shared<memory_reader>(i->second->content)};
}

result<std::unique_ptr<file_writer>> memory_storage::create(const std::string& path) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto f = std::make_shared<file>();
  files_[path] = f;
  return std::unique_ptr<file_writer>{std::make_unique<writer>(mutex_, std::move(f))};
}

status memory_storage::rename(const std::string& from, const std::string& to) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = files_.find(from);
  if (i == files_.end())
    return {ec::storage_failed, from + ": No such file or directory"};
  files_[to] = i->second;
  files_.erase(from);
  return done{};
}

status memory_storage::remove(const std::string& path) {
  std::lock_guard<std::mutex> guard{mutex_};
  files_.erase(path);
  return done{};
}

std::vector<std::string> memory_storage::list(const std::string& folder) const {
  std::lock_guard<std::mutex> guard{mutex_};
  std::vector<std::string> out;
  auto prefix = folder + "/";
  for (auto& entry : files_)
    if (entry.first.compare(0, prefix.size(), prefix) == 0
        && entry.first.find('/', prefix.size()) == std::string::npos)
      out.push_back(entry.first.substr(prefix.size()));
  return out;
}

void memory_storage::crash() {
  std::lock_guard<std::mutex> guard{mutex_};
  for (auto i = files_.begin(); i != files_.end();) {
    if (!i->second->ever_synced) {
      i = files_.erase(i);
      continue;
    }
    i->second->content.resize(std::min(i->second->content.size(), i->second->synced));
    ++i;
  }
}

} // namespace qnfv
