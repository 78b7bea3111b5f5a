#include "runtime/system/gate.hpp"

#include "runtime/tracing/recorder.hpp"

namespace qnfv {

namespace detail {
bool worth_recording(const caf::type_erased_tuple&);
void describe_message(trace_record&, trace_kind, const environment&, const caf::mailbox_element&,
                      std::string_view to, const trace_context&);
} // namespace detail

gate::gate(caf::actor_config& config, environment_ptr env, site_id site, std::string role)
  : caf::monitorable_actor(config), env_(std::move(env)), site_(std::move(site)),
    role_(std::move(role)), crosses_(site_ != env_->site) {}

void gate::on_destroy() {
  cleanup(caf::exit_reason::unreachable, nullptr);
  caf::monitorable_actor::on_destroy();
}

void gate::end() {
  retarget(nullptr);
  cleanup(caf::exit_reason::unreachable, nullptr);
}

void gate::retarget(caf::strong_actor_ptr target) {
  std::lock_guard<std::mutex> guard{mutex_};
  target_ = std::move(target);
}

caf::strong_actor_ptr gate::target() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return target_;
}

void gate::refuse(const caf::mailbox_element& element, ec code, std::string text) {
  if (env_->recorder && detail::worth_recording(element.content())) {
    trace_record x;
    detail::describe_message(x, trace_kind::drop, *env_, element, site_.value + "/" + role_, current_trace());
    x.say_instead(text);
    env_->recorder->record(x);
  }
  if (element.mid.is_request() && element.sender)
    element.sender->enqueue(nullptr, element.mid.response_id(),
                            caf::make_message(fail(code, std::move(text))), nullptr);
}

void gate::enqueue(caf::mailbox_element_ptr element, caf::execution_unit* unit) {
  auto to = target();
  if (!to) {
    auto what = crosses_ ? site_.value + " is not joined" : role_ + " is restarting";
    return refuse(*element, ec::site_unreachable, std::move(what));
  }
  if (!crosses_)
    return to->enqueue(std::move(element), unit);
  const auto& content = element->content();
  for (size_t i = 0; i < content.size(); ++i)
    if (home_system().types().portable_name(content.type(i)) == "???") // CAF: not registered
      return refuse(*element, ec::internal, "a local message must not leave its site");
  auto context = current_trace();
  bool recorded = env_->recorder && detail::worth_recording(content);
  if (recorded) {
    trace_record x;
    detail::describe_message(x, trace_kind::send, *env_, *element, site_.value + "/" + role_, context);
    context.cause = env_->recorder->record(x);
  }
  if (element->mid.is_request() && running_actor() && running_actor()->is(element->sender))
    running_actor()->remember(element->mid, {context, recorded});
  passage verdict;
  if (env_->network)
    verdict = env_->network->judge(env_->site, site_, element->content());
  if (verdict.drop)
    return;
  auto sender = element->sender;
  auto mid = element->mid;
  auto stages = element->stages;
  auto message = element->move_content_to_message() + caf::make_message(context);
  if (verdict.twice)
    home_system().clock().schedule_message(home_system().clock().now() + verdict.second_delay, to,
                                           caf::make_mailbox_element(sender, mid, stages, message));
  auto out = caf::make_mailbox_element(std::move(sender), mid, std::move(stages), std::move(message));
  if (verdict.delay.count() == 0)
    return to->enqueue(std::move(out), unit);
  home_system().clock().schedule_message(home_system().clock().now() + verdict.delay, to,
                                         std::move(out));
}

gates::~gates() {
  for (auto& entry : gates_)
    static_cast<gate&>(*caf::actor_cast<caf::abstract_actor*>(entry.second)).end();
}

gate& gates::find(const site_id& site, const std::string& role) {
  auto& slot = gates_[{site, role}];
  if (!slot) {
    caf::actor_config config;
    auto handle = caf::make_actor<gate, caf::actor>(system_.next_actor_id(), system_.node(),
                                                    &system_, config, env_, site, role);
    slot = caf::actor_cast<caf::strong_actor_ptr>(handle);
  }
  return static_cast<gate&>(*caf::actor_cast<caf::abstract_actor*>(slot));
}

caf::strong_actor_ptr gates::handle(const site_id& site, const std::string& role) {
  std::lock_guard<std::mutex> guard{mutex_};
  find(site, role);
  return gates_[{site, role}];
}

void gates::retarget(const site_id& site, const std::string& role, caf::strong_actor_ptr target) {
  std::lock_guard<std::mutex> guard{mutex_};
  find(site, role).retarget(std::move(target));
}

void gates::cut(const site_id& site) {
  std::lock_guard<std::mutex> guard{mutex_};
  for (auto& entry : gates_)
    if (entry.first.first == site)
      static_cast<gate&>(*caf::actor_cast<caf::abstract_actor*>(entry.second)).retarget(nullptr);
}

std::vector<std::string> gates::roles(const site_id& site) const {
  std::lock_guard<std::mutex> guard{mutex_};
  std::vector<std::string> out;
  for (auto& entry : gates_)
    if (entry.first.first == site)
      out.push_back(entry.first.second);
  return out;
}

} // namespace qnfv
