#include "drivers/vim_emulator/vim_emulator.hpp"

#include <sstream>

namespace qnfv {

namespace {

using self_ptr = stateful<vim_actor, vim_emulator_state>*;
constexpr const char* instances_file = "vim/instances";

status save(self_ptr self) {
  std::ostringstream text;
  for (auto& [vnf, x] : self->state.instances)
    text << vnf.value << ' ' << x.vim_image << ' ' << (x.running ? "running" : "created") << '\n';
  return self->env().storage->replace(instances_file, byte_view{std::string_view{text.str()}});
}

void load(self_ptr self) {
  auto content = self->env().storage->load(instances_file);
  if (!content)
    return;
  std::istringstream text{std::string(content->begin(), content->end())};
  std::string vnf, image, state;
  while (text >> vnf >> image >> state)
    self->state.instances[vnf_id{vnf}] = {image, state == "running"};
}

instance describe_instance(self_ptr self, const vnf_id& vnf) {
  instance out;
  out.vnf = vnf;
  out.vim = self->state.name;
  auto i = self->state.instances.find(vnf);
  out.exists = i != self->state.instances.end();
  out.running = out.exists && i->second.running;
  out.detail = out.exists ? "emulated from " + i->second.vim_image : "";
  return out;
}

caf::result<instance> saved(self_ptr self, const vnf_id& vnf) {
  if (auto ok = save(self); !ok)
    return fail(ec::vim_failed, ok.error().text);
  return describe_instance(self, vnf);
}

/// What a crash left: loads that were cut off, and images that nothing runs from.
void tidy(self_ptr self) {
  for (auto& file : self->env().storage->list("vim")) {
    auto name = "vim/" + file;
    bool used = name == instances_file;
    for (auto& x : self->state.instances)
      used = used || x.second.vim_image == name;
    if (!used)
      self->env().storage->remove(name);
  }
}

bool loaded(self_ptr self, const std::string& vim_image) {
  return vim_image.rfind("vim/", 0) == 0 && static_cast<bool>(self->env().storage->open(vim_image));
}

} // namespace

vim_actor::behavior_type vim_emulator(stateful<vim_actor, vim_emulator_state>* self,
                                      vim_emulator_config config) {
  self->state.config = std::move(config);
  load(self);
  tidy(self);
  return {
    [self](const load_image& x) -> caf::result<image_sink> {
      auto& limit = self->state.config.image_bytes_max;
      if (x.size_bytes > limit)
        return fail(ec::vim_failed, "the image is larger than " + std::to_string(limit) + " bytes");
      auto name = "vim/" + to_string(x.transfer);
      return image_sink{make_file_sink(self->env().io, self->env().storage, name + ".part",
                                       name + ".img", limit)};
    },
    [self](const unload_image& x) -> caf::result<accepted> {
      if (x.vim_image.rfind("vim/", 0) != 0 || x.vim_image.find("..") != std::string::npos)
        return accepted{}; // No image of ours.
      if (auto ok = self->env().storage->remove(x.vim_image); !ok)
        return fail(ec::vim_failed, ok.error().text);
      return accepted{};
    },
    [self](const create_instance& x) -> caf::result<instance> {
      if (!loaded(self, x.vim_image))
        return fail(ec::not_found, "no image " + x.vim_image + " is loaded");
      self->state.instances.try_emplace(x.vnf, emulated_instance{x.vim_image, false});
      return saved(self, x.vnf);
    },
    [self](const start_instance& x) -> caf::result<instance> {
      auto i = self->state.instances.find(x.vnf);
      if (i == self->state.instances.end())
        return fail(ec::not_found, "no instance " + x.vnf.value);
      if (i->second.running)
        return describe_instance(self, x.vnf);
      auto promise = self->make_response_promise<instance>();
      auto boot = [self, vnf = x.vnf, promise]() mutable {
        auto found = self->state.instances.find(vnf);
        if (found == self->state.instances.end()) {
          promise.deliver(fail(ec::vim_failed, "the instance was removed while it booted"));
          return;
        }
        found->second.running = true;
        if (auto ok = save(self); !ok)
          promise.deliver(fail(ec::vim_failed, ok.error().text));
        else
          promise.deliver(describe_instance(self, vnf));
      };
      self->after(std::chrono::milliseconds{self->state.config.boot_ms}, continuation{boot});
      return promise;
    },
    [self](const stop_instance& x) {
      self->state.instances.erase(x.vnf);
      return saved(self, x.vnf);
    },
    [self](const inspect_instance& x) { return describe_instance(self, x.vnf); },
    [](const continuation& x) { x.run(); },
  };
}

} // namespace qnfv
