#pragma once

// Real threads, sockets and files, for what cannot be tested in virtual time: drivers that reach the
// world. Waits on events, with deadlines; never sleeps.

#include "runtime/system/actor.hpp"
#include "tests/support/folder.hpp"

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>

namespace qnfv::test {

class real_world {
public:
  real_world() : io_(std::make_shared<io_pool>(2)), system_(std::make_unique<caf::actor_system>(config_)) {}

  ~real_world() {
    for (auto& x : actors_)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    actors_.clear();
    system_.reset();
    io_.reset();
  }

  environment_ptr site(const std::string& name) {
    auto env = std::make_shared<environment>();
    env->site = site_id{name};
    env->clock = make_real_clock();
    env->random = make_system_random();
    env->storage = *make_disk_storage(folder_.path() + "/" + name);
    env->io = io_;
    return env;
  }

  template <class F, class... Ts>
  auto spawn(const std::string& at, F function, Ts&&... xs) {
    return spawn_in(site(at), function, std::forward<Ts>(xs)...);
  }

  template <class F, class... Ts>
  auto spawn_in(environment_ptr env, F function, Ts&&... xs) {
    auto handle = spawn_at(*system_, std::move(env), function, std::forward<Ts>(xs)...);
    actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }

  template <class T, class Handle, class Question>
  result<T> ask(const Handle& to, Question question,
                duration timeout = std::chrono::seconds{30}) {
    // In the name of the operator.
    auto answer = std::make_shared<std::promise<result<T>>>();
    auto asker = [=](instrumented<caf::event_based_actor>* self) {
      self->request(to, timeout, question)
        .then([answer](T& x) { answer->set_value(std::move(x)); },
              [answer](caf::error& why) { answer->set_value(to_failure(why)); });
    };
    spawn_at(*system_, site("operator"), asker);
    return answer->get_future().get();
  }

  std::shared_ptr<io_pool> io() { return io_; }
  caf::actor_system& system() { return *system_; }
  const std::string& folder() const { return folder_.path(); }

private:
  struct settings : caf::actor_system_config {
    settings() { register_wire(*this); }
  };

  temporary_folder folder_;
  settings config_;
  std::shared_ptr<io_pool> io_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<caf::strong_actor_ptr> actors_;
};

/// A completion that a test can wait for.
template <class T>
class waiter {
public:
  std::function<void(T)> callback() {
    return [p = promise_](T x) { p->set_value(std::move(x)); };
  }
  /// Throws if nothing comes.
  T get(duration timeout = std::chrono::seconds{30}) {
    if (future_.wait_for(timeout) != std::future_status::ready)
      throw std::runtime_error("nothing came in time");
    return future_.get();
  }
  bool comes_within(duration timeout) const {
    return future_.wait_for(timeout) == std::future_status::ready;
  }

private:
  std::shared_ptr<std::promise<T>> promise_ = std::make_shared<std::promise<T>>();
  std::future<T> future_ = promise_->get_future();
};

} // namespace qnfv::test
