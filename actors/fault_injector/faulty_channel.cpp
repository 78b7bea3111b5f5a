#include "actors/fault_injector/faulty_channel.hpp"

#include <mutex>

namespace qnfv {

namespace {

using self_ptr = stateful<channel_actor, faulty_channel_state>*;

/// The sending end of a channel.
class faulty_bytes : public byte_channel, public std::enable_shared_from_this<faulty_bytes> {
public:
  faulty_bytes(std::shared_ptr<byte_channel> inner, site_id to, std::shared_ptr<fault_board> board,
               caf::actor timer)
    : inner_(std::move(inner)), to_(std::move(to)), board_(std::move(board)), timer_(std::move(timer)) {}

  void read(size_t n, std::function<void(result<bytes>)> then) override { inner_->read(n, std::move(then)); }

  void write(bytes data, std::function<void(status)> then) override {
    auto verdict = board_->judge_bytes(to_, data.size());
    if (verdict.corrupt && !data.empty())
      data[data.size() / 2] ^= 1;
    pass(verdict, [this, data = std::move(data), then = std::move(then)]() mutable {
      inner_->write(std::move(data), std::move(then));
    });
  }

  void finish(std::function<void(status)> then) override {
    pass(board_->judge_bytes(to_, 1), [this, then = std::move(then)] { inner_->finish(then); });
  }

  void close() override {
    std::function<void()> held;
    {
      std::lock_guard<std::mutex> guard{mutex_};
      held.swap(held_);
    }
    inner_->close();
    if (held)
      held(); // Its completion fails now.
  }

private:
  void pass(const fault_board::bytes_passage& verdict, std::function<void()> go) {
    if (verdict.blocked) {
      hold(std::move(go));
      board_->on_change([self = shared_from_this()] { self->retry(); });
    } else if (verdict.delay.count() > 0) {
      hold(std::move(go));
      caf::delayed_anon_send(timer_, verdict.delay, continuation{[self = shared_from_this()] { self->release(); }});
    } else {
      go();
    }
  }

  /// There is at most one write under way.
  void hold(std::function<void()> go) {
    std::lock_guard<std::mutex> guard{mutex_};
    held_ = std::move(go);
  }

  bool holds() {
    std::lock_guard<std::mutex> guard{mutex_};
    return static_cast<bool>(held_);
  }

  void retry() {
    if (!holds())
      return; // Closed meanwhile.
    if (board_->judge_bytes(to_, 1).blocked)
      board_->on_change([self = shared_from_this()] { self->retry(); });
    else
      release();
  }

  void release() {
    std::function<void()> go;
    {
      std::lock_guard<std::mutex> guard{mutex_};
      go.swap(held_);
    }
    if (go)
      go();
  }

  std::shared_ptr<byte_channel> inner_;
  const site_id to_;
  std::shared_ptr<fault_board> board_;
  caf::actor timer_;
  std::mutex mutex_;
  std::function<void()> held_;
};

template <class Question>
caf::result<channel_opened>
ask(self_ptr self, const Question& question,
    std::function<std::shared_ptr<byte_channel>(std::shared_ptr<byte_channel>)> wrap) {
  auto promise = self->make_response_promise<channel_opened>();
  auto& c = self->state.config;
  self->request(c.inner, std::chrono::milliseconds{c.timeout_ms}, question)
    .then([promise, wrap](const channel_opened& x) mutable { promise.deliver(channel_opened{wrap(x.channel), x.opener}); },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace

channel_actor::behavior_type faulty_channel(stateful<channel_actor, faulty_channel_state>* self,
                                            faulty_channel_config config) {
  self->state.config = std::move(config);
  return {
    [self](const open_channel& x) {
      auto timer = caf::actor_cast<caf::actor>(self);
      auto wrap = [board = self->state.config.board, to = x.site,
                   timer](std::shared_ptr<byte_channel> inner) -> std::shared_ptr<byte_channel> {
        return std::make_shared<faulty_bytes>(std::move(inner), to, board, timer);
      };
      return ask(self, x, wrap);
    },
    [self](const expect_channel& x) {
      return ask(self, x, [](std::shared_ptr<byte_channel> inner) { return inner; });
    },
    [self](const channel_address_query& x) { return self->delegate(self->state.config.inner, x); },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
