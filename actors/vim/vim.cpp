#include "actors/vim/vim.hpp"

namespace qnfv {

namespace {

/// Hands the question to the driver of its kind, which answers the asker.
template <class Answer, class Question>
caf::result<Answer> ask_driver(stateful<vim_actor, vim_state>* self, const Question& x) {
  auto driver = self->state.config.drivers.find(x.kind);
  if (driver == self->state.config.drivers.end())
    return fail(ec::not_found, self->env().site.value + " has no VIM for " + to_string(x.kind)
                                 + " images");
  return self->delegate(driver->second, x);
}

} // namespace

vim_actor::behavior_type vim(stateful<vim_actor, vim_state>* self, vim_actor_config config) {
  self->state.config = std::move(config);
  return {
    [self](const load_image& x) { return ask_driver<image_sink>(self, x); },
    [self](const unload_image& x) { return ask_driver<accepted>(self, x); },
    [self](const create_instance& x) { return ask_driver<instance>(self, x); },
    [self](const start_instance& x) { return ask_driver<instance>(self, x); },
    [self](const stop_instance& x) { return ask_driver<instance>(self, x); },
    [self](const inspect_instance& x) { return ask_driver<instance>(self, x); },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
