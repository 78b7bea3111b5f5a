#include "actors/image_stream/pump.hpp"

#include "runtime/base/mutant.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace qnfv {

namespace {

class receiver_pump : public pump, public std::enable_shared_from_this<receiver_pump> {
public:
  receiver_pump(std::shared_ptr<io_pool> io, receiver_settings s, pump_done done)
    : io_(std::move(io)), strand_(boost::asio::make_strand(io_->context())), s_(std::move(s)),
      done_(std::move(done)) {}

  void start() override {
    on_strand([this] {
      s_.channel->read(qvs1::header_bytes, [self = shared_from_this()](result<bytes> raw) {
        self->on_strand([self = self.get(), raw = std::move(raw)] { self->begin(raw); });
      });
    });
  }

  void cancel(failure why) override {
    on_strand([this, why = std::move(why)] { end(why); });
  }

private:
  template <class F>
  void on_strand(F f) {
    boost::asio::post(strand_, [self = shared_from_this(), f = std::move(f)]() mutable { f(); });
  }

  void begin(const result<bytes>& raw) {
    if (ended_)
      return;
    if (!raw)
      return end(raw.error());
    auto head = qvs1::parse_header(*raw);
    if (!head)
      return end(head.error());
    if (head->key != s_.id || head->stream != s_.stream || head->segment_log2 > s_.segment_log2_max)
      return end(qvs1::refuse(qvs1::fault::bad_header));
    if (head->plaintext_bytes != s_.size_bytes)
      return end(qvs1::refuse(qvs1::fault::length_mismatch));
    auto opened = qvs1::cipher::open(s_.key, *raw);
    s_.key.wipe(); // Spent: from here on only the derived key counts.
    if (!opened)
      return end(opened.error());
    cipher_.emplace(std::move(*opened));
    frames_ = qvs1::frame_count(s_.size_bytes, head->segment_log2);
    read_ahead();
  }

  size_t plain_bytes(uint64_t i) const {
    auto segment = cipher_->head().segment_bytes();
    return static_cast<size_t>(std::min<uint64_t>(segment, s_.size_bytes - i * segment));
  }

  void read_ahead() {
    if (ended_ || reading_ || end_seen_)
      return;
    if (next_read_ == frames_) {
      // One byte more than there should be.
      reading_ = true;
      s_.channel->read(1, [self = shared_from_this()](result<bytes> rest) {
        self->on_strand([self = self.get(), rest = std::move(rest)] { self->ended_input(rest); });
      });
      return;
    }
    if (next_read_ - next_out_ >= s_.segments_in_flight)
      return;
    reading_ = true;
    most_segments_ = std::max(most_segments_.load(), static_cast<uint32_t>(next_read_ - next_out_ + 1));
    auto size = plain_bytes(next_read_) + qvs1::tag_bytes;
    s_.channel->read(size, [self = shared_from_this(), size](result<bytes> frame) {
      self->on_strand([self = self.get(), size, frame = std::move(frame)]() mutable {
        self->arrived(std::move(frame), size);
      });
    });
  }

  void arrived(result<bytes> frame, size_t size) {
    reading_ = false;
    if (ended_)
      return;
    if (!frame)
      return end(frame.error());
    if (frame->size() < size)
      return end(qvs1::refuse(qvs1::fault::truncated, next_read_));
    auto i = next_read_++;
    io_->post([self = shared_from_this(), i, frame = std::move(*frame)] {
      auto plain = self->cipher_->open_frame(i, i + 1 == self->frames_, frame);
      self->on_strand([self = self.get(), i, plain = std::move(plain)]() mutable {
        self->opened(i, std::move(plain));
      });
    });
    read_ahead();
  }

  void ended_input(const result<bytes>& rest) {
    reading_ = false;
    if (ended_)
      return;
    if (!rest)
      return end(rest.error());
    if (!rest->empty())
      return end(qvs1::refuse(qvs1::fault::trailing_data));
    end_seen_ = true;
    needs_channel_ = false;
    hash_next();
    finish();
  }

  void opened(uint64_t i, result<bytes> plain) {
    if (ended_)
      return;
    if (!plain)
      return end(plain.error());
    opened_[i] = std::move(*plain);
    hash_next();
  }

  void hash_next() {
    auto next = opened_.find(next_hash_);
    if (ended_ || hashing_ || next == opened_.end())
      return;
    hashing_ = true;
    auto segment = std::make_shared<bytes>(std::move(next->second));
    opened_.erase(next);
    io_->post([self = shared_from_this(), segment] {
      self->hash_.update(*segment);
      self->on_strand([self = self.get(), segment] { self->hashed(segment); });
    });
  }

  void hashed(const std::shared_ptr<bytes>& segment) {
    hashing_ = false;
    if (ended_)
      return;
    done_bytes_ += segment->size();
    hashed_[next_hash_++] = std::move(*segment);
    hash_next();
    write_next();
    finish();
  }

  /// Every verified segment but the last: that one waits until nothing can go wrong any more.
  void write_next() {
    auto next = hashed_.find(next_out_);
    if (ended_ || writing_ || next == hashed_.end() || next_out_ + 1 == frames_)
      return;
    writing_ = true;
    auto segment = std::move(next->second);
    hashed_.erase(next);
    if (QNFV_MUTANT("a segment is cut"))
      segment.pop_back();
    s_.sink->write(std::move(segment), [self = shared_from_this()](status ok) {
      self->on_strand([self = self.get(), ok] {
        self->writing_ = false;
        if (self->ended_)
          return;
        if (!ok)
          return self->end(ok.error());
        ++self->next_out_;
        self->read_ahead();
        self->write_next();
        self->finish();
      });
    });
  }

  void finish() {
    auto last = hashed_.find(frames_ - 1);
    if (ended_ || finishing_ || !end_seen_ || writing_ || next_out_ + 1 != frames_
        || last == hashed_.end())
      return;
    finishing_ = true;
    digest_ = to_hex(hash_.finish());
    if (digest_ != s_.digest && !QNFV_MUTANT("digest not compared"))
      return end({ec::digest_mismatch, "the bytes are authentic but not the catalogue's image"});
    auto segment = std::move(last->second);
    hashed_.clear();
    s_.sink->finish(std::move(segment), [self = shared_from_this()](result<std::string> name) {
      self->on_strand([self = self.get(), name = std::move(name)] {
        if (!name)
          return self->end(name.error());
        self->vim_image_ = *name;
        self->end({ec::none, {}});
      });
    });
  }

  void end(failure why) {
    if (ended_)
      return;
    ended_ = true;
    needs_channel_ = false;
    s_.channel->close();
    if (why.code != ec::none && QNFV_MUTANT("unfinished image stays"))
      s_.sink->finish({}, [](const result<std::string>&) {});
    else if (why.code != ec::none)
      s_.sink->abort();
    s_.key.wipe();
    opened_.clear();
    hashed_.clear();
    pump_outcome out;
    out.why = std::move(why);
    out.digest = digest_;
    out.vim_image = vim_image_;
    std::exchange(done_, nullptr)(std::move(out));
  }

  std::shared_ptr<io_pool> io_;
  boost::asio::strand<boost::asio::io_context::executor_type> strand_;
  receiver_settings s_;
  pump_done done_;
  std::optional<qvs1::cipher> cipher_; ///< Set before any job that reads it.
  uint64_t frames_ = 0;
  sha256 hash_; ///< Touched by one job at a time, in order.
  // On the strand only.
  uint64_t next_read_ = 0;
  uint64_t next_hash_ = 0;
  uint64_t next_out_ = 0;
  std::map<uint64_t, bytes> opened_;
  std::map<uint64_t, bytes> hashed_;
  bool reading_ = false;
  bool hashing_ = false;
  bool writing_ = false;
  bool end_seen_ = false;
  bool finishing_ = false;
  bool ended_ = false;
  std::string digest_;
  std::string vim_image_;
};

} // namespace

std::shared_ptr<pump> make_receiver(std::shared_ptr<io_pool> io, receiver_settings s,
                                    pump_done done) {
  return std::make_shared<receiver_pump>(std::move(io), std::move(s), std::move(done));
}

} // namespace qnfv
