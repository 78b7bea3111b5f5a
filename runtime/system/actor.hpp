#pragma once

// What every actor of the project is made of.
//
//   behaviour functions take  stateful<key_pool_actor, key_pool_state>* self
//   a site starts them with   spawn_at(system, environment, key_pool, config...)
//
// The base adds to CAF's actor: the site it belongs to, trace events for each message in and out,
// and the causal context that handlers inherit.

#include "runtime/messages/admin.hpp"
#include "runtime/system/asked.hpp"
#include "runtime/system/environment.hpp"
#include "runtime/tracing/context.hpp"

#include <caf/all.hpp>
#include <caf/detail/scope_guard.hpp>

#include <atomic>
#include <mutex>
#include <optional>

namespace qnfv {

/// The part of an actor that knows where it lives.
class located {
public:
  /// `handle` is the actor's own.
  located(environment_ptr env, const caf::actor_control_block* handle)
    : env_(std::move(env)), handle_(handle) {}
  virtual ~located() = default;

  const environment& env() const { return *env_; }
  const environment_ptr& env_ptr() const { return env_; }
  /// "dc1/key_pool"
  const std::string& address() const;
  /// "key_pool", of all such actors.
  virtual const char* kind() const = 0;
  bool is(const caf::strong_actor_ptr& x) const { return x.get() == handle_; }

  void remember(caf::message_id request, const asked& what);
  /// Messages in the mailbox, about. Any thread.
  size_t waiting() const { return waiting_; }
  void came_in();
  /// Its mailbox is closed, and what was in it is gone.
  void came_to_its_end();
  /// Handled, in `took`; counted by the meter of the site.
  void went_out(duration took);
  actor_meter* meter();

  /// Nothing if it was answered before: CAF's time-out of a request comes all the same.
  std::optional<asked> recall(caf::message_id response);

private:
  environment_ptr env_;
  const caf::actor_control_block* const handle_;
  mutable std::once_flag named_;
  mutable std::string address_;
  std::atomic<size_t> waiting_{0};
  std::atomic<bool> ended_{false};
  std::atomic<actor_meter*> meter_{nullptr};
  std::mutex asked_mutex_; ///< An answer is recalled on the thread of whoever gives it.
  asked_table asked_;
};

/// The site that an actor lives at, here or on another host. For a remote actor it is the name that
/// its node's certificate proved: the gateway lets no other through. Empty for an unknown actor.
site_id site_of(const caf::strong_actor_ptr&);

/// Records an event that is no message.
void record_note(const located&, const char* what, std::string_view text);

/// "dc1/key_pool" if known, "dc1/#17" for an actor of another process.
std::string address_of(const caf::strong_actor_ptr&);

/// The actor whose handler this thread runs; null: none.
located*& running_actor();

/// The environment that spawn_at is starting an actor in, else that of the running actor.
const environment_ptr*& starting_environment();
environment_ptr current_environment();

namespace detail {

/// A message with its context, inside a mailbox.
class traced_element final : public caf::mailbox_element {
public:
  traced_element(caf::mailbox_element_ptr inner, const trace_context& context);
  caf::type_erased_tuple& content() override { return inner_->content(); }
  const caf::type_erased_tuple& content() const override {
    return const_cast<const caf::mailbox_element&>(*inner_).content();
  }
  caf::message move_content_to_message() override { return inner_->move_content_to_message(); }
  caf::message copy_content_to_message() const override {
    return const_cast<const caf::mailbox_element&>(*inner_).copy_content_to_message();
  }
  const trace_context context;

private:
  caf::mailbox_element_ptr inner_;
};

/// Called for each message about to enter `self`'s mailbox; returns what enters, or null.
caf::mailbox_element_ptr arrive(located& self, caf::abstract_actor& actor,
                                caf::mailbox_element_ptr element);

/// Why a handler threw.
caf::error error_of(std::exception_ptr);

/// For a message of which its receiver dies (messages/faults.hpp).
void throw_if_poison(const caf::mailbox_element& element);
/// The handler of `element` threw: a message that does so twice is quarantined.
void died_of(located& self, const caf::mailbox_element& element);

/// The context for handling `element`.
const trace_context& context_of(const caf::mailbox_element& element);

} // namespace detail

template <class Base>
class instrumented : public Base, public located {
public:
  template <class... Ts>
  explicit instrumented(caf::actor_config& config, Ts&&... xs)
    : Base(config, std::forward<Ts>(xs)...), located(current_environment(), this->ctrl()) {
    // A message nobody handles must not let a peer flood our output.
    this->set_default_handler(caf::drop);
    this->set_exception_handler([](std::exception_ptr& x) { return detail::error_of(x); });
  }

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* unit) override {
    if (auto x = detail::arrive(*this, *this, std::move(element))) {
      came_in();
      Base::enqueue(std::move(x), unit);
    }
  }

  bool cleanup(caf::error&& why, caf::execution_unit* unit) override {
    came_to_its_end();
    return Base::cleanup(std::move(why), unit);
  }

  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    trace_scope scope{detail::context_of(element)};
    auto* outer = std::exchange(running_actor(), this);
    auto restore = caf::detail::make_scope_guard([&] { running_actor() = outer; });
    auto began = this->env().meters ? now() : time_point{};
    try {
      detail::throw_if_poison(element);
      auto out = Base::consume(element);
      if (out != caf::invoke_message_result::skipped)
        went_out(this->env().meters ? now() - began : duration{0});
      return out;
    } catch (...) {
      detail::died_of(*this, element);
      throw;
    }
  }

  const char* kind() const override { return this->name(); }

  /// Where the message that is being handled comes from.
  site_id sender_site() { return site_of(this->current_sender()); }

  /// Sends `x` to this actor after `wait` of real time.
  template <class T>
  void after(duration wait, T x) {
    this->delayed_send(this, wait, std::move(x));
  }

  /// Sends `x` to this actor after `wait` of lab time.
  template <class T>
  void after_lab(duration wait, T x) {
    this->delayed_send(this, env().clock->real(wait), std::move(x));
  }

  time_point now() const { return env().clock->now(); }

  /// Records an event that is no message.
  void note(const char* what, std::string_view text) { record_note(*this, what, text); }
};

/// An actor with interface `Handle` and plain data `State`.
template <class Handle, class State>
using stateful = caf::stateful_actor<State, instrumented<typename Handle::base>>;

/// Lets the actor `to` do something, from any thread; its trace goes on.
template <class Handle>
void continue_at(const Handle& to, std::function<void()> run) {
  caf::anon_send(to, continuation{std::move(run)});
}

/// Starts an actor at a site.
template <class F, class... Ts>
auto spawn_at(caf::actor_system& system, const environment_ptr& env, F function, Ts&&... xs) {
  auto* outer = std::exchange(starting_environment(), &env);
  auto restore = caf::detail::make_scope_guard([&] { starting_environment() = outer; });
  return system.spawn(function, std::forward<Ts>(xs)...);
}

} // namespace qnfv
