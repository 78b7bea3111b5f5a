#include "actors/image_stream/pump.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace qnfv {

namespace {

class sender_pump : public pump, public std::enable_shared_from_this<sender_pump> {
public:
  sender_pump(std::shared_ptr<io_pool> io, qvs1::cipher c, sender_settings s, pump_done done)
    : io_(std::move(io)), strand_(boost::asio::make_strand(io_->context())), cipher_(std::move(c)),
      s_(std::move(s)), done_(std::move(done)),
      frames_(qvs1::frame_count(s_.size_bytes, cipher_.head().segment_log2)) {}

  void start() override {
    on_strand([this] {
      if (s_.file->size() != s_.size_bytes)
        return end({ec::storage_failed, "the image file has " + std::to_string(s_.file->size())
                                          + " bytes, the catalogue says "
                                          + std::to_string(s_.size_bytes)});
      auto raw = cipher_.raw_header();
      writing_ = true;
      s_.channel->write(bytes(raw.begin(), raw.end()), [self = shared_from_this()](status ok) {
        self->on_strand([self = self.get(), ok] { self->written(ok, 0); });
      });
      seal_ahead();
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

  /// Keeps up to `segments_in_flight` segments between file and channel.
  void seal_ahead() {
    while (!ended_ && next_seal_ < frames_ && next_seal_ - next_write_ < s_.segments_in_flight) {
      auto held = static_cast<uint32_t>(next_seal_ - next_write_ + 1);
      most_segments_ = std::max(most_segments_.load(), held);
      io_->post([self = shared_from_this(), i = next_seal_] { self->seal(i); });
      ++next_seal_;
    }
  }

  /// On any I/O thread.
  void seal(uint64_t i) {
    auto segment = cipher_.head().segment_bytes();
    auto offset = i * segment;
    bytes plain(static_cast<size_t>(std::min<uint64_t>(segment, s_.size_bytes - offset)));
    result<bytes> frame{ec::storage_failed, "the image file became shorter"};
    auto n = s_.file->read(offset, plain.data(), plain.size());
    if (!n)
      frame = n.error();
    else if (*n == plain.size())
      frame = cipher_.seal_frame(i, i + 1 == frames_, plain);
    on_strand([this, i, n = plain.size(), frame = std::move(frame)]() mutable {
      if (ended_)
        return;
      if (!frame)
        return end(frame.error());
      sealed_[i] = {std::move(*frame), n};
      write_next();
    });
  }

  void write_next() {
    auto next = sealed_.find(next_write_);
    if (ended_ || writing_ || next == sealed_.end())
      return;
    writing_ = true;
    auto [frame, n] = std::move(next->second);
    sealed_.erase(next);
    s_.channel->write(std::move(frame), [self = shared_from_this(), n = n](status ok) {
      self->on_strand([self = self.get(), ok, n] {
        ++self->next_write_;
        self->written(ok, n);
      });
    });
  }

  void written(const status& ok, size_t n) {
    writing_ = false;
    if (ended_)
      return;
    if (!ok)
      return end(ok.error());
    done_bytes_ += n;
    if (next_write_ == frames_) {
      s_.channel->finish([self = shared_from_this()](status finished) {
        self->on_strand([self = self.get(), finished] {
          self->end(finished ? failure{ec::none, {}} : finished.error());
        });
      });
      return;
    }
    seal_ahead();
    write_next();
  }

  void end(failure why) {
    if (ended_)
      return;
    ended_ = true;
    needs_channel_ = false;
    if (why.code != ec::none)
      s_.channel->close();
    sealed_.clear();
    pump_outcome out;
    out.why = std::move(why);
    std::exchange(done_, nullptr)(std::move(out));
  }

  std::shared_ptr<io_pool> io_;
  boost::asio::strand<boost::asio::io_context::executor_type> strand_;
  const qvs1::cipher cipher_;
  const sender_settings s_;
  pump_done done_;
  const uint64_t frames_;
  // On the strand only.
  uint64_t next_seal_ = 0;
  uint64_t next_write_ = 0;
  std::map<uint64_t, std::pair<bytes, size_t>> sealed_;
  bool writing_ = false;
  bool ended_ = false;
};

} // namespace

std::shared_ptr<pump> make_sender(std::shared_ptr<io_pool> io, qvs1::cipher c, sender_settings s,
                                  pump_done done) {
  return std::make_shared<sender_pump>(std::move(io), std::move(c), std::move(s), std::move(done));
}

} // namespace qnfv
