#include "runtime/system/actor.hpp"

#include "runtime/messages/admin.hpp"
#include "runtime/messages/applications.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/messages/relay.hpp"
#include "runtime/system/gate.hpp"

namespace qnfv {

void located::remember(caf::message_id request, asked what) {
  std::lock_guard<std::mutex> guard{asked_mutex_};
  asked_[request.response_id().integer_value()] = std::move(what);
}

std::optional<located::asked> located::recall(caf::message_id response) {
  std::lock_guard<std::mutex> guard{asked_mutex_};
  auto i = asked_.find(response.integer_value());
  if (i == asked_.end())
    return std::nullopt;
  auto out = std::move(i->second);
  asked_.erase(i);
  return out;
}

environment_ptr& current_environment() {
  static thread_local environment_ptr value;
  return value;
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

} // namespace

site_id site_of(const caf::strong_actor_ptr& x) {
  if (!x)
    return {};
  if (auto* here = located_of(x))
    return here->env().site;
  if (auto* stand_in = dynamic_cast<const gate*>(x->get()))
    return stand_in->site();
  if (x->node() != x->home_system->node())
    return site_of_node(x->node());
  return {};
}

std::string address_of(const caf::strong_actor_ptr& x) {
  if (!x)
    return {};
  if (auto* here = located_of(x))
    return here->address();
  if (auto* stand_in = dynamic_cast<const gate*>(x->get()))
    return stand_in->site().value + "/" + stand_in->role();
  return site_of(x).value + "/#" + std::to_string(x->id());
}

void record_note(located& self, const char* what, std::string text) {
  auto& env = self.env();
  if (!env.recorder)
    return;
  trace_event x;
  x.unix_ns = env.clock->unix_ns();
  x.kind = trace_kind::note;
  x.trace = current_trace().trace;
  x.cause = current_trace().cause;
  x.from = self.address();
  x.to = x.from;
  x.message = what;
  x.text = std::move(text);
  env.recorder->record(std::move(x));
}

namespace detail {

traced_element::traced_element(caf::mailbox_element_ptr inner, trace_context ctx)
  : caf::mailbox_element(std::move(inner->sender), inner->mid, std::move(inner->stages)),
    context(std::move(ctx)), inner_(std::move(inner)) {}

namespace {

template <class... Ts>
bool is_one_of(const caf::type_erased_tuple& content) {
  return (content.match_element<Ts>(0) || ...);
}

} // namespace

bool worth_recording(const caf::type_erased_tuple& content) {
  if (content.size() != 1 && content.size() != 2)
    return false;
  // Timers, heartbeats, status questions and the comparison of pools: thousands an hour, and what
  // they change leaves a note.
  return !is_one_of<heartbeat, tick, continuation, link_tick, caf::timeout_msg, caf::down_msg, caf::exit_msg,
                    trace_query, trace_page, site_status_query, site_status, lab_status_query,
                    lab_status, order_query, list_orders, order_list, stream_progress_query,
                    stream_progress, keys_status_query, keys_status, pool_status_query, pool_status,
                    links_query, link_list, link_status_query, link_status,
                    device_status_query, reconcile_keys, keys_gone, application_status_query,
                    application_status, announce_session, session_announced, relay_status_query,
                    relay_status>(content);
}

trace_event describe_message(const environment& env, const caf::mailbox_element& element,
                             const trace_context& context) {
  trace_event x;
  x.unix_ns = env.clock->unix_ns();
  x.trace = context.trace;
  x.cause = context.cause;
  x.from = address_of(element.sender);
  const auto& content = element.content();
  x.text = content.size() > 0 ? content.stringify(0) : "";
  // "type(fields)" or a type that prints itself otherwise.
  auto paren = x.text.find('(');
  x.message = x.text.substr(0, paren);
  if (x.message.size() > 40)
    x.message = x.message.substr(0, 40);
  return x;
}

caf::mailbox_element_ptr arrive(located& self, caf::abstract_actor& actor,
                                caf::mailbox_element_ptr element) {
  if (dynamic_cast<traced_element*>(element.get()) != nullptr)
    return element; // Judged before: it was held back for its delay.
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
  bool response = element->mid.is_response();
  bool wanted = true;
  if (response) {
    auto asked = self.recall(element->mid);
    if (!asked)
      return element; // A time-out that has no one waiting any more.
    context = std::move(asked->context);
    wanted = asked->recorded;
  }
  duration delay{0};
  if (response && env.network && !crossed) {
    // The answer of another site of the same process: the simulated network carries it.
    auto from = site_of(element->sender);
    if (!from.empty() && from != env.site) {
      auto verdict = env.network->judge(from, env.site);
      if (verdict.drop)
        return nullptr;
      delay = verdict.delay;
    }
  }
  bool recorded = env.recorder && wanted && worth_recording(seen);
  if (recorded) {
    auto x = describe_message(env, *element, context);
    x.kind = response ? trace_kind::reply : trace_kind::receive;
    x.to = self.address();
    // What an operator asks for begins a trace, named after this first event.
    bool begins = !response && context.trace.empty() && site_of(element->sender) == operator_name;
    auto sequence = env.recorder->record(std::move(x), begins);
    context.cause = env.site.value + ":" + std::to_string(sequence);
    if (begins)
      context.trace = context.cause;
  }
  if (element->mid.is_request() && !crossed && running_actor() != nullptr
      && running_actor() == dynamic_cast<located*>(element->sender ? element->sender->get()
                                                                   : nullptr))
    running_actor()->remember(element->mid, {context, recorded});
  if (!context && delay.count() == 0)
    return element;
  caf::mailbox_element_ptr wrapped{new traced_element(std::move(element), std::move(context))};
  if (delay.count() == 0)
    return wrapped;
  auto& system = actor.home_system();
  system.clock().schedule_message(system.clock().now() + delay,
                                  caf::strong_actor_ptr{actor.ctrl()}, std::move(wrapped));
  return nullptr;
}

trace_context context_of(located&, caf::mailbox_element& element) {
  auto* traced = dynamic_cast<traced_element*>(&element);
  return traced ? traced->context : trace_context{};
}

} // namespace detail

} // namespace qnfv
