#include "drivers/channel_memory/channel_memory.hpp"

#include <algorithm>

namespace qnfv {

/// What both ends share. Completions run on the I/O pool, never inside a call.
class memory_network::pipe : public std::enable_shared_from_this<pipe> {
public:
  pipe(std::shared_ptr<io_pool> io, pace_function pace, tap_function tap)
    : io_(std::move(io)), pace_(std::move(pace)), tap_(std::move(tap)) {}

  void write(bytes data, std::function<void(status)> then) {
    std::lock_guard<std::mutex> guard{mutex_};
    if (closed_ || finished_)
      return later([then] { then(failure{ec::channel_failed, "the channel is closed"}); });
    if (tap_)
      tap_(data);
    auto n = data.size();
    auto pass = [self = shared_from_this(), data = std::move(data), then = std::move(then)]() mutable {
      self->passed(std::move(data), std::move(then));
    };
    if (pace_)
      pace_(n, std::move(pass));
    else
      later(std::move(pass));
  }

  void finish(std::function<void(status)> then) {
    std::lock_guard<std::mutex> guard{mutex_};
    finished_ = true;
    later([then] { then(done{}); });
    feed_reader();
  }

  void read(size_t n, std::function<void(result<bytes>)> then) {
    std::lock_guard<std::mutex> guard{mutex_};
    wanted_ = n;
    reader_ = std::move(then);
    feed_reader();
  }

  void close() {
    std::lock_guard<std::mutex> guard{mutex_};
    if (closed_)
      return;
    closed_ = true;
    if (reader_)
      later([then = std::exchange(reader_, nullptr)] {
        then(failure{ec::channel_failed, "the channel was closed"});
      });
    if (writer_)
      later([then = std::exchange(writer_, nullptr)] {
        then(failure{ec::channel_failed, "the channel was closed"});
      });
  }

private:
  void later(std::function<void()> f) { io_->post(std::move(f)); }

  void passed(bytes data, std::function<void(status)> then) {
    std::lock_guard<std::mutex> guard{mutex_};
    if (closed_)
      return later([then] { then(failure{ec::channel_failed, "the channel was closed"}); });
    buffer_.insert(buffer_.end(), data.begin(), data.end());
    writer_ = std::move(then);
    feed_reader();
    release_writer();
  }

  void release_writer() {
    if (writer_ && buffer_.size() - read_ < buffer_bytes)
      later([then = std::exchange(writer_, nullptr)] { then(done{}); });
  }

  void feed_reader() {
    auto there = buffer_.size() - read_;
    if (!reader_ || (there < wanted_ && !finished_ && !closed_))
      return;
    if (closed_)
      return later([then = std::exchange(reader_, nullptr)] {
        then(failure{ec::channel_failed, "the channel is closed"});
      });
    auto n = std::min(there, wanted_);
    auto begin = buffer_.begin() + static_cast<long>(read_);
    bytes out(begin, begin + static_cast<long>(n));
    read_ += n;
    if (read_ > buffer_bytes) {
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<long>(read_));
      read_ = 0;
    }
    later([then = std::exchange(reader_, nullptr), out = std::move(out)]() mutable {
      then(std::move(out));
    });
    release_writer();
  }

  std::shared_ptr<io_pool> io_;
  const pace_function pace_;
  const tap_function tap_;
  std::mutex mutex_;
  bytes buffer_;
  size_t read_ = 0;
  size_t wanted_ = 0;
  std::function<void(result<bytes>)> reader_;
  std::function<void(status)> writer_;
  bool finished_ = false;
  bool closed_ = false;
};

/// One end of a pipe.
class memory_line : public byte_channel {
public:
  explicit memory_line(std::shared_ptr<memory_network::pipe> p) : pipe_(std::move(p)) {}
  ~memory_line() override {
    // Like a socket: what was written and finished still arrives.
    if (!finished_)
      pipe_->close();
  }
  void read(size_t n, std::function<void(result<bytes>)> then) override {
    pipe_->read(n, std::move(then));
  }
  void write(bytes data, std::function<void(status)> then) override {
    pipe_->write(std::move(data), std::move(then));
  }
  void finish(std::function<void(status)> then) override {
    finished_ = true;
    pipe_->finish(std::move(then));
  }
  void close() override { pipe_->close(); }

private:
  std::shared_ptr<memory_network::pipe> pipe_;
  bool finished_ = false;
};

void memory_network::cut(const site_id& site) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto [begin, end] = pipes_.equal_range(site);
  for (auto i = begin; i != end; ++i)
    if (auto p = i->second.lock())
      p->close();
  pipes_.erase(begin, end);
  for (auto i = meetings_.begin(); i != meetings_.end();)
    i = i->first.first == site ? meetings_.erase(i) : std::next(i);
}

/// What the driver actors do with the network.
struct memory_door {
  static std::shared_ptr<byte_channel> open(memory_network& net, const std::shared_ptr<io_pool>& io,
                                            const site_id& from, const open_channel& ask) {
    std::unique_lock<std::mutex> guard{net.mutex_};
    auto p = std::make_shared<memory_network::pipe>(io, net.pace_, net.tap_);
    net.pipes_.emplace(from, p);
    net.pipes_.emplace(ask.site, p);
    auto key = std::make_pair(site_id{ask.address}, ask.transfer);
    auto met = net.meetings_.find(key);
    if (met == net.meetings_.end()) {
      net.meetings_[key] = {ask.token, p, current_trace(), nullptr};
    } else if (met->second.expecting && equal_constant_time(met->second.token, ask.token)) {
      auto take = std::move(met->second.expecting);
      net.meetings_.erase(met);
      guard.unlock();
      take(channel_opened{std::make_shared<memory_line>(p), current_trace()});
    } else {
      p->close(); // A wrong token meets nobody.
    }
    return std::make_shared<memory_line>(p);
  }

  static void expect(memory_network& net, const site_id& here, const expect_channel& ask,
                     memory_network::taker take) {
    std::unique_lock<std::mutex> guard{net.mutex_};
    auto key = std::make_pair(here, ask.transfer);
    auto met = net.meetings_.find(key);
    if (met == net.meetings_.end() || met->second.expecting) {
      net.meetings_[key] = {ask.token, nullptr, {}, std::move(take)};
      return;
    }
    auto opener = met->second.opener;
    auto parked = met->second.parked;
    bool right = equal_constant_time(met->second.token, ask.token);
    net.meetings_.erase(met);
    if (!right) {
      parked->close();
      net.meetings_[key] = {ask.token, nullptr, {}, std::move(take)};
      return;
    }
    guard.unlock();
    take(channel_opened{std::make_shared<memory_line>(parked), opener});
  }

  static void forget(memory_network& net, const site_id& here, const transfer_id& transfer) {
    std::lock_guard<std::mutex> guard{net.mutex_};
    auto met = net.meetings_.find({here, transfer});
    if (met == net.meetings_.end())
      return;
    if (met->second.parked)
      met->second.parked->close();
    net.meetings_.erase(met);
  }
};

channel_actor::behavior_type
channel_memory(stateful<channel_actor, channel_memory_state>* self, channel_memory_config config) {
  self->state.config = std::move(config);
  auto deadline = std::chrono::milliseconds{self->state.config.parked_deadline_ms};
  auto me = caf::actor_cast<caf::actor_addr>(self);
  /// Does `f` on the actor later, if it still lives.
  auto on_actor = [me](std::function<void()> f) {
    if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(me))
      continue_at(caf::actor_cast<channel_actor>(handle), std::move(f));
  };
  return {
    [self](const open_channel& x) {
      return channel_opened{
        memory_door::open(*self->state.config.network, self->env().io, self->env().site, x), {}};
    },
    [self, deadline, on_actor](const expect_channel& x) -> caf::result<channel_opened> {
      auto number = ++self->state.asked;
      auto promise = self->make_response_promise<channel_opened>();
      self->state.waiting[number] = promise;
      auto settle = [self, number](result<channel_opened> channel) {
        auto i = self->state.waiting.find(number);
        if (i == self->state.waiting.end())
          return;
        auto waiting = std::move(i->second);
        self->state.waiting.erase(i);
        if (channel)
          waiting.deliver(std::move(*channel));
        else
          waiting.deliver(fail(channel.error()));
      };
      memory_door::expect(*self->state.config.network, self->env().site, x,
                          [on_actor, settle](result<channel_opened> channel) {
                            on_actor([settle, channel] { settle(channel); });
                          });
      self->after(deadline, continuation{[self, settle, transfer = x.transfer, number] {
        if (self->state.waiting.count(number) == 0)
          return;
        memory_door::forget(*self->state.config.network, self->env().site, transfer);
        settle({ec::channel_failed, "no data connection came"});
      }});
      return promise;
    },
    [self](const channel_address_query&) { return channel_address{self->env().site.value}; },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
