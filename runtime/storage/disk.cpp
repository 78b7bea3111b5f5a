#include "runtime/storage/storage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace qnfv {

namespace {

failure failed(const std::string& path) {
  return {ec::storage_failed, path + ": " + std::strerror(errno)};
}

/// An open file descriptor that closes itself.
class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_;
};

result<size_t> read_at(const descriptor& fd, const std::string& path, uint64_t offset, uint8_t* to,
                       size_t n) {
  size_t got = 0;
  while (got < n) {
    auto k = ::pread(fd.get(), to + got, n - got, static_cast<off_t>(offset + got));
    if (k < 0 && errno == EINTR)
      continue;
    if (k < 0)
      return failed(path);
    if (k == 0)
      break;
    got += static_cast<size_t>(k);
  }
  return got;
}

class disk_reader : public file_reader {
public:
  disk_reader(descriptor fd, uint64_t size, std::string path)
    : fd_(std::move(fd)), size_(size), path_(std::move(path)) {}
  uint64_t size() const override { return size_; }
  result<size_t> read(uint64_t offset, uint8_t* to, size_t n) const override {
    return read_at(fd_, path_, offset, to, n);
  }

private:
  descriptor fd_;
  uint64_t size_;
  std::string path_;
};

/// `write_from(put)` writes what follows the first `put` bytes, or some of it.
template <class Write>
status write_all(const std::string& path, byte_view x, Write write_from) {
  size_t put = 0;
  while (put < x.size()) {
    auto k = write_from(put);
    if (k < 0 && errno == EINTR)
      continue;
    if (k < 0)
      return failed(path);
    put += static_cast<size_t>(k);
  }
  return done{};
}

status sync_data(int fd, const std::string& path) {
  if (::fdatasync(fd) != 0)
    return failed(path);
  return done{};
}

class disk_writer : public file_writer {
public:
  disk_writer(descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  status append(byte_view x) override {
    return write_all(path_, x, [&](size_t put) {
      return ::write(fd_.get(), x.data() + put, x.size() - put);
    });
  }
  status sync() override {
    return sync_data(fd_.get(), path_);
  }

private:
  descriptor fd_;
  std::string path_;
};

class disk_owned : public owned_file {
public:
  disk_owned(descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  uint64_t size() const override {
    struct ::stat info;
    return ::fstat(fd_.get(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
  }
  result<size_t> read(uint64_t offset, uint8_t* to, size_t n) const override {
    return read_at(fd_, path_, offset, to, n);
  }
  status write(uint64_t offset, byte_view x) override {
    return write_all(path_, x, [&](size_t put) {
      return ::pwrite(fd_.get(), x.data() + put, x.size() - put, static_cast<off_t>(offset + put));
    });
  }
  status sync() override {
    return sync_data(fd_.get(), path_);
  }

private:
  descriptor fd_;
  std::string path_;
};

status make_folders(const std::string& path) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    auto folder = path.substr(0, at);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      return failed(folder);
  }
  return done{};
}

status sync_folder_of(const std::string& path) {
  auto folder = path.substr(0, path.rfind('/') + 1);
  descriptor fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd || ::fsync(fd.get()) != 0)
    return failed(folder);
  return done{};
}

class disk_storage : public storage {
public:
  explicit disk_storage(std::string root) : root_(std::move(root)) {}

  result<std::shared_ptr<file_reader>> open(const std::string& path) const override {
    auto full = full_path(path);
    // O_NONBLOCK: a named pipe must not hang us before we see that it is none of ours.
    descriptor fd{::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!fd)
      return failed(full);
    struct ::stat info;
    if (::fstat(fd.get(), &info) != 0)
      return failed(full);
    if (!S_ISREG(info.st_mode))
      return {ec::storage_failed, full + ": not a regular file"};
    return std::shared_ptr<file_reader>{
      std::make_shared<disk_reader>(std::move(fd), static_cast<uint64_t>(info.st_size), full)};
  }

  result<std::unique_ptr<file_writer>> create(const std::string& path) override {
    auto full = full_path(path);
    if (auto ok = make_folders(full); !ok)
      return ok.error();
    descriptor fd{::open(full.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!fd)
      return failed(full);
    return std::unique_ptr<file_writer>{std::make_unique<disk_writer>(std::move(fd), full)};
  }

  result<std::unique_ptr<owned_file>> own(const std::string& path) override {
    auto full = full_path(path);
    if (auto ok = make_folders(full); !ok)
      return ok.error();
    descriptor fd{::open(full.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (!fd)
      return failed(full);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
      return {errno == EWOULDBLOCK ? ec::busy : ec::storage_failed,
              full + (errno == EWOULDBLOCK ? ": another process has it open"
                                           : std::string{": "} + std::strerror(errno))};
    struct ::stat info;
    if (::fstat(fd.get(), &info) != 0)
      return failed(full);
    if (info.st_size == 0)
      if (auto ok = sync_folder_of(full); !ok)
        return ok.error();
    return std::unique_ptr<owned_file>{std::make_unique<disk_owned>(std::move(fd), full)};
  }

  status rename(const std::string& from, const std::string& to) override {
    auto target = full_path(to);
    if (auto ok = make_folders(target); !ok)
      return ok;
    if (::rename(full_path(from).c_str(), target.c_str()) != 0)
      return failed(full_path(from));
    return sync_folder_of(target);
  }

  status remove(const std::string& path) override {
    if (::unlink(full_path(path).c_str()) != 0 && errno != ENOENT)
      return failed(full_path(path));
    return done{};
  }

  std::vector<std::string> list(const std::string& folder) const override {
    std::vector<std::string> out;
    if (auto* dir = ::opendir(full_path(folder).c_str())) {
      while (auto* entry = ::readdir(dir))
        if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
          out.emplace_back(entry->d_name);
      ::closedir(dir);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

private:
  std::string full_path(const std::string& path) const {
    return !path.empty() && path[0] == '/' ? path : root_ + "/" + path;
  }

  std::string root_;
};

} // namespace

result<std::shared_ptr<storage>> make_disk_storage(const std::string& root) {
  if (auto ok = make_folders(root + "/"); !ok)
    return ok.error();
  return std::shared_ptr<storage>{std::make_shared<disk_storage>(root)};
}

} // namespace qnfv
