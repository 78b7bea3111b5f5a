#pragma once

// What every actor of the project is made of.
//
//   behaviour functions take  stateful<key_pool_actor, key_pool_state>* self
//   a site starts them with   spawn_at(system, environment, key_pool, config...)
//
// The base adds to CAF's actor: the site it belongs to, trace events for each message in and out,
// and the causal context that handlers inherit.

#include "runtime/messages/admin.hpp"
#include "runtime/system/environment.hpp"
#include "runtime/tracing/context.hpp"

#include <caf/all.hpp>

#include <mutex>
#include <optional>
#include <unordered_map>

namespace qnfv {

/// The part of an actor that knows where it lives.
class located {
public:
  explicit located(environment_ptr env) : env_(std::move(env)) {}
  virtual ~located() = default;

  const environment& env() const { return *env_; }
  const environment_ptr& env_ptr() const { return env_; }
  /// "dc1/key_pool"
  virtual std::string address() const = 0;

  /// What a request was sent for; kept until its answer or time-out comes.
  struct asked {
    trace_context context;
    bool recorded = false; ///< The request is in the trace, so its answer belongs there too.
  };
  void remember(caf::message_id request, asked what);
  /// Nothing if it was answered before: CAF's time-out of a request comes all the same.
  std::optional<asked> recall(caf::message_id response);

private:
  environment_ptr env_;
  std::mutex asked_mutex_; ///< An answer is recalled on the thread of whoever gives it.
  std::unordered_map<uint64_t, asked> asked_;
};

/// The site that an actor lives at, here or on another host. For a remote actor it is the name that
/// its node's certificate proved: the gateway lets no other through. Empty for an unknown actor.
site_id site_of(const caf::strong_actor_ptr&);

/// "dc1/key_pool" if known, "dc1/#17" for an actor of another process.
std::string address_of(const caf::strong_actor_ptr&);

/// The environment of the actor that runs on this thread, or that spawn_at is starting.
environment_ptr& current_environment();

namespace detail {

/// A message with its context, inside a mailbox.
class traced_element : public caf::mailbox_element {
public:
  traced_element(caf::mailbox_element_ptr inner, trace_context context);
  caf::type_erased_tuple& content() override { return inner_->content(); }
  const caf::type_erased_tuple& content() const override {
    return const_cast<const caf::mailbox_element&>(*inner_).content();
  }
  caf::message move_content_to_message() override { return inner_->move_content_to_message(); }
  caf::message copy_content_to_message() const override {
    return const_cast<const caf::mailbox_element&>(*inner_).copy_content_to_message();
  }
  trace_context context;

private:
  caf::mailbox_element_ptr inner_;
};

/// Called for each message about to enter `self`'s mailbox; returns what enters, or null.
caf::mailbox_element_ptr arrive(located& self, caf::abstract_actor& actor,
                                caf::mailbox_element_ptr element);

/// The context for handling `element`.
trace_context context_of(located& self, caf::mailbox_element& element);

} // namespace detail

template <class Base>
class instrumented : public Base, public located {
public:
  template <class... Ts>
  explicit instrumented(caf::actor_config& config, Ts&&... xs)
    : Base(config, std::forward<Ts>(xs)...), located(current_environment()) {
    // A message nobody handles must not let a peer flood our output.
    this->set_default_handler(caf::drop);
  }

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* unit) override {
    if (auto x = detail::arrive(*this, *this, std::move(element)))
      Base::enqueue(std::move(x), unit);
  }

  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    trace_scope scope{detail::context_of(*this, element)};
    auto outer = std::exchange(current_environment(), env_ptr());
    auto outer_actor = std::exchange(current_actor(), this);
    auto out = Base::consume(element);
    current_actor() = outer_actor;
    current_environment() = std::move(outer);
    return out;
  }

  std::string address() const override {
    return env().site.value + "/" + this->name();
  }

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
  void note(const char* what, std::string text);

  static located*& current_actor();
};

located*& running_actor();
void record_note(located&, const char* what, std::string text);

template <class Base>
located*& instrumented<Base>::current_actor() {
  return running_actor();
}

template <class Base>
void instrumented<Base>::note(const char* what, std::string text) {
  record_note(*this, what, std::move(text));
}

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
auto spawn_at(caf::actor_system& system, environment_ptr env, F function, Ts&&... xs) {
  auto outer = std::exchange(current_environment(), std::move(env));
  auto handle = system.spawn(function, std::forward<Ts>(xs)...);
  current_environment() = std::move(outer);
  return handle;
}

} // namespace qnfv
