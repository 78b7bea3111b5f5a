#include "drivers/vim_docker/vim_docker.hpp"

#include "drivers/vim_docker/docker_http.hpp"

namespace qnfv {

namespace {

using self_ptr = stateful<vim_actor, vim_docker_state>*;
using instance_promise = caf::typed_response_promise<instance>;

docker::engine engine_of(self_ptr self) {
  auto& c = self->state.config;
  docker::engine e;
  e.io = self->env().io;
  e.socket = c.socket;
  e.timeout = std::chrono::milliseconds{c.request_timeout_ms};
  e.load_idle = std::chrono::milliseconds{c.load_idle_ms};
  return e;
}

std::string container_path(const vnf_id& vnf) {
  return "/containers/" + docker::path_segment(docker::container_name(vnf));
}

/// Asks the engine; `then` runs on the actor.
void ask(self_ptr self, const std::string& method, const std::string& target, const std::string& body,
         std::function<void(result<docker::answer>)> then) {
  auto handle = caf::actor_cast<vim_actor>(self);
  docker::request(engine_of(self), method, target, body,
                  [handle, then = std::move(then), trace = current_trace()](result<docker::answer> x) {
                    trace_scope scope{trace};
                    continue_at(handle, [then, x] { then(x); });
                  });
}

failure refused(const docker::answer& x) {
  return {x.status == 404 ? ec::not_found : ec::vim_failed, docker::error_text(x.status, x.body)};
}

/// Answers with the container as the engine describes it.
void inspect(self_ptr self, const vnf_id& vnf, instance_promise promise) {
  ask(self, "GET", container_path(vnf) + "/json", "", [vnf, promise](result<docker::answer> x) mutable {
    instance out;
    out.vnf = vnf;
    out.vim = vim_docker_state::name;
    if (!x) {
      promise.deliver(fail(x.error()));
      return;
    }
    if (x->status == 404) {
      promise.deliver(out);
      return;
    }
    auto state = x->status == 200 ? docker::parse_container(x->body, vnf)
                                  : result<docker::container_state>{refused(*x)};
    if (!state) {
      promise.deliver(fail(ec::vim_failed, state.error().text));
      return;
    }
    if (!state->ours) {
      promise.deliver(fail(ec::vim_failed, "a container " + docker::container_name(vnf)
                                             + " is there that is not ours"));
      return;
    }
    out.exists = true;
    out.running = state->running;
    out.detail = state->detail;
    promise.deliver(out);
  });
}

/// One request whose success is one of `good`; then the container is described.
caf::result<instance> command(self_ptr self, const vnf_id& vnf, const std::string& method,
                              const std::string& target, const std::string& body,
                              std::vector<unsigned> good) {
  auto promise = self->make_response_promise<instance>();
  ask(self, method, target, body, [self, vnf, promise, good](result<docker::answer> x) mutable {
    if (!x) {
      promise.deliver(fail(x.error()));
      return;
    }
    for (auto status : good)
      if (x->status == status)
        return inspect(self, vnf, promise);
    promise.deliver(fail(refused(*x)));
  });
  return promise;
}

} // namespace

vim_actor::behavior_type vim_docker(stateful<vim_actor, vim_docker_state>* self,
                                    vim_docker_config config) {
  self->state.config = std::move(config);
  return {
    [self](const load_image&) { return image_sink{docker::make_load_sink(engine_of(self))}; },
    [self](const unload_image& x) -> caf::result<accepted> {
      auto promise = self->make_response_promise<accepted>();
      ask(self, "DELETE", "/images/" + docker::path_segment(x.vim_image), "",
          [promise](result<docker::answer> y) mutable {
            // 404: gone already. 409: another container runs from the same image.
            if (y && (y->status == 200 || y->status == 404 || y->status == 409))
              promise.deliver(accepted{});
            else
              promise.deliver(fail(y ? refused(*y) : y.error()));
          });
      return promise;
    },
    [self](const create_instance& x) {
      // 409: made before; whether it is ours is looked at afterwards.
      return command(self, x.vnf, "POST",
                     "/containers/create?name=" + docker::container_name(x.vnf),
                     docker::create_body(x.vnf, x.vim_image, self->state.config.container),
                     {201, 409});
    },
    [self](const start_instance& x) {
      return command(self, x.vnf, "POST", container_path(x.vnf) + "/start", "", {204, 304});
    },
    [self](const stop_instance& x) -> caf::result<instance> {
      auto promise = self->make_response_promise<instance>();
      auto remove = [self, vnf = x.vnf, promise](result<docker::answer> y) mutable {
        if (!y) {
          promise.deliver(fail(y.error()));
          return;
        }
        ask(self, "DELETE", container_path(vnf) + "?force=1&v=1", "",
            [self, vnf, promise](result<docker::answer> z) mutable {
              if (z && (z->status == 204 || z->status == 404))
                return inspect(self, vnf, promise);
              promise.deliver(fail(z ? refused(*z) : z.error()));
            });
      };
      ask(self, "POST",
          container_path(x.vnf) + "/stop?t=" + std::to_string(self->state.config.stop_grace_s), "",
          remove);
      return promise;
    },
    [self](const inspect_instance& x) -> caf::result<instance> {
      auto promise = self->make_response_promise<instance>();
      inspect(self, x.vnf, promise);
      return promise;
    },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
