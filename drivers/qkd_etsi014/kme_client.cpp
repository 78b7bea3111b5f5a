#include "drivers/qkd_etsi014/kme_client.hpp"

#include "drivers/qkd_etsi014/kme_codec.hpp"
#include "runtime/tracing/context.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <deque>

namespace qnfv {

namespace {

using error_code = boost::system::error_code;
using io_strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using names_list = std::vector<std::string>;

bool succeeded(const client_response& x) {
  return x.status >= 200 && x.status < 300;
}

/// Everything runs on the strand.
class kme_core : public std::enable_shared_from_this<kme_core> {
public:
  using taker = key_server_client::taker;

  kme_core(boost::asio::io_context& io, std::shared_ptr<http_client> http, kme_client_settings s)
    : strand_(boost::asio::make_strand(io)), timer_(strand_), deadline_(strand_),
      http_(std::move(http)), s_(std::move(s)) {}

  void draw(uint32_t count_max, taker take) {
    boost::asio::post(
      strand_, [self = shared_from_this(), count_max, take = std::move(take),
                trace = current_trace()]() mutable {
        self->begin(std::move(take), std::move(trace));
        self->ask_status([self, count_max](const kme_status& x) { self->ask_keys(count_max, x); });
      });
  }

  void fetch(names_list names, taker take) {
    boost::asio::post(strand_, [self = shared_from_this(), names = std::move(names),
                                take = std::move(take), trace = current_trace()]() mutable {
      self->begin(std::move(take), std::move(trace));
      self->deadline_.expires_after(self->s_.fetch_deadline);
      self->deadline_.async_wait([self, question = self->question_](error_code cancelled) {
        if (!cancelled && self->question_ == question)
          self->finish();
      });
      if (self->group_max_ > 0)
        return self->fetch_groups(names);
      // How many keys at a time: what this KME says about the other direction, if anything.
      self->send(
        "GET", kme_path(self->s_.other_sae, "status"), {}, [self, names](client_response x) {
          auto status = succeeded(x) ? parse_kme_status(x.body) : result<kme_status>{failure{}};
          self->group_max_ =
            status ? std::max(1u, status->keys_per_request) : self->s_.request_keys_max;
          self->fetch_groups(names);
        });
    });
  }

  void close() {
    boost::asio::post(strand_, [self = shared_from_this()] {
      ++self->question_;
      self->take_ = nullptr;
      self->keys_.clear();
      self->groups_.clear();
      self->timer_.cancel();
      self->deadline_.cancel();
      self->http_.reset();
    });
  }

private:
  void begin(taker take, trace_context trace) {
    ++question_;
    take_ = std::move(take);
    trace_ = std::move(trace);
    keys_.clear();
    groups_.clear();
  }

  /// `then` gets any answer of the KME; without one the question ends.
  void send(const std::string& method, const std::string& target, const std::string& body,
            std::function<void(client_response)> then) {
    if (!http_)
      return;
    trace_scope scope{trace_};
    http_->send(method, target, byte_view{std::string_view{body}},
                [self = shared_from_this(), question = question_,
                 then = std::move(then)](result<client_response> x) {
                  boost::asio::post(self->strand_, [self, question, then, x = std::move(x)] {
                    if (self->question_ != question)
                      return;
                    if (!x)
                      return self->finish({ec::site_unreachable, x.error().text});
                    then(*x);
                  });
                });
  }

  void ask_status(std::function<void(const kme_status&)> then) {
    send("GET", kme_path(s_.other_sae, "status"), {},
         [self = shared_from_this(), then](client_response x) {
           if (!succeeded(x))
             return self->refused(x);
           auto status = parse_kme_status(x.body);
           if (!status)
             return self->finish(status.error());
           if (!status->has_our_size())
             return self->finish({ec::not_allowed, "it makes no keys of 256 bits"});
           then(*status);
         });
  }

  void ask_keys(uint32_t count_max, const kme_status& status) {
    auto n = std::min({count_max, status.stored_keys, std::max(1u, status.keys_per_request)});
    if (n == 0)
      return finish();
    send("POST", kme_path(s_.other_sae, "enc_keys"), enc_keys_body(n),
         [self = shared_from_this(), n](client_response x) {
           if (!succeeded(x))
             return self->refused(x);
           auto keys = parse_key_container(x.body, n);
           if (!keys)
             return self->finish(keys.error());
           self->keys_ = std::move(*keys);
           self->finish();
         });
  }

  /// Not enough now, or never.
  void refused(const client_response& x) {
    if (x.status == 401 || x.status == 403)
      return finish({ec::not_allowed, "it refuses this SAE (" + std::to_string(x.status)
                                        + "): " + kme_message(x.body)});
    finish();
  }

  // -- fetch -------------------------------------------------------------------------------------

  struct group {
    names_list names;
    uint32_t tries = 0;
  };

  void fetch_groups(const names_list& names) {
    for (size_t at = 0; at < names.size(); at += group_max_) {
      auto last = std::min<size_t>(names.size(), at + group_max_);
      groups_.push_back(
        {names_list(names.begin() + static_cast<long>(at), names.begin() + static_cast<long>(last)),
         s_.fetch_tries});
    }
    fetch_next();
  }

  void fetch_next() {
    if (groups_.empty())
      return finish();
    auto& names = groups_.front().names;
    send("POST", kme_path(s_.other_sae, "dec_keys"), dec_keys_body(names),
         [self = shared_from_this()](client_response x) { self->fetched(x); });
  }

  void fetched(const client_response& x) {
    auto now = std::move(groups_.front());
    groups_.pop_front();
    if (x.status == 401 || x.status == 403)
      return refused(x);
    if (succeeded(x)) {
      // An answer that is none: its keys are gone, but the other groups' are not.
      auto keys = parse_key_container(x.body, now.names.size());
      if (keys)
        for (auto& key : *keys)
          if (std::count(now.names.begin(), now.names.end(), key.name) > 0)
            keys_.push_back(key);
      return fetch_next();
    }
    if (now.tries > 1) {
      auto wait = std::chrono::milliseconds{s_.fetch_wait_ms} * (1 << (s_.fetch_tries - now.tries));
      --now.tries;
      groups_.push_front(std::move(now));
      timer_.expires_after(wait);
      timer_.async_wait([self = shared_from_this(), question = question_](error_code cancelled) {
        if (!cancelled && self->question_ == question)
          self->fetch_next();
      });
      return;
    }
    if (now.names.size() > 1)
      for (auto name = now.names.rbegin(); name != now.names.rend(); ++name)
        groups_.push_front({{*name}, 1});
    fetch_next();
  }

  void finish(const failure& why = {ec::none, {}}) {
    ++question_;
    timer_.cancel();
    deadline_.cancel();
    groups_.clear();
    auto keys = std::exchange(keys_, {});
    auto take = std::exchange(take_, nullptr);
    if (!take)
      return;
    if (keys.empty() && why.code != ec::none)
      return take(failure{why.code, "KME " + s_.kme + ": " + why.text});
    take(std::move(keys));
  }

  io_strand strand_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer deadline_;
  std::shared_ptr<http_client> http_;
  const kme_client_settings s_;
  uint64_t question_ = 0; ///< Answers to earlier ones come too late.
  taker take_;
  trace_context trace_; ///< Of the question.
  std::vector<drawn_key> keys_;
  std::deque<group> groups_;
  uint32_t group_max_ = 0; ///< 0: not known yet.
};

class kme_client : public key_server_client {
public:
  explicit kme_client(std::shared_ptr<kme_core> core) : core_(std::move(core)) {}
  ~kme_client() override { core_->close(); }
  void draw(uint32_t count_max, taker take) override { core_->draw(count_max, std::move(take)); }
  void fetch(names_list names, taker take) override {
    core_->fetch(std::move(names), std::move(take));
  }

private:
  std::shared_ptr<kme_core> core_;
};

} // namespace

result<std::unique_ptr<key_server_client>> make_kme_client(boost::asio::io_context& io,
                                                           const kme_client_settings& s) {
  http_client_settings settings;
  settings.server = s.kme;
  settings.tls = s.tls;
  settings.expected_name = s.expected_name;
  settings.tracing = s.tracing;
  settings.answer_timeout = s.answer_timeout;
  auto http = http_client::make(io, settings);
  if (!http)
    return http.error();
  auto core = std::make_shared<kme_core>(io, *http, s);
  return std::unique_ptr<key_server_client>{std::make_unique<kme_client>(std::move(core))};
}

} // namespace qnfv
