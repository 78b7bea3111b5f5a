#include "actors/key_pool/audit.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace qnfv {

namespace {

constexpr uint64_t extend_by = 1u << 20;

/// "2026-01-02T03:04:05.678901Z"
std::string utc(int64_t unix_ns) {
  auto seconds = static_cast<time_t>(unix_ns / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char out[40];
  auto n = std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(out + n, sizeof out - n, ".%06dZ",
                static_cast<int>(unix_ns % 1'000'000'000 / 1000));
  return out;
}

std::string name_of(uint32_t number) {
  char out[16];
  std::snprintf(out, sizeof out, "%06u.log", number);
  return out;
}

std::string line_of(const audit_event& x, uint64_t seq, const sha256_digest& previous) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> json{out};
  auto field = [&](const char* name, const std::string& value) {
    json.Key(name);
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartObject();
  json.Key("seq");
  json.Uint64(seq);
  field("time", utc(x.unix_ns));
  field("event", x.event);
  field("link", x.link);
  field("key", x.key);
  json.Key("change");
  json.Uint64(x.change);
  field("text", x.text);
  field("prev", to_hex(previous));
  json.EndObject();
  return out.GetString();
}

struct read_line {
  uint64_t seq = 0;
  std::string event;
  std::string link;
  uint64_t change = 0;
};

/// Nothing if it is no record that follows.
std::optional<read_line> check(const std::string& line, uint64_t expected,
                               const std::string& previous) {
  rapidjson::Document x;
  // Iterative: the depth of what a disk holds must not be the depth of our stack.
  x.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size());
  if (x.HasParseError() || !x.IsObject() || !x.HasMember("seq") || !x["seq"].IsUint64()
      || !x.HasMember("prev") || !x["prev"].IsString() || !x.HasMember("event")
      || !x["event"].IsString() || !x.HasMember("link") || !x["link"].IsString()
      || !x.HasMember("change") || !x["change"].IsUint64())
    return std::nullopt;
  if (x["seq"].GetUint64() != expected || previous != x["prev"].GetString())
    return std::nullopt;
  return read_line{expected, x["event"].GetString(), x["link"].GetString(), x["change"].GetUint64()};
}

struct walk {
  audit_report report;
  sha256_digest previous{};
  uint64_t end = 0;         ///< Where the last file's lines end.
  std::string broken;       ///< Where the chain does not hold; empty: it does.
  bool broken_is_last = false;
};

result<walk> read_all(const storage& files, const std::string& folder,
                      const std::function<void(const std::string&)>& each) {
  walk out;
  auto names = files.list(folder);
  for (size_t n = 0; n < names.size(); ++n) {
    auto content = files.load(folder + "/" + names[n], size_t{1} << 31);
    if (!content)
      return content.error();
    ++out.report.files;
    auto* begin = reinterpret_cast<const char*>(content->data());
    auto* end = std::find(begin, begin + content->size(), '\0');
    auto* at = begin;
    uint64_t line_number = 0;
    while (at != end) {
      ++line_number;
      auto* stop = std::find(at, end, '\n');
      std::string line{at, stop};
      auto read = stop == end ? std::nullopt
                              : check(line, out.report.last + 1, to_hex(out.previous));
      if (!read) {
        out.broken = folder + "/" + names[n] + ":" + std::to_string(line_number)
                     + ": not the record that follows number " + std::to_string(out.report.last);
        out.broken_is_last = n + 1 == names.size();
        out.end = static_cast<uint64_t>(at - begin);
        return out;
      }
      out.previous = sha256::of(byte_view{std::string_view{line}});
      ++out.report.records;
      ++out.report.events[read->event];
      auto& change = out.report.changes[read->link];
      change = std::max(change, read->change);
      out.report.last = read->seq;
      if (each)
        each(line);
      at = stop + 1;
    }
    out.end = static_cast<uint64_t>(at - begin);
  }
  return out;
}

} // namespace

std::string audit_trail::path(uint32_t number) const {
  return folder_ + "/" + name_of(number);
}

result<std::shared_ptr<audit_trail>> audit_trail::open(std::shared_ptr<storage> files,
                                                       const std::string& folder,
                                                       uint64_t file_bytes_max) {
  auto known = read_all(*files, folder, {});
  if (!known)
    return known.error();
  // A power cut leaves a torn end in the newest file; anything else was done by somebody.
  if (!known->broken.empty() && !known->broken_is_last)
    return {ec::bad_config, known->broken};
  std::shared_ptr<audit_trail> out{new audit_trail{std::move(files), folder, file_bytes_max}};
  out->last_ = known->report.last;
  out->found_ = known->report.changes;
  out->previous_ = known->previous;
  if (auto ok = out->open_file(std::max(known->report.files, 1u)); !ok)
    return ok.error();
  out->at_ = known->end;
  // What lies behind the last good line was never promised to anybody.
  auto size = out->file_->size();
  if (size > out->at_) {
    if (auto ok = out->file_->write(out->at_, bytes(size - out->at_)); !ok)
      return ok.error();
    if (auto ok = out->file_->sync(); !ok)
      return ok.error();
  }
  out->extended_ = std::max(size, out->at_);
  return out;
}

status audit_trail::open_file(uint32_t number) {
  auto file = files_->own(path(number));
  if (!file)
    return file.error();
  file_ = std::move(*file);
  number_ = number;
  at_ = extended_ = 0;
  return done{};
}

uint64_t audit_trail::append(const audit_event& x) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto line = line_of(x, last_ + 1, previous_);
  previous_ = sha256::of(byte_view{std::string_view{line}});
  pending_ += line;
  pending_ += '\n';
  return ++last_;
}

status audit_trail::flush() {
  std::lock_guard<std::mutex> writing{writing_};
  std::string lines;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    lines.swap(pending_);
  }
  if (broken_)
    return {ec::storage_failed, folder_ + ": an earlier record could not be written"};
  if (lines.empty())
    return done{};
  broken_ = true; // Until it is done.
  if (at_ + lines.size() > limit_ && at_ > 0)
    if (auto ok = open_file(number_ + 1); !ok)
      return ok;
  if (at_ + lines.size() > extended_) {
    auto more = std::max<uint64_t>(extend_by, lines.size());
    if (auto ok = file_->write(extended_, bytes(more)); !ok)
      return ok;
    extended_ += more;
  }
  if (auto ok = file_->write(at_, byte_view{std::string_view{lines}}); !ok)
    return ok;
  if (auto ok = file_->sync(); !ok)
    return ok;
  at_ += lines.size();
  broken_ = false;
  return done{};
}

uint64_t audit_trail::found(const std::string& link) const {
  auto x = found_.find(link);
  return x == found_.end() ? 0 : x->second;
}

uint64_t audit_trail::last() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return last_;
}

result<audit_report> verify_audit(const storage& files, const std::string& folder,
                                  const std::function<void(const std::string&)>& each) {
  auto x = read_all(files, folder, each);
  if (!x)
    return x.error();
  if (!x->broken.empty())
    return {ec::stream_corrupt, x->broken};
  x->report.digest = x->previous;
  return x->report;
}

} // namespace qnfv
