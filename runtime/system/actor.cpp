#include "runtime/system/actor.hpp"

#include "runtime/messages/faults.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/system/gate.hpp"
#include "runtime/tracing/message_kinds.hpp"
#include "runtime/tracing/recorder.hpp"

namespace qnfv {

const std::string& located::address() const {
  std::call_once(named_, [this] { address_ = env_->site.value + "/" + kind(); });
  return address_;
}

void located::came_to_its_end() {
  ended_ = true;
  auto left = waiting_.exchange(0);
  if (auto* x = meter_.load())
    x->waiting.fetch_sub(static_cast<int64_t>(left), std::memory_order_relaxed);
}

actor_meter* located::meter() {
  auto* x = meter_.load(std::memory_order_relaxed);
  if (!x && env_ && env_->meters) {
    x = &env_->meters->of(kind());
    meter_.store(x);
  }
  return x;
}

void located::came_in() {
  if (ended_.load(std::memory_order_relaxed))
    return;
  waiting_.fetch_add(1, std::memory_order_relaxed);
  if (auto* x = meter())
    x->waiting.fetch_add(1, std::memory_order_relaxed);
}

void located::went_out(duration took) {
  if (ended_.load(std::memory_order_relaxed))
    return;
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  if (auto* x = meter()) {
    x->waiting.fetch_sub(1, std::memory_order_relaxed);
    x->took(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
  }
}

void located::remember(caf::message_id request, const asked& what) {
  std::lock_guard<std::mutex> guard{asked_mutex_};
  asked_.put(request.response_id().integer_value(), what);
}

std::optional<asked> located::recall(caf::message_id response) {
  std::lock_guard<std::mutex> guard{asked_mutex_};
  return asked_.take(response.integer_value());
}

const environment_ptr*& starting_environment() {
  static thread_local const environment_ptr* value = nullptr;
  return value;
}

environment_ptr current_environment() {
  if (auto* starting = starting_environment())
    return *starting;
  return running_actor() ? running_actor()->env_ptr() : nullptr;
}

located*& running_actor() {
  static thread_local located* value = nullptr;
  return value;
}

namespace {

const located* located_of(const caf::strong_actor_ptr& x) {
  return x ? dynamic_cast<const located*>(x->get()) : nullptr;
}

/// The node ids of this project hold the site's name in place of a host hash (deployment/node_id).
site_id site_of_node(const caf::node_id& node) {
  if (!node)
    return {};
  auto* data = dynamic_cast<const caf::node_id::default_data*>(&*node);
  if (!data)
    return {};
  auto& host = data->host_id();
  std::string name(host.begin(), host.end());
  name.erase(name.find_last_not_of('\0') + 1);
  return site_id{name};
}

/// Of another process, so neither located nor a gate: to ask it would cost more than all else.
bool is_remote(const caf::strong_actor_ptr& x) {
  return x->node() != x->home_system->node();
}

} // namespace

site_id site_of(const caf::strong_actor_ptr& x) {
  if (!x)
    return {};
  if (is_remote(x))
    return site_of_node(x->node());
  if (auto* here = located_of(x))
    return here->env().site;
  if (auto* stand_in = dynamic_cast<const gate*>(x->get()))
    return stand_in->site();
  return {};
}

std::string address_of(const caf::strong_actor_ptr& x) {
  if (!x)
    return {};
  if (!is_remote(x)) {
    if (auto* here = located_of(x))
      return here->address();
    if (auto* stand_in = dynamic_cast<const gate*>(x->get()))
      return stand_in->site().value + "/" + stand_in->role();
  }
  return site_of(x).value + "/#" + std::to_string(x->id());
}

void record_note(const located& self, const char* what, std::string_view text) {
  auto& env = self.env();
  if (!env.recorder)
    return;
  trace_record x;
  x.unix_ns = env.clock->unix_ns();
  x.kind = trace_kind::note;
  x.trace = current_trace().trace;
  x.cause = current_trace().cause;
  x.say(self.address(), self.address(), what, text);
  env.recorder->record(x);
}

namespace detail {

traced_element::traced_element(caf::mailbox_element_ptr inner, const trace_context& ctx)
  : caf::mailbox_element(std::move(inner->sender), inner->mid, std::move(inner->stages)), context(ctx),
    inner_(std::move(inner)) {}

/// `element` if it is one that was wrapped here.
static const traced_element* traced(const caf::mailbox_element& element) {
  return typeid(element) == typeid(traced_element) ? static_cast<const traced_element*>(&element) : nullptr;
}

bool worth_recording(const caf::type_erased_tuple& content) {
  return (content.size() == 1 || content.size() == 2) && kind_of(content).worth_recording;
}

void describe_message(trace_record& x, trace_kind kind, const environment& env, const caf::mailbox_element& element,
                      std::string_view to, const trace_context& context) {
  x.unix_ns = env.clock->unix_ns();
  x.kind = kind;
  x.trace = context.trace;
  x.cause = context.cause;
  if (running_actor() && running_actor()->is(element.sender))
    x.say(running_actor()->address(), to, element.content());
  else
    x.say(address_of(element.sender), to, element.content());
}

/// Most messages come from the actor that runs: nobody needs to be looked up then.
static bool is_from_operator(const caf::mailbox_element& element) {
  return (running_actor() && running_actor()->is(element.sender) ? running_actor()->env().site
                                                                 : site_of(element.sender))
         == operator_name;
}

caf::error error_of(std::exception_ptr x) {
  try {
    std::rethrow_exception(x);
  } catch (const std::exception& why) {
    return fail(ec::internal, why.what());
  } catch (...) {
    return fail(ec::internal, "a handler threw what is no exception");
  }
}

void throw_if_poison(const caf::mailbox_element& element) {
  if (element.content().match_elements<poison>())
    throw std::runtime_error("poisoned (injected)");
}

void died_of(located& self, const caf::mailbox_element& element) {
  auto& env = self.env();
  auto& content = element.content();
  if (!env.quarantine || content.size() == 0)
    return;
  auto message = content.stringify(0);
  auto held = env.quarantine->killed(self.kind(), message);
  record_note(self, "alarm", std::string{self.kind()} + (held ? " died again of " : " died of ") + message
                               + (held ? ", which is quarantined" : ""));
}

template <class... Ts>
static bool is_one_of(const caf::type_erased_tuple& content) {
  return (content.match_element<Ts>(0) || ...);
}

/// What an actor lives by: its own timers and threads, CAF's signals, answers. Never refused.
static bool is_vital(const caf::mailbox_element& element) {
  return element.mid.is_response()
         || is_one_of<tick, continuation, link_tick, peer_up, peer_down, caf::timeout_msg, caf::down_msg,
                      caf::exit_msg>(element.content());
}

/// True if `element` must not enter: the mailbox is full, or it killed before. A request is answered.
static bool is_refused(located& self, const caf::mailbox_element& element) {
  auto& env = self.env();
  auto full = env.mailbox_max > 0 && self.waiting() >= env.mailbox_max;
  auto suspect = env.quarantine && env.quarantine->holds_any();
  if ((!full && !suspect) || element.content().size() == 0 || is_vital(element))
    return false;
  if (!full && !env.quarantine->holds(self.kind(), element.content().stringify(0)))
    return false;
  if (full && self.meter())
    self.meter()->refused.fetch_add(1, std::memory_order_relaxed);
  if (element.mid.is_request() && element.sender)
    element.sender->enqueue(nullptr, element.mid.response_id(),
                            caf::make_message(full ? fail(ec::busy, "the mailbox of " + self.address() + " is full")
                                                   : fail(ec::internal, "this message killed " + self.address()
                                                                          + " before; it is quarantined")),
                            nullptr);
  return true;
}

caf::mailbox_element_ptr arrive(located& self, caf::abstract_actor& actor,
                                caf::mailbox_element_ptr element) {
  if (traced(*element))
    return element; // Judged before: it was held back for its delay.
  if (is_refused(self, *element))
    return nullptr;
  auto& env = self.env();
  auto& content = element->content();
  trace_context context = current_trace();
  bool crossed = false;
  // From another site: its context came as one more element.
  if (content.size() > 1 && content.match_element<trace_context>(content.size() - 1)) {
    context = content.get_as<trace_context>(content.size() - 1);
    auto message = element->move_content_to_message();
    element = caf::make_mailbox_element(element->sender, element->mid, element->stages,
                                        message.drop_right(1));
    crossed = true;
  }
  auto& seen = element->content();
  if (env.on_arrival)
    env.on_arrival(seen);
  bool response = element->mid.is_response();
  bool wanted = true;
  if (response) {
    auto asked = self.recall(element->mid);
    if (!asked)
      return element; // A time-out that has no one waiting any more.
    context = asked->context;
    wanted = asked->recorded;
  }
  duration delay{0};
  if (response && env.network && !crossed) {
    // The answer of another site of the same process: the simulated network carries it.
    auto from = site_of(element->sender);
    if (!from.empty() && from != env.site) {
      auto verdict = env.network->judge(from, env.site, seen);
      if (verdict.drop)
        return nullptr;
      delay = verdict.delay;
    }
  }
  bool recorded = env.recorder && wanted && worth_recording(seen);
  if (recorded) {
    trace_record x;
    describe_message(x, response ? trace_kind::reply : trace_kind::receive, env, *element, self.address(), context);
    // What an operator asks for begins a trace, named after this first event.
    bool begins = !response && !context.trace && is_from_operator(*element);
    context.cause = env.recorder->record(x, begins);
    if (begins)
      context.trace = context.cause;
  }
  if (element->mid.is_request() && !crossed && running_actor() && running_actor()->is(element->sender))
    running_actor()->remember(element->mid, {context, recorded});
  if (!context && delay.count() == 0)
    return element;
  caf::mailbox_element_ptr wrapped{new traced_element(std::move(element), context)};
  if (delay.count() == 0)
    return wrapped;
  auto& system = actor.home_system();
  system.clock().schedule_message(system.clock().now() + delay,
                                  caf::strong_actor_ptr{actor.ctrl()}, std::move(wrapped));
  return nullptr;
}

const trace_context& context_of(const caf::mailbox_element& element) {
  static const trace_context none;
  auto* x = traced(element);
  return x ? x->context : none;
}

} // namespace detail

} // namespace qnfv
