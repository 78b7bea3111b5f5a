#include "actors/fault_injector/faulty_vim.hpp"

namespace qnfv {

namespace {

using self_ptr = stateful<vim_actor, faulty_vim_state>*;

template <class Answer, class Question>
caf::result<Answer> pass(self_ptr self, const Question& x) {
  auto& c = self->state.config;
  switch (c.board->judge_vim()) {
    case fault_board::vim_verdict::fails:
      return fail(ec::vim_failed, "the VIM failed (injected)");
    case fault_board::vim_verdict::hangs: {
      // A promise that nobody keeps; the asker's time-out ends it.
      auto promise = self->make_response_promise<Answer>();
      return promise;
    }
    default:
      return self->delegate(c.inner, x);
  }
}

} // namespace

vim_actor::behavior_type faulty_vim(stateful<vim_actor, faulty_vim_state>* self, faulty_vim_config config) {
  self->state.config = std::move(config);
  return {
    [self](const load_image& x) { return pass<image_sink>(self, x); },
    [self](const unload_image& x) { return self->delegate(self->state.config.inner, x); },
    [self](const create_instance& x) { return pass<instance>(self, x); },
    [self](const start_instance& x) { return pass<instance>(self, x); },
    [self](const stop_instance& x) { return self->delegate(self->state.config.inner, x); },
    [self](const inspect_instance& x) { return self->delegate(self->state.config.inner, x); },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
