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
  const bytes content_;
};

} // namespace

class memory_storage::writer : public file_writer {
public:
  writer(memory_storage& disk, std::shared_ptr<file> f, std::string path)
    : disk_(disk), file_(std::move(f)), path_(std::move(path)) {}
  status append(byte_view x) override {
    std::lock_guard<std::mutex> guard{disk_.mutex_};
    return disk_.write(*file_, path_, file_->content.size(), x);
  }
  status sync() override {
    std::lock_guard<std::mutex> guard{disk_.mutex_};
    return disk_.sync(*file_, path_);
  }

private:
  memory_storage& disk_;
  std::shared_ptr<file> file_;
  std::string path_;
};

class memory_storage::owned : public owned_file {
public:
  owned(memory_storage& disk, std::shared_ptr<file> f, std::string path)
    : disk_(disk), file_(std::move(f)), path_(std::move(path)) {
    file_->owner = lock_;
  }
  uint64_t size() const override {
    std::lock_guard<std::mutex> guard{disk_.mutex_};
    return file_->content.size();
  }
  result<size_t> read(uint64_t offset, uint8_t* to, size_t n) const override {
    std::lock_guard<std::mutex> guard{disk_.mutex_};
    return file_->content.read(offset, to, n);
  }
  status write(uint64_t offset, byte_view x) override {
    std::lock_guard<std::mutex> guard{disk_.mutex_};
    if (file_->owner.lock() != lock_)
      return {ec::storage_failed, path_ + ": the power was cut"};
    return disk_.write(*file_, path_, offset, x);
  }
  status sync() override {
    std::lock_guard<std::mutex> guard{disk_.mutex_};
    if (file_->owner.lock() != lock_)
      return {ec::storage_failed, path_ + ": the power was cut"};
    return disk_.sync(*file_, path_);
  }

private:
  memory_storage& disk_;
  std::shared_ptr<file> file_;
  std::string path_;
  std::shared_ptr<int> lock_ = std::make_shared<int>();
};

bool memory_storage::allowed(operation x, const std::string& path) const {
  return !before_ || before_(x, path);
}

status memory_storage::write(file& f, const std::string& path, size_t offset, byte_view x) {
  if (!allowed(operation::write, path))
    return {ec::storage_failed, path + ": Input/output error"};
  if (x.empty())
    return done{};
  f.content.write(offset, x);
  if (!f.unsynced.empty() && f.unsynced.back().first + f.unsynced.back().second == offset)
    f.unsynced.back().second += x.size();
  else
    f.unsynced.emplace_back(offset, x.size());
  return done{};
}

status memory_storage::sync(file& f, const std::string& path) {
  if (!allowed(operation::sync, path))
    return {ec::storage_failed, path + ": Input/output error"};
  for (auto& [offset, n] : f.unsynced)
    f.durable.copy(f.content, offset, n);
  f.unsynced.clear();
  f.ever_synced = true;
  return done{};
}

result<std::shared_ptr<file_reader>> memory_storage::open(const std::string& path) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = files_.find(path);
  if (i == files_.end())
    return {ec::storage_failed, path + ": No such file or directory"};
  return std::shared_ptr<file_reader>{std::make_shared<memory_reader>(i->second->content.all())};
}

result<std::unique_ptr<file_writer>> memory_storage::create(const std::string& path) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto f = std::make_shared<file>();
  files_[path] = f;
  return std::unique_ptr<file_writer>{std::make_unique<writer>(*this, std::move(f), path)};
}

result<std::unique_ptr<owned_file>> memory_storage::own(const std::string& path) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto& f = files_[path];
  if (!f) {
    f = std::make_shared<file>();
    f->ever_synced = true; // The name is durable.
  }
  if (!f->owner.expired())
    return {ec::busy, path + ": somebody else has it open"};
  return std::unique_ptr<owned_file>{std::make_unique<owned>(*this, f, path)};
}

status memory_storage::rename(const std::string& from, const std::string& to) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = files_.find(from);
  if (i == files_.end())
    return {ec::storage_failed, from + ": No such file or directory"};
  if (!allowed(operation::rename, to))
    return {ec::storage_failed, to + ": Input/output error"};
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
  auto prefix = folder.empty() ? "" : folder + "/";
  for (auto& entry : files_)
    if (entry.first.compare(0, prefix.size(), prefix) == 0
        && entry.first.find('/', prefix.size()) == std::string::npos)
      out.push_back(entry.first.substr(prefix.size()));
  return out;
}

void memory_storage::crash(const std::function<bool()>& kept) {
  constexpr size_t sector = 512;
  std::lock_guard<std::mutex> guard{mutex_};
  before_ = nullptr;
  for (auto i = files_.begin(); i != files_.end();) {
    auto& f = *i->second;
    f.owner.reset();
    if (!f.ever_synced) {
      i = files_.erase(i);
      continue;
    }
    for (auto& [offset, n] : f.unsynced)
      for (size_t at = offset; kept && at < offset + n;) {
        auto end = std::min((at / sector + 1) * sector, offset + n);
        if (kept())
          f.durable.copy(f.content, at, end - at);
        at = end;
      }
    f.unsynced.clear();
    f.content = f.durable;
    ++i;
  }
}

void memory_storage::before(std::function<bool(operation, const std::string&)> allow) {
  std::lock_guard<std::mutex> guard{mutex_};
  before_ = std::move(allow);
}

std::map<std::string, bytes> memory_storage::snapshot() const {
  std::lock_guard<std::mutex> guard{mutex_};
  std::map<std::string, bytes> out;
  for (auto& [path, f] : files_)
    out[path] = f->content.all();
  return out;
}

void memory_storage::restore(const std::map<std::string, bytes>& from) {
  std::lock_guard<std::mutex> guard{mutex_};
  files_.clear();
  for (auto& [path, content] : from) {
    auto f = std::make_shared<file>();
    f->content = f->durable = sparse_bytes{content};
    f->ever_synced = true;
    files_[path] = f;
  }
}

} // namespace qnfv
