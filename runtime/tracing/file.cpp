#include "runtime/tracing/file.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace qnfv {

namespace {

constexpr size_t write_bytes = 64u << 10; ///< Lines are written when there are so many, or no more.
constexpr int niceness = 10;              ///< Of the writer, against 0 of the actors.
constexpr size_t records_at_once = 16;

} // namespace

trace_file::trace_file(trace_ring& ring, std::string path, uint64_t bytes_max)
  : ring_(ring), path_(std::move(path)), bytes_max_(bytes_max), writer_([this] { run(); }) {}

trace_file::~trace_file() {
  ring_.close();
  writer_.join();
  shut();
}

void trace_file::run() {
  // On a machine that is full the actors go first, and their events are counted instead of written.
  (void) ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
  while (ring_.wait(seen_))
    drain();
  // The disk refused the last ones: once more, as a number.
  if (lined_ < seen_) {
    tell_lost(seen_);
    flush();
  }
}

void trace_file::tell_lost(uint64_t last) {
  trace_event gap;
  gap.unix_ns = newest_ns_;
  gap.site = newest_.site_name();
  gap.epoch = newest_.epoch;
  gap.sequence = last;
  gap.text = "dropped(" + std::to_string(last - lined_) + ")";
  lines_ += to_json(gap);
  lines_ += '\n';
  lined_ = last;
}

void trace_file::drain() {
  trace_record batch[records_at_once];
  auto before = seen_;
  while (auto n = ring_.read(seen_, batch, records_at_once)) {
    overrun_ += seen_ - before - n;
    before = seen_;
    for (size_t i = 0; i < n; ++i) {
      auto& x = batch[i];
      newest_ = x.id;
      newest_ns_ = x.unix_ns;
      if (x.id.sequence > lined_ + 1)
        tell_lost(x.id.sequence - 1);
      append_json(lines_, x);
      lines_ += '\n';
      lined_ = x.id.sequence;
    }
    if (lines_.size() >= write_bytes)
      flush();
  }
  flush();
}

void trace_file::flush() {
  if (append(lines_))
    written_ = lined_;
  else
    lined_ = written_; // The next line counts them.
  lines_.clear();
}

bool trace_file::append(const std::string& text) {
  if (fd_ < 0)
    open();
  if (fd_ >= 0 && size_ >= bytes_max_) {
    shut();
    std::rename(path_.c_str(), (path_ + ".1").c_str());
    open();
  }
  if (fd_ < 0)
    return false;
  for (size_t put = 0; put < text.size();) {
    auto n = ::write(fd_, text.data() + put, text.size() - put);
    if (n <= 0) {
      if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0)
        shut();
      return false;
    }
    put += static_cast<size_t>(n);
  }
  size_ += text.size();
  return true;
}

void trace_file::open() {
  fd_ = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0)
    return;
  size_ = static_cast<uint64_t>(std::max<off_t>(0, ::lseek(fd_, 0, SEEK_END)));
  // A start that was killed in the middle of a line spoils that one only.
  char last = '\n';
  if (size_ > 0 && ::pread(fd_, &last, 1, static_cast<off_t>(size_ - 1)) == 1 && last != '\n'
      && ::write(fd_, "\n", 1) == 1)
    ++size_;
}

void trace_file::shut() {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

} // namespace qnfv
